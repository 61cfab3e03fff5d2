/* SPDX-License-Identifier: GPL-2.0-only */
/* Where lines go: a buffer in front of stdout or a file, that knows of every line whether the
 * output took it.
 *
 * Never blocks on a pipe, socket or terminal that cannot take more: it keeps what is left and says
 * how full it is, so that the reader can stop reading and let the kernel count what is lost. */
#ifndef XF_SINK_H
#define XF_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define XF_SINK_SOURCES 64 /* interfaces, as many as -i can name */

enum xf_sink_state {
	XF_SINK_OK,
	XF_SINK_CLOSED, /* the reading end is gone (EPIPE): not an error */
	XF_SINK_FAILED, /* any other error, already printed */
};

struct xf_sink;

struct xf_sink_opts {
	const char *path; /* NULL: stdout */
	bool append;	  /* an existing file is appended to */
	bool force; /* an existing file is overwritten; with neither an existing regular file is an
		       error */
	/* What helps when the output is closed or full; NULL: what options of log and follow do. */
	const char *hint;
};

/* Returns 0 or -errno after a message. A new file is created with mode 0666 less umask; an existing
 * one that is not a regular file (a FIFO, /dev/null) is opened as it is. Opening a FIFO that nobody
 * reads is an error, not a hang. */
int xf_sink__open(struct xf_sink **sink, const struct xf_sink_opts *opts);
/* The work begins: only now a file that is to be overwritten is emptied. Until then xf_sink__free()
 * leaves everything as it was before the open. */
void xf_sink__begin(struct xf_sink *sink);
/* Close without flushing; xf_sink__finish() is the way to end. NULL is fine. */
void xf_sink__free(struct xf_sink *sink);

/* Room for one more line of at most @max bytes, or NULL when the buffer is full. Write it
 * there and say with xf_sink__put() how long it is and from which source (index of the interface)
 * it came. */
char *xf_sink__room(struct xf_sink *sink, size_t max);
void xf_sink__put(struct xf_sink *sink, size_t len, unsigned int source);

/* Give to the output what it takes now. Does nothing after the state has left XF_SINK_OK. */
enum xf_sink_state xf_sink__flush(struct xf_sink *sink);
/* Flush, waiting at most @timeout_ms for an output that does not take anything (a warning says so
 * when it is over), then close the output and report what close() says. A file that ends in the
 * middle of a line (full disk) is cut back to the last whole line. */
enum xf_sink_state xf_sink__finish(struct xf_sink *sink, int timeout_ms);

enum xf_sink_state xf_sink__state(const struct xf_sink *sink);
/* Bytes waiting. */
size_t xf_sink__pending(const struct xf_sink *sink);
/* For epoll: EPOLLOUT says that a flush makes progress, EPOLLERR or EPOLLHUP that the reader went
 * away. -1 for a regular file, for which neither can be waited for (and for devices like it).
 * Another one after a reopen. */
int xf_sink__fd(const struct xf_sink *sink);
/* Lines that the output took, whole, from this source since the sink was opened. */
uint64_t xf_sink__taken(const struct xf_sink *sink, unsigned int source);
/* Lines put in and not taken. After finish: those that were not written out. */
uint64_t xf_sink__untaken(const struct xf_sink *sink, unsigned int source);

/* SIGHUP: flush to the old file, then open the path anew (created if it is gone, appended to if it
 * is there). When that fails the old file stays in use, after a message. Nothing to do for stdout.
 * Returns 0 or -errno: -EAGAIN when a pipe's reader has taken half a line and no more. */
int xf_sink__reopen(struct xf_sink *sink);

#endif
