/* SPDX-License-Identifier: GPL-2.0-only */
/* Write to stdout or stderr without waiting for who reads it: others hold the same pipe, terminal
 * or socket, and may not be made non-blocking with it. */
#ifndef XF_STREAM_H
#define XF_STREAM_H

#include <stddef.h>
#include <sys/types.h>

enum xf_stream {
	XF_STREAM_FILE,	  /* writes wait for the disk, not for a reader */
	XF_STREAM_OWN,	  /* a pipe, terminal or device, non-blocking on a description of ours */
	XF_STREAM_SHARED, /* the same on one that others hold too, and that therefore blocks */
	XF_STREAM_SOCKET,
};

/* What standard descriptor @fd is. Returns what to write to, @fd itself or with XF_STREAM_OWN
 * another one; -EBADF when it is not open for writing. A process that has given up privileges may
 * get SHARED instead of OWN. */
int xf_stream_open(int fd, enum xf_stream *kind);

/* As write(), but -1 with EAGAIN when it would have to wait. Of SHARED at most PIPE_BUF bytes are
 * written at a time. */
ssize_t xf_stream_write(int fd, enum xf_stream kind, const void *data, size_t len);

#endif
