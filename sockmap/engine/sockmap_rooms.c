// SPDX-License-Identifier: GPL-2.0-only
/* Room for receive buffers when there is not enough for all flows that are out of the source map.
 * The rooms that the filter may give are in the budget already, so that the kernel can give one at
 * the moment when a sender tries. */
#include <bpf/bpf.h>

#include "sockmap/relay/budget.h"
#include "sockmap/engine/sockmap_impl.h"

static struct xf_budget *budget_of(const struct xf_sockmap *sm)
{
	return sm->mover->opts.budget;
}

static void offer_one(struct xf_sockmap *sm)
{
	uint32_t room = 1;

	if (bpf_map_update_elem(sm->rooms, NULL, &room, BPF_ANY))
		xf_budget__give(budget_of(sm), XF_ROOM_OFFERED);
	else
		sm->offered++;
}

/* A room that is not in the map any more has been taken: the event has come, or will come. */
static void take_back(struct xf_sockmap *sm)
{
	uint32_t room;

	while (sm->offered && !bpf_map_lookup_and_delete_elem(sm->rooms, NULL, &room)) {
		sm->offered--;
		xf_budget__give(budget_of(sm), XF_ROOM_OFFERED);
	}
}

void xf_sockmap__offer(struct xf_sockmap *sm)
{
	if (!sm->roomless)
		take_back(sm);
	while (sm->offered < XF_ROOMS && sm->offered < sm->roomless &&
	       xf_budget__take(budget_of(sm), XF_ROOM_OFFERED))
		offer_one(sm);
}

void xf_sockmap__taken(struct xf_sockmap *sm, struct xf_mapped_flow *mf)
{
	sm->offered--;
	if (mf && mf->roomless)
		xf_mapped__found_room(sm, mf);
	else
		xf_budget__give(budget_of(sm), XF_ROOM_OFFERED);
	xf_sockmap__offer(sm);
}
