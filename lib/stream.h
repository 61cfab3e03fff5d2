/* SPDX-License-Identifier: GPL-2.0-only */
/* Writes to stdout or stderr without waiting for their reader. Other processes hold the same pipe,
 * terminal or socket and expect it to block, so O_NONBLOCK cannot be set on it. */
#ifndef XF_STREAM_H
#define XF_STREAM_H

#include <stddef.h>
#include <sys/types.h>

enum xf_stream {
	XF_STREAM_FILE,	  /* writes wait for the disk, not for a reader */
	XF_STREAM_OWN,	  /* a pipe, terminal or device with a non-blocking description of ours */
	XF_STREAM_SHARED, /* a pipe, terminal or device with the blocking description of others */
	XF_STREAM_SOCKET,
};

/* Find out the kind of standard descriptor @fd. Returns the descriptor to write to, which is @fd or
 * with XF_STREAM_OWN another one; -EBADF when @fd is not open for writing. A process that has given
 * up privileges may get SHARED instead of OWN. */
int xf_stream_open(int fd, enum xf_stream *kind);

/* Like write(), but returns -1 with EAGAIN where write() would wait. At most PIPE_BUF bytes are
 * written to SHARED at a time. */
ssize_t xf_stream_write(int fd, enum xf_stream kind, const void *data, size_t len);

#endif
