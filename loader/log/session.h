/* SPDX-License-Identifier: GPL-2.0-only */
/* A session: reads the rings of several interfaces and writes lines, until something ends it. Used
 * by log, follow and firewall log. */
#ifndef XF_SESSION_H
#define XF_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "loader/format/format.h"
#include "lib/sink.h"
#include "loader/log/source.h"

struct xf_session_opts {
	xf_out_fn format;
	/* Completes a line with what is not in its record, or NULL. */
	void (*explain)(void *arg, struct xf_line *line);
	void *explain_arg;
	const char *unload; /* the command that removes a program from an interface */
	struct xf_sink_opts sink;
	uint64_t count;	      /* lines over all interfaces; 0: no limit */
	uint64_t duration_ns; /* 0: no limit */
	uint64_t stats_ns;    /* interval of counters on stderr; 0: none */
	bool end_is_failure;  /* status 1 when no interface is left (log), not 0 (follow) */

	/* The interfaces that are logged beside the named ones. */
	bool any;	 /* all that there are, and those that come */
	bool again;	 /* an interface that was gone is logged again when it is back */
	bool wait;	 /* there is no limit to the wait for one that is gone, or not there yet */
	bool print_left; /* records that a dead reader left are printed, else they are unread */
	const struct xf_abi_mark *abi; /* of the programs' object */
	/* Begin with the interface src->name, src->ifindex: see that a program writes to src's
	 * rings. Returns 0, or -errno after a message. With @waiting a missing program is no error,
	 * and there is no wait for another process: -ENOENT and -EAGAIN come without a message. On
	 * errors the session detaches and closes what is in @src. */
	int (*start)(void *arg, struct xf_source *src, bool waiting);
	/* The program of @src is no longer read. */
	void (*stop)(void *arg, const struct xf_source *src);
	void *arg;
};

struct xf_session;

/* Open a session: its output, its clock and a netlink socket. Blocks the signals that end it, so
 * that none is lost before xf_session__run(). Returns 0, or -errno after a message. */
int xf_session__open(struct xf_session **session, const struct xf_session_opts *opts);
void xf_session__free(struct xf_session *session);

/* Begin with the interfaces that are named and, for opts.any, note all that there are. The names
 * must stay. Returns 0, or -errno after a message when one cannot be logged; then none is. */
int xf_session__start(struct xf_session *session, const char *const *names, unsigned int n);

/* Bytes of all rings. */
uint64_t xf_session__ring_bytes(const struct xf_session *session);

/* The session's event loop, for other users in its thread. */
struct xf_loop *xf_session__loop(struct xf_session *session);

/* Run until a signal, the count, the duration, the end of the output or of all sources; then end
 * all sources, drain their rings, finish the output and print one line of counters for each.
 * Returns the exit status. */
int xf_session__run(struct xf_session *session);

#endif
