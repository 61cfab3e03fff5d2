/* SPDX-License-Identifier: GPL-2.0-only */
/* One connection of echo or forward to the bytes of one line of the access log, and counters to
 * theirs. Pure: no I/O, no clock, no allocation. */
#ifndef XF_OUT_ACCESS_H
#define XF_OUT_ACCESS_H

#include <stdbool.h>
#include <stddef.h>

#include "loader/format/format.h"
#include "sockmap/server/server.h"

struct xf_access_line {
	const struct xf_report *report;
	const char *engine; /* NULL: no byte was moved by any */
	const char *end;    /* how it ended, in words */
	bool echo; /* what the report counts towards the upstream went back to the client */
};

/* Writes at most XF_OUT_MAX bytes to @out and returns the end. */
typedef char *(*xf_access_fn)(const struct xf_access_line *line, char *out);

/* Local time of the accept. */
char *xf_access_text(const struct xf_access_line *line, char *out);
/* One JSON object; RFC 3339 time of the accept in UTC with nanoseconds. Keys that do not apply are
 * absent. */
char *xf_access_json(const struct xf_access_line *line, char *out);

/* What all servers of a process counted, as "accepted 12, closed 10, ..., lost log lines 0": every
 * outcome that there was, by its name in @outcomes (XF_OUTCOMES of them). With @now also how many
 * connections there are now. Ends in NUL, also when it did not fit. Returns @out. */
struct xf_access_totals {
	struct xf_server_counters counters;
	uint64_t lost_lines;
	bool echo;
	bool log; /* there is an access log, so that lines can be lost */
	bool now;
};
char *xf_access_totals_text(const struct xf_access_totals *totals, const char *const *outcomes,
			    char *out, size_t size);

/* Sum up. */
void xf_access_totals_add(struct xf_access_totals *totals,
			  const struct xf_server_counters *counters);

#endif
