/* SPDX-License-Identifier: GPL-2.0-only */
/* The state of a server and of its connections, shared by the files of this folder. */
#ifndef XF_SERVER_IMPL_H
#define XF_SERVER_IMPL_H

#include "lib/loop.h"
#include "lib/ratelimit.h"
#include "sockmap/route/routes.h"
#include "sockmap/server/failures.h"
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

#endif
