/* SPDX-License-Identifier: GPL-2.0-only */
/* The inside of the sockmap engine: sockmap.c (the engine), sockmap_flow.c (one direction),
 * sockmap_crowd.c (the number of busy relays), sockmap_maps.c (programs and maps), sockmap_kernel.c
 * (the kernel's fitness). */
#ifndef XF_SOCKMAP_IMPL_H
#define XF_SOCKMAP_IMPL_H

#include "sockmap/engine/engine.h"
#include "sockmap/engine/relay_abi.h"

/* docs/architecture.md has the table of the transitions. */
enum xf_mapped_state {
	XF_MAPPED,   /* the verdict redirects, or passes what user space forwards */
	XF_ENDING,   /* the same; its end was announced */
	XF_LEAVING,  /* the same; it leaves as soon as nothing waits for user space */
	XF_DRAINING, /* out of the source map until all redirected bytes are written */
	XF_BY_HAND,  /* out, moved by user space alone */
};

struct xf_mapped_flow {
	struct xf_flow *flow;
	struct xf_relay_flow *shared; /* the kernel's side of it */
	enum xf_mapped_state state;
	uint64_t consumed0; /* bytes of from's stream that were read before the map */
	uint64_t written0;  /* bytes of to's stream that were written before */
	uint64_t moved;	    /* bytes that are already in flow->read */
	uint64_t given;	    /* of those written: already in flow->written */
	uint64_t last;	    /* written when last looked */
	unsigned int gaps;  /* looks at which bytes were missing at the end */
	bool in_turn; /* all redirected bytes are written, and none will follow before the passed
		       * ones are forwarded */
};

struct xf_mapped {
	struct xf_relay *relay;
	struct xf_timer timer; /* looks at flows that wait for what nothing announces */
	uint64_t wait;	       /* ns between looks; grows while nothing changes */
	unsigned int soon;     /* looks in a row without the timer */
	bool look;	       /* a flow waits so */
	uint64_t looked_bytes,
	    looked_messages; /* both flows', at the first look of sockmap_crowd.c */
	struct xf_mapped_flow flow[2];
};

struct xf_sockmap {
	struct xf_mover *mover;
	struct bpf_object *obj;
	int src, dst, by_cookie; /* maps */
	int gate;		 /* program */
	struct xf_relay_flow *flows;
	size_t flows_size; /* bytes mapped */
	struct xf_relay_totals *totals;
	struct ring_buffer *ring;
	struct xf_watch watch;
	struct xf_mapped **by_index;
	uint32_t *spare; /* indexes that are not used, the longest unused first */
	uint32_t spare_at, spares, indexes;
	struct xf_ratelimit warn_lost;	/* warnings: connections reset for lost bytes */
	struct xf_timer crowd;		/* armed: a look at all flows has begun */
	uint64_t look_began, look_next; /* ns; none before look_next */
};

/* How far a call came. */
enum xf_progress {
	XF_ALL,	    /* there is nothing left to do */
	XF_FULL,    /* the receiver's socket is full, which EPOLLOUT will end */
	XF_TURN,    /* there is more to do, after others had their turn */
	XF_LOOK,    /* it waits for something that nothing announces */
	XF_ENDED,   /* the flow's FIN has come, and all before it is written */
	XF_RESET,   /* the sender has reset the connection, and all before that is written */
	XF_LOST,    /* the kernel has lost bytes */
	XF_NO_ROOM, /* --memory is used up */
	XF_NO_FROM, /* reading failed */
	XF_NO_TO,   /* writing failed */
};

/* Redirected and forwarded bytes. */
uint64_t xf_mapped__moved(const struct xf_mapped_flow *mf);
/* Whether bytes that the verdict has passed are not forwarded yet. */
bool xf_mapped__waits(const struct xf_mapped_flow *mf);
/* All that was moved has been written to the other socket. */
bool xf_mapped__is_drained(const struct xf_mapped_flow *mf);
/* Reserve the flow's receive buffer and what user space holds of it. False: there is no room. */
bool xf_mapped__may_hold(struct xf_mapped_flow *mf);
/* Forward what the verdict has passed. *@err: errno of XF_NO_FROM and XF_NO_TO. */
enum xf_progress xf_mapped__forward(struct xf_mapped_flow *mf, int *err);
/* Put the flow's source into the source map, when its destination is in the other. 0 or -errno
 * (-EOPNOTSUPP: its FIN has come). Nothing that waits in its queue is shown to the verdict before
 * xf_tcp__kick(). */
int xf_mapped__enter(struct xf_sockmap *sm, struct xf_mapped_flow *mf);
/* Take it out of the source map. False: bytes were passed meanwhile, and it is still in. */
bool xf_mapped__leave(struct xf_sockmap *sm, struct xf_mapped_flow *mf);
/* Of a flow that has left: nothing has gone from its source's queue but what the verdict was shown.
 * False: bytes are lost, and the bytes that wait must not be taken for them. */
bool xf_mapped__is_whole(const struct xf_mapped_flow *mf);
/* The end of a flow was announced, and nothing waits for user space. */
enum xf_progress xf_mapped__end(struct xf_mapped_flow *mf);
/* Bring flow->read and flow->written up to date; the second may lag behind while acknowledgements
 * come in. */
void xf_mapped__sync(struct xf_mapped_flow *mf);
/* The same for a flow that is drained, and nothing lags. */
void xf_mapped__sync_drained(struct xf_mapped_flow *mf);

/* sockmap_crowd.c: the verdict says that a flow has moved many messages. */
void xf_sockmap__busy(struct xf_sockmap *sm);

/* sockmap.c: handle an event of the verdict about a flow of @mapped. */
void xf_sockmap__told(struct xf_sockmap *sm, struct xf_mapped *mapped,
		      const struct xf_relay_event *event);

/* An entry of the flow table, zeroed but for index; NULL when all are in use. One that was given
 * back is given out again as late as possible: a program may still be looking at it. */
struct xf_relay_flow *xf_sockmap__get(struct xf_sockmap *sm, struct xf_mapped *mapped);
void xf_sockmap__put(struct xf_sockmap *sm, uint32_t index);

int xf_sockmap__add(int map, uint64_t cookie, uint32_t value);
void xf_sockmap__remove(int map, uint64_t cookie);

/* Why the sockmap of this kernel is not used, into @why; false: nothing is known against it. */
bool xf_kernel_has_data_bug(char *why, size_t len);

#endif
