/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages to the user: every line goes to stderr and starts with the name of the program. And
 * results to stdout. In all of them text from outside is escaped (lib/escape.h), so the callers
 * need not think of it; and what is printed otherwise has no such text. */
#ifndef XF_MSG_H
#define XF_MSG_H

#include <stdarg.h>

enum xf_level {
	XF_QUIET = -1, /* -q: errors and warnings only */
	XF_NORMAL = 0,
	XF_VERBOSE = 1, /* -v: also the messages of libraries */
};

/* The level is the one piece of state the whole process shares. Default XF_NORMAL. */
void xf_msg_level_set(enum xf_level level);
enum xf_level xf_msg_level(void);

/* Limit how long a message waits for the reader of stderr, ms: -1, the default, has no limit; 0,
 * for threads that must not block, never waits. A message that would take longer is dropped, and
 * the next one that is written follows a line with the number of dropped ones. The first limit
 * opens stderr anew, so set it before privileges are given up, and do not go back to -1 while other
 * threads write. */
void xf_msg_timeout(int ms);

#define XF_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* "xdpfun-load: error: ...". Always printed. */
void xf_err(const char *fmt, ...) XF_PRINTF(1, 2);
/* "xdpfun-load: warning: ...". Always printed. */
void xf_warn(const char *fmt, ...) XF_PRINTF(1, 2);
/* "xdpfun-load: hint: ...": what to do about the error or warning before it. Always printed. */
void xf_hint(const char *fmt, ...) XF_PRINTF(1, 2);
/* "xdpfun-load: ...". Not with -q. */
void xf_info(const char *fmt, ...) XF_PRINTF(1, 2);
/* Only with -v. */
void xf_debug(const char *fmt, ...) XF_PRINTF(1, 2);
/* A line that is a result and not a message (the counters at exit): no prefix, at every level. */
void xf_result(const char *fmt, ...) XF_PRINTF(1, 2);
/* To stdout: tables and lists. Newlines stay. */
void xf_print(const char *fmt, ...) XF_PRINTF(1, 2);
/* To stderr, without a prefix: text that a library made. Newlines and tabs stay. */
void xf_quote(const char *fmt, ...) XF_PRINTF(1, 2);

#endif
