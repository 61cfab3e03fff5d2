/* SPDX-License-Identifier: GPL-2.0-only */
/* Moves bytes between two established TCP sockets until both directions have ended, by one of three
 * engines, and changes the engine under way when another is better.
 *
 * A mover belongs to one thread and one loop and holds what its relays share. */
#ifndef XF_RELAY_H
#define XF_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/loop.h"

enum xf_engine_id {
	XF_ENGINE_AUTO, /* the mover chooses and changes */
	XF_ENGINE_SOCKMAP,
	XF_ENGINE_SPLICE,
	XF_ENGINE_COPY,
	XF_ENGINES,
};

/* "auto", "sockmap", "splice", "copy", NULL: for options and messages. */
extern const char *const xf_engine_names[XF_ENGINES + 1];

/* How a relay ended. */
enum xf_end {
	XF_END_CLOSED,	     /* both directions ended with FIN and were delivered */
	XF_END_CLIENT_RESET, /* RST or an error from the client, passed on */
	XF_END_UPSTREAM_RESET,
	XF_END_IDLE,   /* --idle */
	XF_END_DRAIN,  /* cut off at the end of the program */
	XF_END_MEMORY, /* no room for another relay */
	XF_END_ERROR,  /* something failed here; a message said what */
};

struct xf_mover;
struct xf_relay;
struct xf_budget;

/* The counters of a relay, also while it runs. */
struct xf_relay_stats {
	uint64_t to_upstream; /* bytes given to the upstream's socket (echo: to the client's),
				 without the first xf_relay_opts.uncounted */
	uint64_t to_client;
	enum xf_engine_id engine; /* the one that moves now, or moved last */
	unsigned int moves;	  /* changes of engine */
	int error;		  /* errno of the side whose error ended it, 0: none */
};

struct xf_mover_opts {
	enum xf_engine_id engine;
	struct xf_budget *budget; /* shared by all movers of the process */
	unsigned int movers;	  /* how many there will be; 0 counts as 1 */
	unsigned int max_relays;  /* sizes the maps */
	uint64_t
	    poll_ns; /* look for the next message for so long before going to sleep; 0: do not */
	bool hasty;  /* auto: begin with sockmap at once, not after the first exchanges */
	/* Tests: auto changes the engine after every so many bytes, in a fixed rotation; 0: never.
	 */
	uint64_t rotate_bytes;
};

/* Loads the BPF programs unless the engine is splice or copy; needs the capabilities for that (they
 * can be dropped afterwards, see xf_mover__caps()). With XF_ENGINE_AUTO a kernel, a privilege or a
 * version that rules sockmap out is no error: xf_mover__unavailable_reason() says it. With
 * XF_ENGINE_SOCKMAP it is one, after a message. Returns 0 or -errno. */
int xf_mover__new(struct xf_mover **mover, struct xf_loop *loop, const struct xf_mover_opts *opts);
/* Every relay must have ended. NULL is fine. */
void xf_mover__free(struct xf_mover *mover);
/* Why sockmap is not used, in words for "auto goes without sockmap: ...", or NULL when it is. */
const char *xf_mover__unavailable_reason(const struct xf_mover *mover);
/* Capabilities (a mask of 1ULL << CAP_*) that moving needs after xf_mover__new(). */
uint64_t xf_mover__caps(const struct xf_mover *mover);

/* Whether a relay could be made now: there is room for one, or a sockmap, which needs no room. */
bool xf_mover__can_relay(const struct xf_mover *mover);
/* Bytes reserved for a first packet and our PROXY header before it. */
#define XF_FIRST_RESERVED (20 * 1024)

/* @fd is about to listen or to connect: its first window is small where memory is. */
void xf_mover__prepare(const struct xf_mover *mover, int fd);
/* Make the client's receive buffer small, and reserve in the budget what the client can send before
 * it has a relay: that buffer, and its first packet. Returns the bytes, 0: there is no room now.
 * They go to the relay, or to xf_mover__dismiss(). */
uint64_t xf_mover__admit(struct xf_mover *mover, int client);
/* Whether that would succeed now, for a client that has not sent much. */
bool xf_mover__may_admit(const struct xf_mover *mover);
void xf_mover__dismiss(struct xf_mover *mover, uint64_t reserved);

struct xf_relay_opts {
	int client;   /* established, non-blocking, SO_OOBINLINE, in no loop; the relay closes it */
	int upstream; /* the same, or -1: an echo, everything goes back to the client */
	/* First bytes for the upstream, taken over (malloc; NULL: none), and how many of them the
	 * client did not send (a PROXY header of our own). */
	uint8_t *prefix;
	size_t prefix_len;
	size_t uncounted;
	uint64_t reserved; /* the result of xf_mover__admit(), taken over */
	uint64_t idle;	   /* ns without a byte either way until the relay is ended; 0: for ever */
	void (*on_end)(struct xf_relay *relay, enum xf_end end, void *arg);
	void *arg;
};

/* Start moving. on_end is called once, after this call has returned, when the sockets are closed;
 * the relay is freed after it. On an error (-ENOMEM, -EMFILE, ..., without a message) the sockets
 * and the prefix are still the caller's, the reservation is not. */
int xf_relay__new(struct xf_mover *mover, const struct xf_relay_opts *opts,
		  struct xf_relay **relay);
/* End the relay now: both sockets are reset, and on_end is called with @end. */
void xf_relay__abort(struct xf_relay *relay, enum xf_end end);
void xf_relay__stats(struct xf_relay *relay, struct xf_relay_stats *stats);

#endif
