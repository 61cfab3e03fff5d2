/* SPDX-License-Identifier: GPL-2.0-only */
/* Turn the report of a connection into a line of the access log, and counters into text. Pure: no
 * I/O, no clock, no allocation. */
#ifndef XF_ACCESS_FORMAT_H
#define XF_ACCESS_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

#include "loader/format/format.h"
#include "sockmap/server/server.h"

struct xf_access_line {
	const struct xf_report *report;
	const char *engine; /* NULL: no engine moved a byte */
	const char *end;    /* how it ended, in words */
	bool echo; /* the bytes that the report counts as to_upstream went back to the client */
};

/* Write at most XF_OUT_MAX bytes to @out. Returns their end. */
typedef char *(*xf_access_fn)(const struct xf_access_line *line, char *out);

/* Write a line of text, with the local date and time of the accept. */
char *xf_access_text(const struct xf_access_line *line, char *out);
/* Write one JSON object, with the time of the accept in UTC (RFC 3339, nanoseconds). Keys that do
 * not apply are absent. */
char *xf_access_json(const struct xf_access_line *line, char *out);

#define XF_ACCESS_TOTALS_TEXT 2048 /* room for the text with every outcome */

/* The counters of all servers of a process, as "accepted 12, closed 10, ..., lost log lines 0":
 * each outcome that there was, by its name in @outcomes (XF_OUTCOMES of them). With now set the
 * text begins with the present connections. It ends in NUL, also when it was cut. Returns @out. */
struct xf_access_totals {
	struct xf_server_counters counters;
	uint64_t lost_lines;
	bool echo;
	bool log; /* there is an access log, which can lose lines */
	bool now;
};
char *xf_access_totals_text(const struct xf_access_totals *totals, const char *const *outcomes,
			    char *out, size_t size);

/* Add the counters of one server. */
void xf_access_totals_add(struct xf_access_totals *totals,
			  const struct xf_server_counters *counters);

#endif
