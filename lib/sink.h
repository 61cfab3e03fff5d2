/* SPDX-License-Identifier: GPL-2.0-only */
/* The output of lines: a buffer in front of stdout or a file, which knows of every line whether the
 * output took it.
 *
 * The sink never blocks on a pipe, socket or terminal that takes no more: it keeps the rest and
 * reports how full it is, so that the reader stops and the kernel counts the packets as lost. */
#ifndef XF_SINK_H
#define XF_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
	/* Hint for an output that is closed or full; NULL: one about the options of log and follow.
	 */
	const char *hint;
};

/* Returns 0, or -errno after a message. A new file is created with mode 0666 less umask; an
 * existing one that is not a regular file (a FIFO, /dev/null) is opened as it is. Opening a FIFO
 * that nobody reads is an error, not a hang. */
int xf_sink__open(struct xf_sink **sink, const struct xf_sink_opts *opts);
/* Empty a file that is to be overwritten, now that the work begins. Before this call
 * xf_sink__free() leaves everything as it was before the open. */
void xf_sink__begin(struct xf_sink *sink);
/* Close without flushing, which xf_sink__finish() does. NULL is allowed. */
void xf_sink__free(struct xf_sink *sink);

/* Make room for the counts of the sources 0 to @n - 1, at most 65536; at the beginning there is
 * that of source 0. Returns 0, -ENOMEM or -E2BIG. */
int xf_sink__sources(struct xf_sink *sink, unsigned int n);
/* The source begins anew, with counts of 0; all its lines have been taken. */
void xf_sink__reset(struct xf_sink *sink, unsigned int source);

/* Returns room for one more line of at most @max bytes, or NULL when the buffer is full.
 * xf_sink__put() then adds the line of @len bytes that was written there, of the interface with the
 * index @source. */
char *xf_sink__room(struct xf_sink *sink, size_t max);
void xf_sink__put(struct xf_sink *sink, size_t len, unsigned int source);

/* Write as much as the output takes now; nothing once the state is not XF_SINK_OK. */
enum xf_sink_state xf_sink__flush(struct xf_sink *sink);
/* Flush, waiting at most @timeout_ms for an output that takes nothing (with a warning at the end of
 * that time), then close the output and report an error of close(). A file that ends in the middle
 * of a line (full disk) is cut back to the last whole line. */
enum xf_sink_state xf_sink__finish(struct xf_sink *sink, int timeout_ms);

/* Go on after XF_SINK_FAILED, with the same output: drop the pending lines and cut off a part of
 * one that a full disk left. Returns the number of dropped lines, which are counted no more. */
uint64_t xf_sink__revive(struct xf_sink *sink);

enum xf_sink_state xf_sink__state(const struct xf_sink *sink);
/* Bytes that the output has not taken yet. */
size_t xf_sink__pending(const struct xf_sink *sink);
/* A descriptor for epoll: EPOLLOUT tells that a flush makes progress, EPOLLERR or EPOLLHUP that the
 * reader is gone. -1 for a regular file and for devices that epoll refuses. It changes with a
 * reopen. */
int xf_sink__fd(const struct xf_sink *sink);
/* Whole lines of this source that the output took since the sink was opened. */
uint64_t xf_sink__taken(const struct xf_sink *sink, unsigned int source);
/* Lines of this source that the output has not taken; after finish they are not written. */
uint64_t xf_sink__untaken(const struct xf_sink *sink, unsigned int source);

/* Flush to the old file, then open the path anew (created if it is gone, appended to if it is
 * there), as SIGHUP asks for. When that fails the old file stays in use, after a message. Does
 * nothing for stdout. Returns 0 or -errno; -EAGAIN when a pipe's reader has taken half a line and
 * no more. */
int xf_sink__reopen(struct xf_sink *sink);

#endif
