/* SPDX-License-Identifier: GPL-2.0-only */
/* Catch what is said on stderr, so that tests can look at messages. In a header because each test
 * is one file. */
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

/* From now on stderr goes to a temporary file. */
static inline void capture_begin(struct capture *cap)
{
	cap->file = tmpfile();
	cap->saved = dup(STDERR_FILENO);
	if (!cap->file || cap->saved < 0 || dup2(fileno(cap->file), STDERR_FILENO) < 0)
		abort();
}

/* stderr is itself again, and text is what was said. */
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
