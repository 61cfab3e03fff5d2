// SPDX-License-Identifier: GPL-2.0-only
/* Reads line by line. stdio is not used: it does not tell whether its buffer holds a line. */
#include "lib/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/msg.h"

#define BUF_SIZE (2 * XF_LINE_MAX)
#define BOM "\xef\xbb\xbf" /* with which some editors begin a file */

int xf_lines__open(struct xf_lines *lines, const char *path)
{
	bool standard = !strcmp(path, "-");
	int err;

	*lines = (struct xf_lines) { .name = standard ? "stdin" : path };
	lines->fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	lines->buf = lines->fd < 0 ? NULL : malloc(BUF_SIZE);
	if (lines->buf)
		return 0;
	err = lines->fd < 0 ? -errno : -ENOMEM;
	xf_err("cannot read %s: %s", lines->name, strerror(-err));
	xf_lines__close(lines);
	return err;
}

void xf_lines__close(struct xf_lines *lines)
{
	free(lines->buf);
	lines->buf = NULL;
	if (lines->fd > STDIN_FILENO)
		close(lines->fd);
	lines->fd = -1;
}

/* Read more into the buffer. Returns 1, 0 at the end of the file, -EAGAIN or another -errno. */
static int fill(struct xf_lines *lines, int wait_ms)
{
	struct pollfd poll_fd = { .fd = lines->fd, .events = POLLIN };
	ssize_t n;

	if (lines->start) {
		memmove(lines->buf, lines->buf + lines->start, lines->end - lines->start);
		lines->end -= lines->start;
		lines->scanned -= lines->start;
		lines->start = 0;
	}
	do {
		n = poll(&poll_fd, 1, wait_ms);
		if (n == 0)
			return -EAGAIN;
		if (n > 0)
			n = read(lines->fd, lines->buf + lines->end, BUF_SIZE - lines->end);
	} while (n < 0 && (errno == EINTR || errno == EAGAIN));
	if (n > 0)
		lines->end += n;
	return n < 0 ? -errno : n > 0;
}

/* Drop a line that is too long, up to its end. Returns -EMSGSIZE or another -errno. */
static int skip(struct xf_lines *lines)
{
	char *newline = NULL;
	int ret = 1;

	while (!newline && ret > 0) {
		lines->start = lines->scanned = lines->end = 0;
		ret = fill(lines, -1);
		newline = ret > 0 ? memchr(lines->buf, '\n', lines->end) : NULL;
	}
	if (newline)
		lines->start = lines->scanned = newline + 1 - lines->buf;
	lines->ended = ret == 0;
	lines->number++;
	return ret < 0 ? ret : -EMSGSIZE;
}

static int give(struct xf_lines *lines, size_t end, const char **line, size_t *len)
{
	*line = lines->buf + lines->start;
	*len = end - lines->start;
	if (!lines->number && *len >= strlen(BOM) && !memcmp(*line, BOM, strlen(BOM))) {
		*line += strlen(BOM);
		*len -= strlen(BOM);
	}
	if (*len && (*line)[*len - 1] == '\r')
		--*len;
	lines->number++;
	return 1;
}

int xf_lines__next(struct xf_lines *lines, int wait_ms, const char **line, size_t *len)
{
	for (;;) {
		char *newline =
		    memchr(lines->buf + lines->scanned, '\n', lines->end - lines->scanned);
		int ret;

		if (newline) {
			ret = give(lines, newline - lines->buf, line, len);
			lines->start = lines->scanned = newline + 1 - lines->buf;
			return ret;
		}
		lines->scanned = lines->end;
		if (lines->ended && lines->start == lines->end)
			return 0;
		if (lines->ended) {
			ret = give(lines, lines->end, line, len);
			lines->start = lines->end;
			lines->unterminated = true;
			return ret;
		}
		if (lines->end - lines->start >= XF_LINE_MAX)
			return skip(lines);
		ret = fill(lines, wait_ms);
		if (ret < 0)
			return ret;
		lines->ended = ret == 0;
	}
}
