// SPDX-License-Identifier: GPL-2.0-only
/* A buffer of lines in front of an output. A mark for each line has its length and source, so that
 * the lines that a partial write took are known exactly. */
#include "lib/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/msg.h"
#include "lib/sink_impl.h"
#include "lib/time.h"

#define BUFFER_SIZE (1u << 20)
#define LINES_MAX (BUFFER_SIZE / 32) /* a power of two; few lines are shorter */

struct mark {
	uint16_t len;
	uint16_t source;
};

/* Lines of one source. */
struct counts {
	uint64_t put, taken;
};

struct xf_sink {
	char *path;	  /* NULL: stdout */
	const char *hint; /* of xf_sink_opts */
	struct xf_output out;
	enum xf_sink_state state;
	bool truncate; /* xf_sink__begin() empties the existing file */
	bool created;  /* xf_sink__free() removes the file before xf_sink__begin() */

	size_t start, end;  /* of the pending bytes in buffer */
	unsigned int line;  /* index of the first mark, modulo LINES_MAX */
	unsigned int lines; /* pending */
	size_t line_done;   /* bytes of the first pending line that the output already took */
	struct counts *counts;
	unsigned int sources;
	struct mark marks[LINES_MAX];
	char buffer[BUFFER_SIZE];
};

static const char *name_of(const struct xf_sink *sink)
{
	return sink->path ? sink->path : "standard output";
}

int xf_sink__sources(struct xf_sink *sink, unsigned int n)
{
	struct counts *grown;

	if (n <= sink->sources)
		return 0;
	if (n > UINT16_MAX + 1)
		return -E2BIG;
	grown = reallocarray(sink->counts, n, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	memset(grown + sink->sources, 0, (n - sink->sources) * sizeof(*grown));
	sink->counts = grown;
	sink->sources = n;
	return 0;
}

void xf_sink__reset(struct xf_sink *sink, unsigned int source)
{
	sink->counts[source] = (struct counts) { 0, 0 };
}

int xf_sink__open(struct xf_sink **out, const struct xf_sink_opts *opts)
{
	struct xf_sink *sink = calloc(1, sizeof(*sink));
	int err = -ENOMEM;

	if (!sink)
		goto out_memory;
	sink->out.fd = -1;
	if (xf_sink__sources(sink, 1))
		goto out_memory;
	sink->hint = opts->hint;
	if (opts->path) {
		sink->path = strdup(opts->path);
		if (!sink->path)
			goto out_memory;
		err = xf_output_open_path(&sink->out, sink->path, opts->append, opts->force,
					  &sink->created);
		sink->truncate = opts->force && !opts->append && !sink->created;
	} else {
		err = xf_output_open_stdout(&sink->out, sink->hint);
	}
	if (err) {
		xf_sink__free(sink);
		return err;
	}
	*out = sink;
	return 0;

out_memory:
	xf_err("cannot set up the output buffer: %s", strerror(ENOMEM));
	xf_sink__free(sink);
	return err;
}

void xf_sink__begin(struct xf_sink *sink)
{
	if (sink->truncate && sink->out.kind == XF_STREAM_FILE && ftruncate(sink->out.fd, 0))
		xf_warn("cannot empty %s: %s", sink->path, strerror(errno));
	sink->truncate = false;
	sink->created = false;
}

/* Remove the empty file of a start that failed, since the next start would refuse to overwrite it.
 */
static void remove_created(const struct xf_sink *sink)
{
	struct stat ours, there;

	if (sink->created && sink->out.fd >= 0 && !fstat(sink->out.fd, &ours) &&
	    S_ISREG(ours.st_mode) && !ours.st_size && !stat(sink->path, &there) &&
	    there.st_ino == ours.st_ino && there.st_dev == ours.st_dev)
		unlink(sink->path);
}

void xf_sink__free(struct xf_sink *sink)
{
	if (!sink)
		return;
	remove_created(sink);
	if (sink->out.own && sink->out.fd >= 0)
		close(sink->out.fd);
	free(sink->path);
	free(sink->counts);
	free(sink);
}

size_t xf_sink__pending(const struct xf_sink *sink)
{
	return sink->end - sink->start;
}

char *xf_sink__room(struct xf_sink *sink, size_t max)
{
	size_t pending = xf_sink__pending(sink);

	if (sink->lines == LINES_MAX)
		return NULL;
	if (sizeof(sink->buffer) - sink->end < max) {
		/* A move frees at least as many bytes as it copies. */
		if (pending > sizeof(sink->buffer) / 2)
			return NULL;
		memmove(sink->buffer, sink->buffer + sink->start, pending);
		sink->start = 0;
		sink->end = pending;
	}
	return sink->buffer + sink->end;
}

void xf_sink__put(struct xf_sink *sink, size_t len, unsigned int source)
{
	struct mark *mark = &sink->marks[(sink->line + sink->lines) % LINES_MAX];

	mark->len = len;
	mark->source = source;
	sink->lines++;
	sink->counts[source].put++;
	sink->end += len;
}

/* The output took the next @n bytes. */
static void take(struct xf_sink *sink, size_t n)
{
	sink->start += n;
	if (sink->start == sink->end)
		sink->start = sink->end = 0;
	n += sink->line_done;
	while (sink->lines && n >= sink->marks[sink->line].len) {
		n -= sink->marks[sink->line].len;
		sink->counts[sink->marks[sink->line].source].taken++;
		sink->line = (sink->line + 1) % LINES_MAX;
		sink->lines--;
	}
	sink->line_done = n;
}

static void hint_write(const struct xf_sink *sink, int err)
{
	if (err == ENOSPC || err == EDQUOT)
		xf_hint("%s", sink->hint
				  ?: "free some space or name a file elsewhere with --write; "
				     "--sample and --rate write less");
	else if (err == EFBIG)
		xf_hint(
		    "the file is as large as it may get (ulimit -f, or the file system's limit)");
}

static void fail(struct xf_sink *sink, int err)
{
	if (err == EPIPE || (sink->out.kind == XF_STREAM_SOCKET && err == ECONNRESET)) {
		sink->state = XF_SINK_CLOSED;
		return;
	}
	sink->state = XF_SINK_FAILED;
	xf_err("cannot write to %s: %s", name_of(sink), strerror(err));
	hint_write(sink, err);
}

enum xf_sink_state xf_sink__flush(struct xf_sink *sink)
{
	while (sink->state == XF_SINK_OK && sink->out.fd >= 0 && xf_sink__pending(sink)) {
		ssize_t n = xf_stream_write(sink->out.fd, sink->out.kind,
					    sink->buffer + sink->start, xf_sink__pending(sink));

		if (n > 0)
			take(sink, n);
		else if (n == 0 || errno == EAGAIN)
			break;
		else if (errno != EINTR)
			fail(sink, errno);
	}
	return sink->state;
}

/* Flush all lines; gives up when the output took nothing for @timeout_ms. */
static void drain(struct xf_sink *sink, int timeout_ms)
{
	struct pollfd ready = { .fd = sink->out.fd, .events = POLLOUT };
	uint64_t deadline = xf_now_ns(CLOCK_MONOTONIC) + timeout_ms * XF_MSEC;
	size_t before = xf_sink__pending(sink);

	while (xf_sink__flush(sink) == XF_SINK_OK && xf_sink__pending(sink)) {
		uint64_t now = xf_now_ns(CLOCK_MONOTONIC);

		if (xf_sink__pending(sink) < before) {
			before = xf_sink__pending(sink);
			deadline = now + timeout_ms * XF_MSEC;
		}
		if (now >= deadline) {
			xf_warn("%s takes no more: the last %u lines were not written",
				name_of(sink), sink->lines);
			return;
		}
		poll(&ready, 1, (deadline - now - 1) / XF_MSEC + 1);
	}
}

/* Remove the part of a line that a full disk left at the end of our file. */
static void cut_back(struct xf_sink *sink)
{
	struct stat st;
	off_t at;

	if (!sink->line_done || sink->out.kind != XF_STREAM_FILE || !sink->out.own)
		return;
	at = lseek(sink->out.fd, 0, SEEK_CUR);
	if (at < 0 || fstat(sink->out.fd, &st) || !S_ISREG(st.st_mode))
		return;
	if (st.st_size != at)
		return; /* another process has written behind it */
	if (ftruncate(sink->out.fd, at - sink->line_done))
		xf_warn("%s ends in the middle of a line, and cutting it off failed: %s",
			sink->path, strerror(errno));
}

/* Close the output; of stdout, which stays open, a duplicate: network file systems report the
 * errors of earlier writes when any descriptor is closed. Returns 0, or -errno after a message. */
static int close_output(const struct xf_sink *sink, const struct xf_output *out)
{
	int fd = out->own ? out->fd : fcntl(out->fd, F_DUPFD_CLOEXEC, 3);
	int err;

	if (fd < 0 || close(fd) == 0 || errno == EINTR)
		return 0;
	err = -errno;
	xf_err("closing %s failed: %s; its last lines may be missing", name_of(sink),
	       strerror(-err));
	hint_write(sink, -err);
	return err;
}

enum xf_sink_state xf_sink__finish(struct xf_sink *sink, int timeout_ms)
{
	if (sink->out.fd < 0)
		return sink->state;
	drain(sink, timeout_ms);
	cut_back(sink);
	if (close_output(sink, &sink->out) && sink->state == XF_SINK_OK)
		sink->state = XF_SINK_FAILED;
	sink->out.fd = -1;
	return sink->state;
}

uint64_t xf_sink__revive(struct xf_sink *sink)
{
	uint64_t dropped = sink->lines;

	cut_back(sink);
	for (unsigned int i = 0; i < sink->sources; i++)
		sink->counts[i].put = sink->counts[i].taken;
	sink->lines = 0;
	sink->start = sink->end = 0;
	sink->line_done = 0;
	sink->state = XF_SINK_OK;
	return dropped;
}

enum xf_sink_state xf_sink__state(const struct xf_sink *sink)
{
	return sink->state;
}

int xf_sink__fd(const struct xf_sink *sink)
{
	return sink->out.pollable ? sink->out.fd : -1;
}

uint64_t xf_sink__taken(const struct xf_sink *sink, unsigned int source)
{
	return sink->counts[source].taken;
}

uint64_t xf_sink__untaken(const struct xf_sink *sink, unsigned int source)
{
	return sink->counts[source].put - sink->counts[source].taken;
}

int xf_sink__reopen(struct xf_sink *sink)
{
	struct xf_output old = sink->out;
	bool created;
	int err;

	if (!sink->path)
		return 0;
	if (xf_sink__flush(sink) != XF_SINK_OK)
		return sink->state == XF_SINK_CLOSED ? -EPIPE : -EIO;
	if (sink->line_done) {
		xf_err("cannot reopen %s now: its reader has taken half a line and no more",
		       sink->path);
		xf_hint("send SIGHUP again when it reads on");
		return -EAGAIN;
	}
	err = xf_output_open_path(&sink->out, sink->path, true, false, &created);
	if (err) {
		xf_warn("the file that was %s stays in use", sink->path);
		return err;
	}
	close_output(sink, &old);
	return 0;
}
