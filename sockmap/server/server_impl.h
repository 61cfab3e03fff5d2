/* SPDX-License-Identifier: GPL-2.0-only */
/* The inside of a server: one connection goes from listener.c through first.c (where the routes
 * want its first packet) and dial.c to the relay, and ends in conn.c. */
#ifndef XF_SERVER_IMPL_H
#define XF_SERVER_IMPL_H

#include "sockmap/server/failures.h"
#include "lib/ratelimit.h"
#include "lib/loop.h"
#include "sockmap/route/routes.h"
#include "sockmap/server/server.h"

enum xf_phase {
	XF_PHASE_FIRST,
	XF_PHASE_DIAL,
	XF_PHASE_RELAY,
};

/* Connections in the order in which they began to wait. */
struct xf_queue {
	struct xf_conn *longest, *shortest;
	unsigned int n;
};

struct xf_conn {
	struct xf_server *server;
	struct xf_conn *prev, *next; /* in xf_server.conns */
	enum xf_phase phase;
	int fd;			  /* the client's; the relay's in its phase */
	struct xf_watch client;	  /* on fd, from when there is something to wait for */
	struct xf_watch upstream; /* while dialling */
	struct xf_timer timer;	  /* first packet, then dial */
	uint64_t accepted;	  /* ns, CLOCK_MONOTONIC */
	struct timespec started;
	struct xf_addr peer, local;

	/* Among those that wait: NULL, none of them, and its neighbours. */
	struct xf_queue *queue;
	struct xf_conn *longer, *shorter;
	uint64_t since; /* it waits there, ns */

	/* The first packet. */
	uint8_t *data;
	size_t len, room;

	/* What was decided. */
	struct xf_routes *routes; /* a reference: route points into it */
	const struct xf_route *route;
	struct xf_addr src, dst; /* the client's own; where it wanted to go */
	uint8_t *prefix;	 /* for the upstream */
	size_t prefix_len, uncounted;

	/* The dial. */
	const struct xf_addr *upstreams; /* of route, or dst */
	unsigned int n_upstreams;
	unsigned int first_choice;
	unsigned int tries;	     /* twice n_upstreams: all were looked at */
	uint64_t skipped;	     /* bit i: the one i places behind first_choice failed lately */
	const struct xf_addr *tried; /* the last one; NULL: none */
	int error;		     /* of the last one */

	uint64_t reserved; /* of --memory, until a relay has its own */
	struct xf_relay *relay;
};

/* Two routes that share a place have an uneven turn. */
#define XF_TURNS 1024

struct xf_server {
	struct xf_loop *loop;
	struct xf_mover *mover;
	struct xf_server_opts opts;
	struct xf_addr address;
	bool any_address; /* listens on all: each connection is asked where it came to */

	struct xf_watch listener;
	int listen_fd; /* -1: drained */
	int spare;     /* a descriptor to refuse with when there is none left; -1: it is gone */
	struct xf_timer pause; /* nothing can be accepted: until then the listener is left alone */
	struct xf_ratelimit rare_fds, rare_max, rare_memory, rare_failed, rare_accept, rare_ports;

	struct xf_conn *conns;	      /* all */
	struct xf_queue first, dials; /* waiting for a first packet, and for an upstream */
	uint64_t grace_at;	      /* ns: those that waited began to have a moment's grace */
	struct xf_server_counters counters;

	struct xf_failures failures;
	struct xf_ratelimit rare_named; /* dials to where PROXY headers wanted to go */
	unsigned int turns[XF_TURNS];	/* round robin, by xf_route.index */

	uint8_t scratch[XF_FIRST_MAX]; /* what was read of a first packet goes here first */
};

/* ---- listener.c ---- */

int xf_listener__open(struct xf_server *server);
int xf_listener__start(struct xf_server *server);
/* What has come in so far is accepted. */
void xf_listener__close(struct xf_server *server);
/* This process or the machine is out of descriptors: counts and warns. */
void xf_out_of_fds(struct xf_server *server, int err);

/* ---- conn.c ---- */

void xf_conn__new(struct xf_server *server, int fd, const struct xf_addr *peer);
/* Go on as the routes say. @data may be xf_conn.data or go away afterwards, and the connection may
 * end. */
void xf_conn__decided(struct xf_conn *conn, const struct xf_decision *decision, const uint8_t *data,
		      size_t len);
/* Both sockets to the relay, @upstream -1 for an echo. */
void xf_conn__relay(struct xf_conn *conn, int upstream);
/* Before the relay: close, report, free. */
void xf_conn__end(struct xf_conn *conn, enum xf_outcome outcome, int err);
/* The same when something was lacking here, memory or descriptors say: counts and warns as well. */
void xf_conn__failed(struct xf_conn *conn, int err);
/* In any phase. */
void xf_conn__abort(struct xf_conn *conn, enum xf_outcome outcome);

/* ---- waiting.c ---- */

/* From now on it waits in this queue and in no other. */
void xf_waiting__enter(struct xf_conn *conn, struct xf_queue *queue);
/* It waits no longer; fine when it does not. */
void xf_waiting__leave(struct xf_conn *conn);
/* It has to wait: reserve what its client may send meanwhile. The connection that has waited
 * longest is ended when there is no room. False: there is none all the same. */
bool xf_waiting__admit(struct xf_conn *conn);
/* One more is to wait for its first packet: beyond --max-waiting the connection that has waited
 * longest is ended. */
void xf_waiting__make_place(struct xf_server *server);
/* No more can wait, and those that do have only just come: nothing is to be accepted for a moment.
 * That is no more than a small part of the time. */
bool xf_waiting__holds_back(struct xf_server *server);

/* ---- first.c ---- */

/* Read until the routes can decide. */
void xf_first__begin(struct xf_conn *conn);
/* Read what has come and was not looked at yet; the connection may end. */
void xf_first__read(struct xf_conn *conn);

/* ---- dial.c ---- */

/* Dial conn->upstreams, one after the other. */
void xf_dial__begin(struct xf_conn *conn);

/* ---- upstream.c ---- */

/* The next one to dial, NULL when each was tried once. */
const struct xf_addr *xf_upstream__next(struct xf_conn *conn);
/* conn->tried could not be dialled: avoid it for a while, warn. */
void xf_upstream__failed(struct xf_conn *conn, int err);
void xf_upstream__worked(struct xf_conn *conn);

#endif
