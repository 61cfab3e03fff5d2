// SPDX-License-Identifier: GPL-2.0-only
/* One direction of a relay in the sockmap engine: in and out of the source map, and what it holds.
 */
#include <errno.h>

#include "room.h"
#include "sockmap_impl.h"
#include "tcp_state.h"

/* ---- the sum of what all flows hold ---- */

static void set_counted(struct xf_sockmap *sm, struct xf_relay_flow *shared, uint64_t counted)
{
	__atomic_fetch_add(&sm->totals->held, counted - shared->counted, __ATOMIC_RELAXED);
	shared->counted = counted;
}

/* The filter looks at flows only while stops is set. The program sets stop before stops, so
 * clearing stops first and looking then misses none. */
static void clear_stops(struct xf_sockmap *sm)
{
	if (!__atomic_load_n(&sm->totals->stops, __ATOMIC_SEQ_CST))
		return;
	__atomic_store_n(&sm->totals->stops, 0, __ATOMIC_SEQ_CST);
	for (uint32_t i = 0; i < sm->indexes; i++) {
		if (!sm->by_index[i] || !__atomic_load_n(&sm->flows[i].stop, __ATOMIC_SEQ_CST))
			continue;
		__atomic_store_n(&sm->totals->stops, 1, __ATOMIC_SEQ_CST);
		break;
	}
}

bool xf_sockmap__has_room(const struct xf_sockmap *sm)
{
	return sm && sm->totals->held <= sm->totals->held_max;
}

/* ---- a flow in and out of the source map ---- */

/* Some of these in a row pass the marks that keep the verdict from being called, bytes. */
#define LARGE_SEGMENT 4096

/* So often must bytes be found missing at the end of a stream until they are given up. */
#define GAPS_MAX 8

int xf_mapped__enter(struct xf_sockmap *sm, struct xf_mapped_flow *mf)
{
	struct xf_side *from = mf->flow->from;
	int err;

	if (mf->barred)
		return -EOPNOTSUPP;
	err = xf_sockmap__add(sm->src, from->cookie, from->watch.fd);
	if (!err)
		mf->in_src = true;
	return err;
}

/* What comes may call the verdict while the source is taken out. */
static bool is_large(const struct xf_mapped_flow *mf)
{
	const struct xf_relay_flow *shared = mf->shared;

	return shared->size >= LARGE_SEGMENT || shared->run >= XF_SHORT_RUN || shared->counted ||
	       shared->told & (XF_TELL_BULK | XF_TELL_LIMIT);
}

/* Take the flow's source out. The kernel does not lock the socket for that: a verdict that is
 * running meanwhile would find its program gone and drop the segment that it was called for. So
 * first make sure that none runs: the high low-water mark keeps what comes from calling the
 * verdict, and setting it waits for one that is running. What reaches the mark, which the kernel
 * lowers to half the receive buffer, or leaves less of the window than a segment, calls it all the
 * same (tcp_epollin_ready()); where so much may come in these microseconds the filter lets no
 * payload in, and what it took off is sent again at once when later segments arrive. (It is not
 * used for small messages, after which nothing comes: their sender would try again after a fifth of
 * a second.) A loss all the same would be found when the relay is unmapped or ends, and never be
 * silent. */
void xf_mapped__leave(struct xf_sockmap *sm, struct xf_mapped_flow *mf)
{
	int from = mf->flow->from->watch.fd;
	bool trim = is_large(mf);
	uint32_t stop = 0;

	if (!mf->in_src)
		return;
	if (trim) {
		__atomic_store_n(&sm->totals->hush, 1, __ATOMIC_SEQ_CST);
		stop = __atomic_exchange_n(&mf->shared->stop, 1, __ATOMIC_SEQ_CST);
		xf_tcp__received(from); /* time for a segment between the filter and the lock */
	}
	xf_tcp__hush(from);
	xf_sockmap__remove(sm->src, mf->flow->from->cookie);
	xf_tcp__kick(from);
	if (trim) {
		__atomic_store_n(&mf->shared->stop, stop, __ATOMIC_SEQ_CST);
		__atomic_store_n(&sm->totals->hush, 0, __ATOMIC_SEQ_CST);
	}
	mf->in_src = false;
}

/* Where it cannot be paused the filter keeps it as it is. */
static void hold_up(struct xf_sockmap *sm, struct xf_mapped_flow *mf)
{
	mf->paused = xf_room__pause(mf->flow);
	if (mf->paused) {
		__atomic_store_n(&mf->shared->stop, 0, __ATOMIC_SEQ_CST);
	} else {
		__atomic_store_n(&mf->shared->stop, 1, __ATOMIC_SEQ_CST);
		__atomic_store_n(&sm->totals->stops, 1, __ATOMIC_SEQ_CST);
	}
}

void xf_mapped__drain(struct xf_sockmap *sm, struct xf_mapped_flow *mf)
{
	if (mf->draining || mf->by_hand)
		return;
	xf_mapped__leave(sm, mf);
	mf->draining = true;
	sm->draining++;
	hold_up(sm, mf);
}

void xf_mapped__uncount(struct xf_sockmap *sm, struct xf_mapped_flow *mf)
{
	set_counted(sm, mf->shared, 0);
}

/* What a flow that is out of the source map holds now. */
static uint64_t account(struct xf_sockmap *sm, struct xf_mapped_flow *mf)
{
	struct xf_relay_flow *shared = mf->shared;
	uint64_t acked = xf_tcp__acked(mf->flow->to->watch.fd), held;

	shared->acked = acked > mf->written0 ? acked - mf->written0 : 0;
	held = shared->moved - shared->acked;
	set_counted(sm, shared, held > shared->base ? held - shared->base : 0);
	return held;
}

void xf_mapped__drain_over(struct xf_sockmap *sm, struct xf_mapped_flow *mf)
{
	struct xf_relay_flow *shared = mf->shared;

	account(sm, mf);
	shared->told = 0;
	shared->run = 0;
	shared->stop = 0;
	mf->paused = false;
	xf_room__resume(mf->flow);
	mf->draining = false;
	if (!--sm->draining)
		clear_stops(sm);
}

bool xf_mapped__is_drained(const struct xf_mapped_flow *mf)
{
	return xf_tcp__written(mf->flow->to->watch.fd) - mf->written0 == mf->shared->moved;
}

/* ---- how far it is ---- */

void xf_mapped__sync(struct xf_mapped_flow *mf)
{
	uint64_t moved = mf->shared->moved, given;

	if (mf->flow->done || mf->by_hand)
		return; /* was done before; our FIN would be counted with what was written */
	given = xf_tcp__written(mf->flow->to->watch.fd) - mf->written0;

	mf->flow->read += moved - mf->moved;
	mf->moved = moved;
	if (given > mf->given)
		mf->flow->written += given - mf->given;
	mf->given = given > mf->given ? given : mf->given;
}

int xf_mapped__put_back(struct xf_sockmap *sm, struct xf_mapped_flow *mf)
{
	int err;

	xf_mapped__drain_over(sm, mf);
	err = xf_mapped__enter(sm, mf);
	if (!err)
		xf_tcp__kick(mf->flow->from->watch.fd);
	else /* what is in its queue stays there for now */
		mf->paused = xf_room__pause(mf->flow);
	return err;
}

enum xf_progress xf_mapped__progress(struct xf_mapped_flow *mf)
{
	int from = mf->flow->from->watch.fd;
	uint64_t received = xf_tcp__received(from) - mf->consumed0;
	uint64_t moved = mf->shared->moved;

	/* The FIN counts as a byte. A socket that is closed without one was reset; the error is
	 * gone when the kernel's own sending met it first. */
	if (received == moved + 1)
		return xf_mapped__is_drained(mf) ? XF_ENDED : XF_GOING_ON;
	if (received == moved && xf_tcp__is_closed(from))
		return XF_RESET;
	xf_tcp__kick(from);
	/* After a FIN and a kick nothing waits in the queue any more. */
	moved = mf->shared->moved;
	if (received > moved + 1 && !mf->shared->stop && ++mf->gaps >= GAPS_MAX)
		return XF_LOST;
	return XF_GOING_ON;
}

bool xf_mapped__may_go_on(struct xf_sockmap *sm, struct xf_mapped_flow *mf)
{
	uint64_t held = account(sm, mf);

	if (!mf->paused) /* there may be room for that now */
		hold_up(sm, mf);
	if (!xf_mapped__is_drained(mf))
		return false;
	return held <= mf->shared->base ||
	       (held <= XF_FLOW_LIMIT / 2 && sm->totals->held <= sm->totals->held_max);
}

bool xf_mapped__may_leave(struct xf_mapped_flow *mf)
{
	return (mf->by_hand || xf_mapped__is_drained(mf)) &&
	       xf_tcp__unacked(mf->flow->to->watch.fd) <= xf_room__send_size(mf->flow);
}
