/* SPDX-License-Identifier: GPL-2.0-only */
/* Capture stderr, so that tests can check messages. */
#ifndef XF_TEST_CAPTURE_H
#define XF_TEST_CAPTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct capture {
	int saved;
	FILE *file;
	char text[8192];
};

/* Redirect stderr to a temporary file. */
static inline void capture_begin(struct capture *cap)
{
	cap->file = tmpfile();
	cap->saved = dup(STDERR_FILENO);
	if (!cap->file || cap->saved < 0 || dup2(fileno(cap->file), STDERR_FILENO) < 0)
		abort();
}

/* Restore stderr. Returns the captured text. */
static inline const char *capture_end(struct capture *cap)
{
	size_t len;

	fflush(stderr);
	dup2(cap->saved, STDERR_FILENO);
	close(cap->saved);
	rewind(cap->file);
	len = fread(cap->text, 1, sizeof(cap->text) - 1, cap->file);
	cap->text[len] = '\0';
	fclose(cap->file);
	return cap->text;
}

#endif
