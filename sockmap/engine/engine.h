/* SPDX-License-Identifier: GPL-2.0-only */
/* The inside of a relay: what relay.c and the three engines share.
 *
 * relay.c owns sockets, events, end of streams, limits and the choice of engine. An engine owns the
 * way of the bytes, both directions of a relay at a time. An engine is given the relay with plain
 * sockets (in no map, nothing in a pipe) and gives it back the same way. */
#ifndef XF_ENGINE_H
#define XF_ENGINE_H

#include <sys/epoll.h>

#include "sockmap/relay/crowd.h"
#include "lib/ratelimit.h"
#include "sockmap/relay/relay.h"

/* Bytes taken from one socket and not yet given to the other. */
struct xf_pending {
	uint8_t *buf; /* malloc, NULL when len is 0 */
	size_t off;   /* the first byte that is still to be given */
	size_t len;   /* bytes from off */
};

struct xf_pipe {    /* a pipe that is in use only while bytes are in it */
	int rd, wr; /* -1: none */
	size_t len; /* bytes in it */
	size_t size;
};

struct xf_side {
	struct xf_watch watch;
	struct xf_relay *relay;
	uint64_t cookie;
	bool readable; /* edge triggered: true until a read said EAGAIN or was short */
	bool fresh;    /* nothing was ever read from it: its queue is of whole segments */
	bool fin;      /* its FIN or reset was announced: read on until it is met */
	bool urgent;   /* the peer has sent urgent data, and may again */
	bool writable;
};

/* One direction. */
struct xf_flow {
	struct xf_relay *relay;
	struct xf_side *from, *to;
	struct xf_pending pending;
	struct xf_pipe pipe; /* splice only */
	uint64_t read;	     /* bytes taken from from, by all engines */
	uint64_t written;    /* bytes given to to */
	uint64_t run;	     /* bytes since the other direction last spoke */
	bool eof;	     /* from's FIN was read: nothing more will come */
	bool done; /* all bytes and the FIN were given to to, which is shut down for writing */
};

struct xf_engine;

/* The size of a flow's room: what it may hold is reserved in the budget (room.h). */
enum xf_room {
	XF_ROOM_NONE,
	XF_ROOM_SMALL, /* the budget is nearly used up */
	XF_ROOM_BASE,
	XF_ROOM_LARGE, /* for bulk */
};

struct xf_relay {
	struct xf_mover *mover;
	const struct xf_engine *engine; /* NULL: between two */
	struct xf_side side[2];		/* 0 the client, 1 the upstream (unused in an echo) */
	struct xf_flow flow[2]; /* 0 to the upstream (echo: back to the client), 1 to the client */
	unsigned int flows;	/* 2; 1 for an echo */
	size_t hold_max;	/* bytes that pending and pipe of a flow may hold together */

	struct xf_mapped *mapped; /* sockmap only */

	/* relay.c, moves.c, policy.c and room.c write the fields below. Of these, engines read
	 * limit, stopping and ended. The sockmap engine writes active, recalled and message, too:
	 * relay.c sees none of the bytes that the kernel moves. */
	enum xf_room room[2]; /* of each flow */
	uint64_t buffer[2];   /* of each flow: receive buffer of the sending side's socket, bytes */
	bool lent;	      /* to the sockmap engine */
	bool paused[2];	      /* lent: bytes wait in its receive buffer and in user space */
	uint64_t limit[2];    /* lent: bytes that may be redirected and not acknowledged */
	uint64_t reserved;    /* bytes, in the budget */
	uint64_t promised;    /* lent: what it may come to need beyond that, bytes */
	enum xf_engine_id next; /* stopping: the engine to go on with */
	bool stopping;
	bool again;	/* in the mover's list of relays to continue */
	bool lingering; /* both directions are done, but much is not yet acknowledged */
	struct xf_timer linger;
	uint64_t linger_pause; /* ns */
	bool ended;
	enum xf_end end;
	int error; /* errno behind it */
	unsigned int moves;
	unsigned int turns;    /* exchanges of short messages in a row */
	bool recalled;	       /* mapped, but user space does better at present (crowd.h) */
	uint64_t message;      /* size of its messages, bytes, a moving average */
	uint64_t stamp;	       /* of xf_crowd__note() */
	uint64_t settled;      /* no move before this time, ns */
	uint64_t rotate_at;    /* tests: bytes at which to move next */
	uint64_t grow_at;      /* no attempt to get large room before, ns */
	uint64_t active;       /* ns of the last byte that user space knows of */
	uint64_t seen;	       /* bytes that TCP had moved when the idle timer last looked */
	struct xf_timer timer; /* idle */
	struct xf_relay_opts opts;
	struct xf_relay *again_next;
	struct xf_relay *prev, *after; /* the mover's list of all */
};

struct xf_engine {
	enum xf_engine_id id;
	/* Take @relay over: plain sockets, bytes only in flow.pending. Each flow that is not done
	 * is the engine's to finish. Returns 0, or -errno with everything as it was (-EMFILE:
	 * no descriptors; the relay then stays with copy). Assume readable and writable on both
	 * sides: the old engine's knowledge is void. */
	int (*start)(struct xf_relay *relay);
	/* Events of one side (EPOLL*), or of neither (side NULL, events 0: go on where you left
	 * off). Errors of the sockets are the engine's to find by what recv and send return, and
	 * EPOLLERR. Watches are registered with XF_PLAIN_EVENTS unless the engine changed that in
	 * start; it changes it back in stop. */
	void (*ready)(struct xf_relay *relay, struct xf_side *side, uint32_t events);
	/* Get to plain sockets, bytes only in flow.pending. Returns true when there; false when it
	 * takes time (a full socket): the engine goes on in ready(), takes nothing new in, and
	 * calls xf_relay__stopped(). */
	bool (*stop)(struct xf_relay *relay);
	/* The sockets are about to be closed, whatever is under way: release what is the engine's
	 * own. */
	void (*drop)(struct xf_relay *relay);
};

extern const struct xf_engine xf_engine_copy, xf_engine_splice, xf_engine_sockmap;

/* The events that plain sockets are watched for. A read ends in front of urgent data though more is
 * there: EPOLLPRI tells of that. */
#define XF_PLAIN_EVENTS (EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET)

/* ---- relay.c, for the engines. The engine of a relay never changes inside these functions; a
 * relay that has ended keeps its memory until the end of the turn. After one has returned false the
 * relay has ended: return to the loop. ---- */

/* @n bytes were taken from flow->from and @given to flow->to just now (both may be 0): counts,
 * notes the time for --idle and for the choice of engine. Changing it happens after ready() has
 * returned; for sockmap nothing may be pending, and what both sides have received must have been
 * read, or none of it: so readable becomes false when a read was short or said EAGAIN, and only
 * then. */
void xf_relay__moved(struct xf_flow *flow, size_t n, size_t given);
/* flow->from's FIN was read and all before it was given: shuts flow->to down for writing, ends the
 * relay when that was the last. False: the relay has ended, or only waits to have its memory back.
 */
bool xf_relay__flow_done(struct xf_flow *flow);
/* Reading from or writing to @side failed with @err (positive errno; ECONNRESET, EPIPE, ...): the
 * other side is reset within this call. The relay has ended: false, always, for the caller to pass
 * on. */
bool xf_relay__failed(struct xf_side *side, int err);
/* Call engine->ready(relay, NULL, 0) soon, after others had their turn: for an engine that has more
 * to do than it should do at a time. Safe to ask twice. */
void xf_relay__again(struct xf_relay *relay);
/* stop() came to its end: plain sockets. */
void xf_relay__stopped(struct xf_relay *relay);

/* Give flow->pending to flow->to as far as it takes it, with counts. Returns 1 when nothing is
 * left, 0 when the socket is full (to->writable is false then), -errno of send(). */
int xf_flow__push(struct xf_flow *flow);
/* Keep @len bytes at @data behind what is pending. -ENOMEM possible. */
int xf_flow__keep(struct xf_flow *flow, const void *data, size_t len);

/* ---- shared by the relays of a mover ---- */

struct xf_pipes;

/* Half of the size of a core's own caches today: the bytes of a read are still there when they are
 * sent. Bulk takes a fifth more CPU time for each byte with 384 KiB, and no less with a
 * mebibyte. */
#define XF_SCRATCH (512 * 1024)

struct xf_mover {
	struct xf_loop *loop;
	struct xf_mover_opts opts;
	uint8_t *scratch; /* XF_SCRATCH bytes, contents good until the next call into an engine */
	struct xf_pipes *pipes;	      /* pipes.c: a pool of empty pipes; made on first use */
	struct xf_sockmap *sockmap;   /* sockmap.c; NULL: not available */
	char unavailable_reason[160]; /* without sockmap: the reason */
	/* relay.c's own */
	struct xf_relay *relays;     /* all */
	struct xf_relay *again_list; /* to continue in the next turn */
	struct xf_timer again;
	struct xf_timer sweep; /* policy.c: idle relays go to the sockmap while room is scarce */
	bool net_admin;	       /* may set buffers beyond the sysctl limits */
	struct xf_ratelimit warn_move[XF_ENGINES]; /* warnings: moves to the engine that failed */
	struct xf_crowd crowd;
	unsigned int crowd_max; /* with more busy relays none goes through the sockmap */
	unsigned int poll_max;	/* with more busy relays there is no polling */
	uint64_t bulk_at;	/* when a run of bulk was last moved here, ns */
};

/* A run of so many bytes one way is bulk; one shorter than the other is a message. */
#define XF_BULK_RUN (256 * 1024)
#define XF_SHORT_RUN (64 * 1024)

/* policy.c: set crowd_max and poll_max. */
void xf_mover__size_crowd(struct xf_mover *mover);
/* policy.c: whether polling is worth while: few messages go through user space, and no bulk. */
bool xf_mover__may_poll(const struct xf_mover *mover);
/* policy.c: whether one of the flows has moved much since the other last spoke. */
bool xf_relay__is_bulk(const struct xf_relay *relay);
/* policy.c: while room is scarce, relays on which nothing moves go to the sockmap, which needs none
 * for them. */
void xf_mover__make_room(struct xf_mover *mover);
/* policy.c: give a new relay its first engine. */
void xf_relay__begin(struct xf_relay *relay);
/* moves.c: change to another engine, which may take a while, and come to nothing. */
void xf_relay__move(struct xf_relay *relay, enum xf_engine_id target);
/* policy.c: after every call into an engine, think about another one, and change to it. */
void xf_relay__choose(struct xf_relay *relay);

/* copy.c: move the bytes of one flow that can be moved now. False: the relay has ended. */
bool xf_copy__pump(struct xf_flow *flow);
/* copy.c: whether the relay has ended because @events announced an error of @side. recv() would
 * return it, but is not called while the other socket is full. */
bool xf_copy__was_reset(struct xf_side *side, uint32_t events);

/* pipes.c: close the idle pipes of the pool; every pipe must have come back. */
void xf_pipes__free(struct xf_pipes *pipes);

/* sockmap.c: load the programs, make the maps. Returns 0, or -errno with unavailable_reason filled
 * when sockmap cannot be used. */
int xf_sockmap__new(struct xf_mover *mover);
void xf_sockmap__free(struct xf_sockmap *sockmap);
/* Bring flow.read and flow.written of a relay that the sockmap engine has up to date. */
void xf_sockmap__sync(struct xf_relay *relay);

#endif
