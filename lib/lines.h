/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads a file or standard input line by line, as the lines arrive. */
#ifndef XF_LINES_H
#define XF_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XF_LINE_MAX 65536

struct xf_lines {
	const char *name; /* for messages */
	int fd;
	uint64_t number; /* of the last line returned, from 1 */
	char *buf;
	size_t start, scanned, end;
	bool ended;
	bool unterminated; /* the line that was read last is the last one and has no end */
};

/* Open @path, or standard input for "-". Returns 0, or -errno after a message. */
int xf_lines__open(struct xf_lines *lines, const char *path);
void xf_lines__close(struct xf_lines *lines);

/* Read the next line, without its end (LF or CR LF) and a byte order mark before the first, valid
 * until the next call. Returns 1; 0 at the end of the file; -EAGAIN when no whole line came within
 * @wait_ms (-1: no limit); -EMSGSIZE for a line of more than XF_LINE_MAX bytes, which was skipped;
 * or another -errno. */
int xf_lines__next(struct xf_lines *lines, int wait_ms, const char **line, size_t *len);

#endif
