/* SPDX-License-Identifier: GPL-2.0-only */
/* Read the rings of several interfaces and write lines, until something ends it. What log,
 * follow and firewall log share. */
#ifndef XF_SESSION_H
#define XF_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "loader/format/format.h"
#include "lib/sink.h"
#include "loader/log/source.h"

struct xf_session_opts {
	xf_out_fn format;
	/* Adds to a line what its record alone does not tell; NULL: there is nothing to add. */
	void (*explain)(void *arg, struct xf_line *line);
	void *explain_arg;
	const char *unload; /* the command that removes a program from an interface */
	struct xf_sink_opts sink;
	uint64_t count;	      /* lines over all interfaces; 0: no limit */
	uint64_t duration_ns; /* 0: no limit */
	uint64_t stats_ns;    /* interval of counters on stderr; 0: none */
	bool end_is_failure;  /* status 1 when no interface is left (log), not 0 (follow) */
};

struct xf_session;

/* Block the signals that end a session, so that none is lost before xf_session__run() waits for
 * them. Open the output and the clock. Returns 0, or -errno after a message. */
int xf_session__open(struct xf_session **session, const struct xf_session_opts *opts);
void xf_session__free(struct xf_session *session);

/* A source that is already logging; the session does not own it, and it must stay where it is. A
 * ring that was left by a dead reader is printed when @print_left, else its records count as
 * unread. Returns 0, or -errno after a message. */
int xf_session__add(struct xf_session *session, struct xf_source *src, bool print_left);

/* The session's event loop, for what else is to run in its thread. */
struct xf_loop *xf_session__loop(struct xf_session *session);

/* Run until a signal, the count, the duration, the end of the output or of all sources; then end
 * all sources, drain their rings, finish the output and print one line of counters for each.
 * Returns the exit status. */
int xf_session__run(struct xf_session *session);

#endif
