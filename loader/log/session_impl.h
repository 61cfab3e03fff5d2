/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the parts of a session: session.c waits, session_lines.c turns records into lines and
 * counts them, session_netdevs.c handles changes of the interfaces. */
#ifndef XF_SESSION_IMPL_H
#define XF_SESSION_IMPL_H

#include "lib/time.h"
#include "lib/loop.h"
#include "loader/hook/netdev.h"
#include "loader/log/clock.h"
#include "loader/log/merge.h"
#include "loader/log/session.h"

enum wait_state {
	WAIT_POLL,  /* POLL_MS; the programs wake the session only for large batches */
	WAIT_CALM,  /* POLL_MS once more, for the records of programs that ran before wake_now
		       was set */
	WAIT_SLEEP, /* until an event */
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
	struct xf_source **sources;
	unsigned int n;
	unsigned int *order; /* indices of sources: begun from the first on, ended from the last */
	bool ordered;	     /* the order is right for the sources that are due */
	struct xf_loop *loop;
	struct xf_watch signals, netdevs, clock_set, output;
	struct xf_timer end, stats;
	struct xf_timer retry;	  /* of a start that another process kept from going on */
	struct xf_timer patience; /* with no source left */
	bool woken;	    /* this turn had an event of the session, not only of other users */
	bool output_wanted; /* output is watched for EPOLLOUT */
	bool output_closed;
	bool busy; /* the rings may have more records */
	bool stop;
	bool running;			/* xf_session__start() is over */
	bool was_live;			/* a source was */
	bool look;			/* an absent interface may be there */
	bool inexact;			/* the counters of a source did not add up */
	bool sources_lost;		/* the session stopped because no source was left */
	uint64_t printed;		/* lines put into the sink */
	uint64_t flushed_ns, packet_ns; /* CLOCK_MONOTONIC: last flush and packet */
	enum wait_state wait;
};

/* session_lines.c */

bool xf_session__count_reached(const struct xf_session *s);
/* Turn records into lines until the rings are empty, the output takes no more, or other events need
 * a turn (s->busy). Returns whether there was a record. */
bool xf_session__drain(struct xf_session *s);
/* Print the records left in the rings, as long as the output takes some at least every XF_FINISH_MS
 * and no further signal comes. */
void xf_session__print_rest(struct xf_session *s);
/* Pass the records left in the rings and count them as unread or lost. */
void xf_session__count_rest(struct xf_session *s);
/* Print a line of counters. Lines that the output has not taken count as lost or unread when
 * @final, else they are left out. */
void xf_session__print_counters(struct xf_session *s, unsigned int source, bool final);

/* The end of a session waits so long for an output that takes nothing. */
#define XF_FINISH_MS 1000

/* session_sources.c */

/* Set s->order so that each interface comes behind those below it. */
void xf_session__order(struct xf_session *s);
/* Let a source be started in one of the next turns. */
void xf_session__due(struct xf_session *s, struct xf_source *src);
/* Whether a source is to be started now. */
bool xf_session__has_due(const struct xf_session *s);
/* Start all sources that are due, or none. Returns 0, or -errno after a message. */
int xf_session__start_all(struct xf_session *s);
/* Start one source that is due. */
void xf_session__start_due(struct xf_session *s);
/* Print the counters of each source that has ended and whose lines the output has all taken. */
void xf_session__report_ended(struct xf_session *s);
/* Close the source's program and rings. */
void xf_session__leave(struct xf_session *s, unsigned int source);
/* Whether anything is left to read, or to wait for; else the session stops. */
void xf_session__check_left(struct xf_session *s);
/* A message's text for the end of a source. */
const char *xf_session__outlook(const struct xf_session *s, const struct xf_source *src);

#define XF_PATIENCE_S 10 /* so long a session waits when all its interfaces are gone */

/* session_find.c */

/* Look for the interfaces that are absent, by their names. */
void xf_session__look_for_absent(struct xf_session *s);
/* An interface is there: with opts.any it is due, unless it is known. */
void xf_session__see(struct xf_session *s, const struct xf_netdev_event *event);
/* session_netdevs.c */

/* Read netlink notifications: end the sources whose program or netdev is gone, and note those that
 * are there. */
void xf_session__read_netdevs(struct xf_session *s);

#endif
