/* SPDX-License-Identifier: GPL-2.0-only */
/* The inside of the sockmap engine: sockmap.c (the engine), sockmap_flow.c (one direction),
 * sockmap_rooms.c (receive buffers when memory is scarce), sockmap_crowd.c (the number of busy
 * relays), sockmap_maps.c (programs and maps), sockmap_kernel.c (the kernel's fitness). */
#ifndef XF_SOCKMAP_IMPL_H
#define XF_SOCKMAP_IMPL_H

#include "sockmap/engine/engine.h"
#include "sockmap/engine/relay_abi.h"

struct xf_mapped_flow {
	struct xf_flow *flow;
	struct xf_relay_flow *shared; /* the kernel's side of it */
	uint64_t consumed0;	      /* bytes of from's stream that were read before the map */
	uint64_t written0;	      /* bytes of to's stream that were written before */
	uint64_t moved;		      /* of shared->moved: already in flow->read */
	uint64_t given;		      /* of those written: already in flow->written */
	uint64_t last;		      /* written when last looked */
	unsigned int gaps;	      /* looks at which bytes were missing at the end */
	bool in_src;
	bool barred;   /* may not come in: the other direction's source never was */
	bool by_hand;  /* ending, and finished by user space */
	bool ending;   /* FIN was seen; done when all before it was moved and written */
	bool paused;   /* draining, and its receive buffer may fill */
	bool roomless; /* draining, and it may not: no room; the filter finds it one */
	bool draining; /* out of the source map until all that was moved is written */
	bool whole;    /* since it left: what has gone from its queue, the verdict was shown */
};

struct xf_mapped {
	struct xf_relay *relay;
	struct xf_timer timer; /* looks after flows that are ending or draining */
	uint64_t wait;	       /* ns between looks; grows while nothing changes */
	unsigned int limits;   /* how often it held too much */
	bool stopping;
	uint64_t give_up; /* stopping: when to leave it, ns */
	uint64_t looked_bytes,
	    looked_messages; /* both flows', at the first look of sockmap_crowd.c */
	struct xf_mapped_flow flow[2];
};

struct xf_sockmap {
	struct xf_mover *mover;
	struct bpf_object *obj;
	int src, dst, by_cookie; /* maps */
	int rooms;		 /* map */
	int filter;		 /* program */
	struct xf_relay_flow *flows;
	size_t flows_size; /* bytes mapped */
	struct xf_relay_totals *totals;
	struct ring_buffer *ring;
	struct xf_watch watch;
	struct xf_mapped **by_index;
	uint32_t *spare; /* indexes that are not used, the longest unused first */
	uint32_t spare_at, spares, indexes;
	uint32_t active;   /* flows */
	uint32_t draining; /* of the active flows */
	uint32_t roomless; /* of the draining flows */
	uint32_t offered;  /* rooms, in the budget, that the filter may give to those */
	uint64_t pool;	   /* bytes taken from the budget */
	bool leaves;	   /* this kernel calls no verdict of a socket that is only in dst */
	struct xf_ratelimit warn_lost;	/* warnings: connections reset for lost bytes */
	struct xf_timer crowd;		/* armed: a look at all flows has begun */
	uint64_t look_began, look_next; /* ns; none before look_next */
};

/* Bytes that one flow may hold, in the kernel's list and the send buffer, before it is taken out of
 * the map; twice that if user space is late. */
#define XF_FLOW_LIMIT (2 * 1024 * 1024)

/* Put the flow's source into the source map, when its destination is in the other. 0 or -errno
 * (-EOPNOTSUPP: its FIN has come, or it is barred). Nothing that waits in its queue is shown to the
 * verdict before xf_tcp__kick(). */
int xf_mapped__enter(struct xf_sockmap *sm, struct xf_mapped_flow *mf);
/* Called when both sockets are in: show the verdict the bytes in the flow's queue, or drain the
 * flow when there is no place for them. */
void xf_mapped__begin(struct xf_sockmap *sm, struct xf_mapped_flow *mf);
/* Take it out; no verdict of it runs after that, but on 5.10, where one does for as long as the
 * socket is in the other map. Nothing happens when it is not in. */
void xf_mapped__leave(struct xf_sockmap *sm, struct xf_mapped_flow *mf);
/* Take the flow out until the bytes that it holds have been written. Its receive buffer fills then,
 * if there is room for that; else the filter keeps it as it is. */
void xf_mapped__drain(struct xf_sockmap *sm, struct xf_mapped_flow *mf);
/* The filter has found a room for it, which had none. */
void xf_mapped__found_room(struct xf_sockmap *sm, struct xf_mapped_flow *mf);
/* Nothing has gone from its queue but the bytes that the verdict was shown or user space read.
 * False: bytes are lost, and the bytes that wait must not be taken for them. For a flow that is out
 * of the source map and is to be read from; asks the kernel once each time that it left. */
bool xf_mapped__is_whole(struct xf_mapped_flow *mf);
/* The opposite of drain, but for entering the map. */
void xf_mapped__drain_over(struct xf_sockmap *sm, struct xf_mapped_flow *mf);
/* Put a drained flow back and show the verdict the bytes that wait. The errors of enter. */
int xf_mapped__put_back(struct xf_sockmap *sm, struct xf_mapped_flow *mf);
/* All that was moved has been written to the other socket. */
bool xf_mapped__is_drained(const struct xf_mapped_flow *mf);
/* The flow may receive again: all moved bytes are written, and those that the receiver has not
 * acknowledged are few, with the bytes that wait in the source's queue, or hardly any when all
 * together hold much. */
bool xf_mapped__may_go_on(struct xf_sockmap *sm, struct xf_mapped_flow *mf);
/* A paused and whole flow may not go on, but its receiver reads: the bytes that wait go to it
 * through user space, with XF_SCRATCH bytes at @scratch, a little at a time. False: the relay has
 * ended. */
bool xf_mapped__pass_on(struct xf_mapped_flow *mf, void *scratch);
/* The flow can be another engine's: the rest is within the memory reserved for its send buffer. */
bool xf_mapped__may_leave(struct xf_mapped_flow *mf);
/* Bring flow->read and flow->written up to date; the second may lag behind while acknowledgements
 * come in. */
void xf_mapped__sync(struct xf_mapped_flow *mf);
/* The same for a flow that is drained, and nothing lags. */
void xf_mapped__sync_drained(struct xf_mapped_flow *mf);
/* Take the flow out of the sum of the bytes that all flows hold. */
void xf_mapped__uncount(struct xf_sockmap *sm, struct xf_mapped_flow *mf);

/* The end of a flow was announced. It has come when all before it has been moved and written. */
enum xf_progress { XF_GOING_ON, XF_ENDED, XF_RESET, XF_LOST /* bytes, by the kernel */ };
enum xf_progress xf_mapped__progress(struct xf_mapped_flow *mf);

/* Bytes of a room that the filter can give: the receive buffer of a small relay. */
#define XF_ROOM_OFFERED (64 * 1024)

/* sockmap_rooms.c: while there are flows without room let the filter have some, else take them
 * back. */
void xf_sockmap__offer(struct xf_sockmap *sm);
/* The filter has given a room to @mf, or to a flow that has ended since (NULL). */
void xf_sockmap__taken(struct xf_sockmap *sm, struct xf_mapped_flow *mf);

/* sockmap_crowd.c: the verdict says that a flow has moved many messages. */
void xf_sockmap__busy(struct xf_sockmap *sm);

/* sockmap.c: handle an event of the programs about a flow of @mapped; NULL: of a relay that has
 * ended. */
void xf_sockmap__told(struct xf_sockmap *sm, struct xf_mapped *mapped,
		      const struct xf_relay_event *event);

/* An entry of the flow table, zeroed but for index; NULL when all are in use. One that was given
 * back is given out again as late as possible: a program may still be looking at it. */
struct xf_relay_flow *xf_sockmap__get(struct xf_sockmap *sm, struct xf_mapped *mapped);
void xf_sockmap__put(struct xf_sockmap *sm, uint32_t index);

int xf_sockmap__add(int map, uint64_t cookie, uint32_t value);
void xf_sockmap__remove(int map, uint64_t cookie);

/* Why this kernel should not be used by default, into @why; false: nothing is known against it. */
bool xf_kernel_has_data_bug(char *why, size_t len);

#endif
