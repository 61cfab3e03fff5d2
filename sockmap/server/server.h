/* SPDX-License-Identifier: GPL-2.0-only */
/* Accept connections, read the first packet where the routes want it, dial, and hand both sockets
 * to a relay. One server for each thread; several may listen on one address (SO_REUSEPORT). */
#ifndef XF_SERVER_H
#define XF_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "lib/sockaddr.h"
#include "sockmap/relay/relay.h"

struct xf_routes;
struct xf_server;

/* How a connection ended: the ends of a relay (enum xf_end), then the ends before it. */
enum xf_outcome {
	XF_OUTCOME_CLOSED,
	XF_OUTCOME_CLIENT_RESET,
	XF_OUTCOME_UPSTREAM_RESET,
	XF_OUTCOME_IDLE,
	XF_OUTCOME_DRAIN,
	XF_OUTCOME_MEMORY,
	XF_OUTCOME_ERROR,
	/* found by the server */
	XF_OUTCOME_CLIENT_LOST, /* it answers no more */
	XF_OUTCOME_UPSTREAM_LOST,
	/* before the relay */
	XF_OUTCOME_REJECTED,  /* by a route */
	XF_OUTCOME_NO_ROUTE,  /* no rule fits */
	XF_OUTCOME_AMBIGUOUS, /* the first packet can be read in two ways */
	XF_OUTCOME_BAD_TOKEN,
	XF_OUTCOME_BAD_PROXY, /* no PROXY header, or a broken one, from a source that must send one
			       */
	XF_OUTCOME_FIRST_TIMEOUT, /* the first packet took too long */
	XF_OUTCOME_FIRST_SIZE,	  /* the first packet was too large */
	XF_OUTCOME_FIRST_CROWD,	  /* too many waited, this connection longest */
	XF_OUTCOME_CLIENT_GONE,	  /* before the dial ended */
	XF_OUTCOME_REFUSED, /* no upstream of the route could be dialled: refused, unreachable */
	XF_OUTCOME_DIAL_TIMEOUT, /* no upstream of the route answered in time */
	XF_OUTCOMES,
};

/* Names such as "closed" and "reset by client", for the access log. */
extern const char *const xf_outcome_names[XF_OUTCOMES];

/* The report of a connection at its end. Its pointers are valid during the call of on_end. */
struct xf_report {
	struct timespec started; /* CLOCK_REALTIME at accept */
	uint64_t duration;	 /* ns */
	struct xf_addr client;	 /* from the PROXY header where one was accepted */
	struct xf_addr peer;	 /* the other end of the accepted socket */
	struct xf_addr local;	 /* of the accepted socket */
	struct xf_addr upstream; /* len 0: none was dialled */
	unsigned int route_line; /* of the routes file; 0: --to, an echo, or none */
	const char *route;	 /* the rule's text ("sni example.org"), "" when there is none */
	/* The names that it asked for, where a rule looked; "": none. alpn: with commas */
	const char *sni, *host, *alpn;
	enum xf_engine_id engine; /* XF_ENGINE_AUTO: no engine moved a byte */
	unsigned int moves;
	uint64_t to_upstream, to_client; /* bytes */
	enum xf_outcome outcome;
	int error; /* errno behind the outcome, 0: none */
};

/* Counters since the start. All but the first two only grow. */
struct xf_server_counters {
	uint64_t active;  /* connections now */
	uint64_t waiting; /* of them, for their first packet */
	uint64_t accepted;
	uint64_t refused_max;	 /* accepted and reset at once: --max-connections */
	uint64_t refused_fds;	 /* out of descriptors */
	uint64_t refused_memory; /* no memory for the connection's record */
	uint64_t outcomes[XF_OUTCOMES];
	uint64_t to_upstream, to_client; /* bytes, of ended connections */
	uint64_t engines[XF_ENGINES];	 /* ended connections by engine */
	uint64_t moves;
};

/* Of TCP, in seconds. */
struct xf_keepalive {
	unsigned int idle; /* 0: off */
	unsigned int interval, count;
};

struct xf_server_opts {
	const struct xf_addr *listens; /* used by xf_server__new() alone */
	unsigned int n_listens;
	/* By listener: a listening socket that the server uses a duplicate of, or -1; NULL: none.
	 * listens has its address. */
	const int *shared;
	unsigned int n_passed;	       /* the last of them, which others keep open, too */
	bool reuseport;		       /* other servers of this process listen there, too */
	bool joins;		       /* with reuseport: one of them does already */
	bool echo;		       /* no routes, no upstream */
	struct xf_routes *routes;      /* without echo; a reference of the caller's own stays */
	uint64_t idle;		       /* ns; 0: for ever */
	struct xf_keepalive keepalive; /* of both sockets */
	unsigned int max_connections;
	unsigned int max_waiting; /* for a first packet */
	uint64_t first_timeout;	  /* ns */
	uint64_t dial_timeout;	  /* ns, for each upstream that is tried */
	bool send_proxy_v2;
	/* An upstream of routes with names could not be connected to; may be NULL. */
	void (*on_unreachable)(void *arg);
	void *unreachable_arg;
	void (*on_end)(const struct xf_report *report, void *arg); /* may be NULL */
	void *arg;
};

/* Bind and listen; nothing is accepted before xf_server__start(). Returns 0 or -errno after a
 * message that names the address. */
int xf_server__new(struct xf_server **server, struct xf_loop *loop,
		   const struct xf_server_opts *opts);
/* Get the address of the listening socket number @i, with the port that the kernel chose for port
 * 0. */
void xf_server__address(const struct xf_server *server, unsigned int i, struct xf_addr *addr);
/* The listening socket number @i, for xf_server_opts.shared. */
int xf_server__listening_fd(const struct xf_server *server, unsigned int i);
/* Whether a connection to @addr would come to the server itself, and go round for ever. */
bool xf_server__is_own(const struct xf_server *server, const struct xf_addr *addr);
/* Begin to accept; @mover moves the bytes. */
int xf_server__start(struct xf_server *server, struct xf_mover *mover);
/* Use @routes for new connections; running ones keep theirs. */
void xf_server__set_routes(struct xf_server *server, struct xf_routes *routes);
/* Stop accepting and close the listening sockets. Connections in their queues are accepted first.
 */
void xf_server__drain(struct xf_server *server);
/* End every connection with @outcome; on_end is called for each. */
void xf_server__abort(struct xf_server *server, enum xf_outcome outcome);
void xf_server__counters(const struct xf_server *server, struct xf_server_counters *counters);
/* Every connection must have ended. NULL is fine. */
void xf_server__free(struct xf_server *server);

#endif
