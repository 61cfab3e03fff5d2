// SPDX-License-Identifier: GPL-2.0-only
/* Messages to the user, each written to stderr by one write() so that messages of several processes
 * do not mix. */
#include "lib/msg.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/escape.h"
#include "lib/stream.h"

#define PROG "xdpfun-load: "
#define PREFIX_MAX 64

static enum xf_level level = XF_NORMAL;

/* stderr while waiting for its reader is limited. */
static struct {
	_Atomic int timeout_ms; /* -1: no limit, and this struct is not in use */
	int fd;			/* -1: not open */
	enum xf_stream kind;
	pthread_mutex_t lock; /* for the fields below, and to write one message after the other */
	uint64_t dropped;     /* messages, not reported yet */
	bool torn;	      /* the last message was written in part */
} timed = { .timeout_ms = -1, .fd = -1, .lock = PTHREAD_MUTEX_INITIALIZER };

void xf_msg_level_set(enum xf_level to)
{
	level = to;
}

enum xf_level xf_msg_level(void)
{
	return level;
}

void xf_msg_timeout(int ms)
{
	timed.timeout_ms = ms;
	if (ms >= 0 && timed.fd < 0) {
		timed.fd = xf_stream_open(STDERR_FILENO, &timed.kind);
	} else if (ms < 0) {
		if (timed.fd >= 0 && timed.kind == XF_STREAM_OWN)
			close(timed.fd);
		timed.fd = -1;
	}
}

/* Write @line within the limit. A pipe takes all of PIPE_BUF bytes or nothing; other outputs may
 * take a part. Returns whether all of it was written. */
static bool write_in_time(const char *line, size_t len)
{
	struct pollfd ready = { .fd = timed.fd, .events = POLLOUT };
	ssize_t n = xf_stream_write(timed.fd, timed.kind, line, len);

	if (n < 0 && errno == EAGAIN && timed.timeout_ms && poll(&ready, 1, timed.timeout_ms) > 0)
		n = xf_stream_write(timed.fd, timed.kind, line, len);
	if (n > 0)
		timed.torn = (size_t)n < len;
	return n >= 0 && (size_t)n == len;
}

static bool write_dropped(void)
{
	char line[128];
	int len =
	    snprintf(line, sizeof(line),
		     "%s" PROG "warning: %llu message%s dropped: standard error took no more\n",
		     timed.torn ? "\n" : "", (unsigned long long)timed.dropped,
		     timed.dropped > 1 ? "s were" : " was");

	return write_in_time(line, len);
}

static void say_in_time(const char *line, size_t len)
{
	pthread_mutex_lock(&timed.lock);
	if (timed.dropped && write_dropped())
		timed.dropped = 0;
	if (timed.dropped || !write_in_time(line, len))
		timed.dropped++;
	pthread_mutex_unlock(&timed.lock);
}

/* The formatted text, escaped but for the bytes of @keep. Returns memory for the caller to free, or
 * NULL when there is none. */
static char *escaped(const char *fmt, va_list args, const char *keep, size_t *len)
{
	char *raw, *text = NULL;
	int n = vasprintf(&raw, fmt, args);

	if (n < 0)
		return NULL;
	text = malloc(XF_ESCAPED_MAX((size_t)n) + 1);
	if (text)
		*len = xf_escape(text, raw, n, keep) - text;
	free(raw);
	return text;
}

/* Print a message that does not fit into one write: all of it, in pieces. */
static void say_long(const char *prefix, const char *fmt, va_list args)
{
	size_t len = 0;
	char *text = escaped(fmt, args, "", &len);

	if (!text)
		return;
	flockfile(stderr);
	fputs(prefix, stderr);
	fwrite(text, 1, len, stderr);
	fputc('\n', stderr);
	funlockfile(stderr);
	free(text);
}

/* The usual message needs no memory but the stack's: it may be about a lack of memory. */
static void say(const char *prefix, const char *fmt, va_list args)
{
	char raw[PIPE_BUF], line[XF_ESCAPED_MAX(PIPE_BUF) + PREFIX_MAX];
	size_t at = strlen(prefix);
	va_list again;
	bool too_long;
	int len;

	va_copy(again, args);
	len = vsnprintf(raw, sizeof(raw), fmt, args);
	memcpy(line, prefix, at);
	at = xf_escape(line + at, raw, len > 0 ? strlen(raw) : 0, "") - line;
	too_long = len >= (int)sizeof(raw) || at + 1 >= PIPE_BUF;
	if (too_long) /* cut where it has to be one write */
		at = at < PIPE_BUF ? at : PIPE_BUF - 1;
	line[at++] = '\n';
	if (timed.timeout_ms >= 0)
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

void xf_print(const char *fmt, ...)
{
	size_t len = 0;
	va_list args;
	char *text;

	va_start(args, fmt);
	text = escaped(fmt, args, "\n", &len);
	va_end(args);
	if (!text)
		xf_err("cannot print: %s", strerror(ENOMEM));
	else
		fwrite(text, 1, len, stdout);
	free(text);
}

void xf_quote(const char *fmt, ...)
{
	size_t len = 0;
	va_list args;
	char *text;

	va_start(args, fmt);
	text = escaped(fmt, args, "\n\t", &len);
	va_end(args);
	if (text)
		fwrite(text, 1, len, stderr);
	free(text);
}
