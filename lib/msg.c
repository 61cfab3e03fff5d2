// SPDX-License-Identifier: GPL-2.0-only
/* Messages to the user, each written to stderr in one piece so that those of several processes do
 * not mix. */
#include "msg.h"

#include <stdio.h>
#include <string.h>

#define PROG "xdpfun-load: "

static enum xf_level level = XF_NORMAL;

void xf_msg_level_set(enum xf_level to)
{
	level = to;
}

enum xf_level xf_msg_level(void)
{
	return level;
}

static void say(const char *prefix, const char *fmt, va_list args)
{
	char line[4096];
	size_t at = strlen(prefix);
	va_list again;
	int len;

	va_copy(again, args);
	memcpy(line, prefix, at);
	len = vsnprintf(line + at, sizeof(line) - at, fmt, args);
	if (len >= 0 && at + len + 1 < sizeof(line)) {
		at += len;
		line[at++] = '\n';
		fwrite(line, 1, at, stderr);
	} else {
		/* Longer than any message of ours: a verifier's log, say. Whole matters more than
		 * in one piece. */
		flockfile(stderr);
		fputs(prefix, stderr);
		vfprintf(stderr, fmt, again);
		fputc('\n', stderr);
		funlockfile(stderr);
	}
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
