/* SPDX-License-Identifier: GPL-2.0-only */
/* The sockmap engine's inside: engine_sockmap.c (the engine), sockmap_maps.c (programs and maps),
 * sockmap_kernel.c (can this kernel do it). */
#ifndef XF_SOCKMAP_IMPL_H
#define XF_SOCKMAP_IMPL_H

#include "engine.h"
#include "relay_abi.h"

struct xf_mapped_flow {
	struct xf_flow *flow;
	struct xf_relay_flow *shared; /* the kernel's side of it */
	uint64_t consumed0; /* bytes of from's stream that were read before the map */
	uint64_t written0;  /* bytes of to's stream that were written before */
	uint64_t moved;     /* of shared->moved: already in flow->read */
	uint64_t given;     /* of those written: already in flow->written */
	uint64_t last;	    /* written when last looked */
	bool in_src;
	bool ending;   /* FIN was seen; done when all before it was moved and written */
	bool draining; /* out of the source map until all that was moved is written */
};

struct xf_mapped {
	struct xf_relay *relay;
	struct xf_timer timer; /* looks after flows that are ending or draining */
	uint64_t wait;	       /* ns between looks; grows while nothing changes */
	bool stopping;
	uint64_t give_up; /* stopping: when to leave it, ns */
	struct xf_mapped_flow flow[2];
};

struct xf_sockmap {
	struct xf_mover *mover;
	struct bpf_object *obj;
	int src, dst, by_cookie; /* maps */
	int filter;		 /* program */
	struct xf_relay_flow *flows;
	size_t flows_size; /* bytes mapped */
	struct xf_relay_totals *totals;
	struct ring_buffer *ring;
	struct xf_watch watch;
	struct xf_mapped **by_index;
	uint32_t *spare; /* indexes that are not used, the longest unused first */
	uint32_t spare_at, spares, indexes;
	uint32_t active;      /* flows */
	uint32_t draining;    /* of them */
	uint64_t pool;	      /* bytes taken from the budget */
	uint32_t base_shared; /* flows that totals->base was computed for */
};

/* engine_sockmap.c: the verdict program has something to say about a flow of @mapped. */
void xf_sockmap__told(struct xf_mapped *mapped, const struct xf_relay_event *event);

/* An entry of the flow table, zeroed but for index; NULL when all are in use. One that was given
 * back is given out again as late as possible: a program may still be looking at it. */
struct xf_relay_flow *xf_sockmap__get(struct xf_sockmap *sm, struct xf_mapped *mapped);
void xf_sockmap__put(struct xf_sockmap *sm, uint32_t index);

/* Set how much each flow may hold uncounted by the number of flows that there are. */
void xf_sockmap__share_base(struct xf_sockmap *sm);

int xf_sockmap__add(int map, uint64_t cookie, uint32_t value);
void xf_sockmap__remove(int map, uint64_t cookie);

/* Why this kernel should not be used by default, into @why; false: nothing is known against it. */
bool xf_kernel_has_data_bug(char *why, size_t len);

#endif
