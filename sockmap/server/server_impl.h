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

/* Waiting connections, in the order in which they began to wait. */
struct xf_queue {
	struct xf_conn *longest, *shortest;
	unsigned int n;
};

struct xf_conn {
	struct xf_server *server;
	struct xf_conn *prev, *next; /* in xf_server.conns */
	enum xf_phase phase;
	int fd;			  /* the client's socket; owned by the relay in XF_PHASE_RELAY */
	struct xf_watch client;	  /* on fd, while it waits */
	struct xf_watch upstream; /* the dialled socket, while it waits for an answer */
	struct xf_timer timer;	  /* the deadline of the first packet, then of the dial */
	uint64_t accepted;	  /* ns, CLOCK_MONOTONIC */
	struct timespec started;
	struct xf_addr peer, local;

	/* The queue that it waits in, or NULL, and its neighbours there. */
	struct xf_queue *queue;
	struct xf_conn *longer, *shorter;
	uint64_t since; /* when it entered the queue, ns */

	/* The first packet. */
	uint8_t *data;
	size_t len, room;

	/* The decision. */
	struct xf_routes *routes; /* a counted reference; route points into it */
	const struct xf_route *route;
	char *sni, *host, *alpn; /* malloc'd; NULL: none */
	struct xf_addr src, dst; /* of the client, and of what it connected to; from a PROXY header
				    if it sent one */
	uint8_t *prefix;	 /* first bytes for the upstream */
	size_t prefix_len, uncounted;

	/* The dial. */
	const struct xf_addr *upstreams; /* of route, or dst */
	unsigned int n_upstreams;
	unsigned int first_choice;
	unsigned int tries; /* xf_upstream__next() ends at twice n_upstreams */
	uint64_t skipped;   /* bit i: the upstream i places behind first_choice failed lately */
	const struct xf_addr *tried; /* the last one; NULL: none */
	int error;		     /* of the last one */

	uint64_t reserved; /* bytes of --memory, until the relay takes them over */
	struct xf_relay *relay;
	int upstream_fd; /* owned by the relay; -1: an echo */

	/* vanished.c */
	enum xf_outcome lost; /* 0: neither side is */
	uint64_t stuck_at[2]; /* of each side: 1 + bytes that both had acknowledged when an error
				 was seen there; 0: none was */
};

/* Routes that share an entry of xf_server.turns advance each other's turn. */
#define XF_TURNS 1024

/* A listening socket. */
struct xf_listener {
	struct xf_server *server;
	struct xf_watch watch;
	int fd; /* -1: closed */
	struct xf_addr address;
	bool passed;	  /* the service manager keeps it open, for another process */
	bool any_address; /* listens on all addresses: each connection is asked for its own */
	dev_t file_dev;	  /* of the file of a UNIX socket that bind() has made */
	ino_t file_ino;	  /* 0: none */
};

struct xf_server {
	struct xf_loop *loop;
	struct xf_mover *mover;
	struct xf_server_opts opts;

	struct xf_listener *listeners; /* opts.n_listens of them */
	int spare;	       /* a descriptor to refuse with when none is left; -1: it is gone */
	struct xf_timer pause; /* until when no listener is watched, after an error */
	struct xf_ratelimit warn_fds, warn_max, warn_memory, warn_failed, warn_accept, warn_ports;

	struct xf_conn *conns; /* all */
	struct xf_timer looks; /* vanished.c */
	struct xf_conn *look_next;
	struct xf_queue first, dials; /* waiting for a first packet, and for an upstream */
	uint64_t grace_at; /* when the last grace period began, ns (xf_waiting__holds_back()) */
	struct xf_server_counters counters;

	struct xf_failures failures;
	struct xf_ratelimit warn_named; /* warnings: dials to destinations of PROXY headers */
	unsigned int turns[XF_TURNS];	/* round robin, by xf_route.index */

	uint8_t scratch[XF_FIRST_MAX]; /* the first read of a first packet */
};

#endif
