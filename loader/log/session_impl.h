/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parts of a session share: session.c waits, session_lines.c turns records into lines and
 * counts them, session_netdevs.c follows what happens to the interfaces. */
#ifndef XF_SESSION_IMPL_H
#define XF_SESSION_IMPL_H

#include "lib/time.h"
#include "lib/loop.h"
#include "loader/log/clock.h"
#include "loader/log/merge.h"
#include "loader/log/session.h"

enum wait_state {
	WAIT_POLL,  /* look at the rings every POLL_MS; the programs wake us only for large batches
		     */
	WAIT_CALM,  /* the programs have been told to wake us; one more look, for those that ran
		       before that */
	WAIT_SLEEP, /* until somebody wakes us */
};

struct xf_ring_watch {
	struct xf_watch watch;
	struct xf_session *session;
};

struct xf_session {
	struct xf_session_opts opts;
	struct xf_sink *sink;
	struct xf_clock clock;
	struct xf_out_cache cache;
	struct xf_merge merge;
	struct xf_source *sources[XF_SINK_SOURCES];
	unsigned int n;
	struct xf_ring_watch *rings[XF_SINK_SOURCES]; /* one for each ring of the source */
	struct xf_loop *loop;
	struct xf_watch signals, netdevs, clock_set, output;
	struct xf_timer end, stats;
	bool woken;	    /* this turn had an event of the session's, not of a guest's only */
	bool output_wanted; /* output is watched for EPOLLOUT, too */
	bool output_closed;
	bool busy; /* the rings were not empty when we left them */
	bool stop;
	bool sources_lost;		/* it stopped because none was left */
	uint64_t printed;		/* lines put into the sink */
	uint64_t flushed_ns, packet_ns; /* CLOCK_MONOTONIC: last flush and packet */
	enum wait_state wait;
};

/* session_lines.c */

bool xf_session__count_reached(const struct xf_session *s);
/* Read until the rings are empty, the output takes no more, or it is time to look at other things
 * (s->busy). Returns whether there was anything. */
bool xf_session__drain(struct xf_session *s);
/* Print what the rings still hold, as long as the output takes something at least every
 * XF_FINISH_MS and no further signal asks to end at once. */
void xf_session__print_rest(struct xf_session *s);
/* Take what is left in the rings without printing it. */
void xf_session__drop_rest(struct xf_session *s);
/* One line of counters. @final: lines that the output has not taken are decided; else they are left
 * out. */
void xf_session__print_counters(struct xf_session *s, unsigned int source, bool final);
/* Print the counters of those sources that have ended and whose lines have all been taken. */
void xf_session__report_ended(struct xf_session *s);

#define XF_FINISH_MS 1000 /* how long the end waits for an output that takes nothing */

/* session_netdevs.c */

/* Read netlink notifications, and end the sources whose program or netdev is gone. */
void xf_session__read_netdevs(struct xf_session *s);

#endif
