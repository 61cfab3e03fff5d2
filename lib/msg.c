// SPDX-License-Identifier: GPL-2.0-only
/* Messages to the user, each written to stderr in one piece so that those of several processes do
 * not mix. */
#include "lib/msg.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/stream.h"

#define PROG "xdpfun-load: "

static enum xf_level level = XF_NORMAL;

/* stderr for those who may not wait as long as it takes. */
static struct {
	_Atomic int patience; /* ms, -1: not in use */
	int fd;		      /* -1: not open */
	enum xf_stream kind;
	pthread_mutex_t lock; /* for all below, and to write one after the other */
	uint64_t dropped;     /* messages, since it was last said */
	bool torn;	      /* the last one was taken in part */
} quick = { .patience = -1, .fd = -1, .lock = PTHREAD_MUTEX_INITIALIZER };

void xf_msg_level_set(enum xf_level to)
{
	level = to;
}

enum xf_level xf_msg_level(void)
{
	return level;
}

void xf_msg_patience(int ms)
{
	quick.patience = ms;
	if (ms >= 0 && quick.fd < 0) {
		quick.fd = xf_stream_open(STDERR_FILENO, &quick.kind);
	} else if (ms < 0) {
		if (quick.fd >= 0 && quick.kind == XF_STREAM_OWN)
			close(quick.fd);
		quick.fd = -1;
	}
}

/* Write @line, or nothing of it where the output allows: a pipe takes PIPE_BUF bytes whole. */
static bool write_in_time(const char *line, size_t len)
{
	struct pollfd ready = { .fd = quick.fd, .events = POLLOUT };
	ssize_t n = xf_stream_write(quick.fd, quick.kind, line, len);

	if (n < 0 && errno == EAGAIN && quick.patience && poll(&ready, 1, quick.patience) > 0)
		n = xf_stream_write(quick.fd, quick.kind, line, len);
	if (n > 0)
		quick.torn = (size_t)n < len;
	return n >= 0 && (size_t)n == len;
}

static bool write_dropped(void)
{
	char line[128];
	int len =
	    snprintf(line, sizeof(line),
		     "%s" PROG "warning: %llu message%s dropped: standard error took no more\n",
		     quick.torn ? "\n" : "", (unsigned long long)quick.dropped,
		     quick.dropped > 1 ? "s were" : " was");

	return write_in_time(line, len);
}

static void say_in_time(const char *line, size_t len)
{
	pthread_mutex_lock(&quick.lock);
	if (quick.dropped && write_dropped())
		quick.dropped = 0;
	if (quick.dropped || !write_in_time(line, len))
		quick.dropped++;
	pthread_mutex_unlock(&quick.lock);
}

/* Longer than any message of ours: a verifier's log, say. Whole matters more than in one piece. */
static void say_long(const char *prefix, const char *fmt, va_list args)
{
	flockfile(stderr);
	fputs(prefix, stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	funlockfile(stderr);
}

static void say(const char *prefix, const char *fmt, va_list args)
{
	size_t at = strlen(prefix);
	char line[PIPE_BUF];
	va_list again;
	bool too_long;
	int len;

	va_copy(again, args);
	memcpy(line, prefix, at);
	len = vsnprintf(line + at, sizeof(line) - at, fmt, args);
	at += len > 0 ? len : 0;
	too_long = at + 1 >= sizeof(line);
	if (too_long) /* cut off where it has to be one write */
		at = sizeof(line) - 1;
	line[at++] = '\n';
	if (quick.patience >= 0)
		say_in_time(line, at);
	else if (too_long)
		say_long(prefix, fmt, again);
	else
		fwrite(line, 1, at, stderr);
	va_end(again);
}

void xf_err(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(PROG "error: ", fmt, args);
	va_end(args);
}

void xf_warn(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(PROG "warning: ", fmt, args);
	va_end(args);
}

void xf_hint(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(PROG "hint: ", fmt, args);
	va_end(args);
}

void xf_info(const char *fmt, ...)
{
	va_list args;

	if (level < XF_NORMAL)
		return;
	va_start(args, fmt);
	say(PROG, fmt, args);
	va_end(args);
}

void xf_debug(const char *fmt, ...)
{
	va_list args;

	if (level < XF_VERBOSE)
		return;
	va_start(args, fmt);
	say(PROG, fmt, args);
	va_end(args);
}

void xf_result(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say("", fmt, args);
	va_end(args);
}
