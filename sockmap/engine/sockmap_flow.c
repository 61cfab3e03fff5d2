// SPDX-License-Identifier: GPL-2.0-only
/* One direction of a relay in the sockmap engine: its way in and out of the source map, and the
 * bytes that it holds. */
#include <errno.h>
#include <sys/socket.h>

#include "sockmap/relay/room.h"
#include "sockmap/engine/sockmap_impl.h"
#include "sockmap/relay/tcp_state.h"

/* ---- the sum of the bytes that all flows hold ---- */

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

/* Whether bytes that come may call the verdict while the source is taken out. */
static bool is_large(const struct xf_mapped_flow *mf)
{
	const struct xf_relay_flow *shared = mf->shared;

	return shared->size >= XF_LARGE_SEGMENT || shared->run >= XF_SHORT_RUN || shared->counted ||
	       shared->told & (XF_TELL_BULK | XF_TELL_LIMIT);
}

/* Take the flow's source out. The kernel does not lock the socket for that: a verdict that is
 * running meanwhile would find its program gone and drop the segment that it was called for. So
 * first make sure that none runs: the high low-water mark keeps new segments from calling the
 * verdict, and setting it waits for one that is running. A segment that reaches the mark, which the
 * kernel lowers to half the receive buffer, or leaves less of the window than a segment, calls it
 * all the same (tcp_epollin_ready()); so in these microseconds the filter lets no payload in that
 * is large, and where much may come none at all. Payload that the filter took off is sent again at
 * once when later segments arrive. (Small messages go in, since nothing comes after them: their
 * sender would try again after a fifth of a second.) A loss all the same would be found when bytes
 * behind it are read or moved, or when the relay is unmapped or ends, and never be silent. */
void xf_mapped__leave(struct xf_sockmap *sm, struct xf_mapped_flow *mf)
{
	int from = mf->flow->from->watch.fd;
	uint32_t stop = is_large(mf) ? XF_STOP_FULL : XF_STOP_LARGE;

	if (!mf->in_src)
		return;
	__atomic_store_n(&sm->totals->hush, 1, __ATOMIC_SEQ_CST);
	stop = __atomic_exchange_n(&mf->shared->stop, stop, __ATOMIC_SEQ_CST);
	xf_tcp__received(from); /* time for a segment between the filter and the lock */
	xf_tcp__hush(from);
	xf_sockmap__remove(sm->src, mf->flow->from->cookie);
	xf_tcp__kick(from);
	__atomic_store_n(&mf->shared->stop, stop, __ATOMIC_SEQ_CST);
	__atomic_store_n(&sm->totals->hush, 0, __ATOMIC_SEQ_CST);
	mf->in_src = false;
	mf->whole = false;
}

/* A verdict that runs all the same, on 5.10, moves bytes that were in the queue a moment ago. */
bool xf_mapped__is_whole(struct xf_mapped_flow *mf)
{
	int from = mf->flow->from->watch.fd;
	uint64_t moved, gone;

	if (mf->whole)
		return true;
	do {
		moved = __atomic_load_n(&mf->shared->moved, __ATOMIC_SEQ_CST);
		gone = xf_tcp__consumed(from) - mf->consumed0;
	} while (__atomic_load_n(&mf->shared->moved, __ATOMIC_SEQ_CST) != moved);
	/* An unread FIN counts as consumed. */
	mf->whole = gone == moved || (gone == moved + 1 && !xf_tcp__is_established(from));
	return mf->whole;
}

/* Where there is no room for its receive buffer the filter keeps it as it is, until its sender
 * tries again and finds one. */
static void hold_up(struct xf_sockmap *sm, struct xf_mapped_flow *mf)
{
	if (mf->roomless)
		return;
	mf->paused = xf_room__pause(mf->flow);
	if (mf->paused) {
		__atomic_store_n(&mf->shared->stop, 0, __ATOMIC_SEQ_CST);
		__atomic_store_n(&mf->shared->free, 1, __ATOMIC_SEQ_CST);
		return;
	}
	mf->roomless = sm->leaves && xf_room__pause_size(mf->flow) <= XF_ROOM_OFFERED;
	sm->roomless += mf->roomless;
	__atomic_store_n(&mf->shared->stop, mf->roomless ? XF_STOP_ROOMLESS : XF_STOP_FULL,
			 __ATOMIC_SEQ_CST);
	__atomic_store_n(&sm->totals->stops, 1, __ATOMIC_SEQ_CST);
	xf_sockmap__offer(sm);
}

void xf_mapped__found_room(struct xf_sockmap *sm, struct xf_mapped_flow *mf)
{
	mf->roomless = false;
	sm->roomless--;
	mf->paused = true;
	xf_room__pause_in(mf->flow, XF_ROOM_OFFERED);
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

/* Account for the bytes that a flow out of the source map holds now. */
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
	shared->free = 0;
	sm->roomless -= mf->roomless;
	mf->roomless = false;
	mf->draining = false;
	if (!--sm->draining)
		clear_stops(sm);
	/* Rooms that no flow waits for any more go back into the budget. */
	xf_sockmap__offer(sm);
}

bool xf_mapped__is_drained(const struct xf_mapped_flow *mf)
{
	return xf_tcp__written(mf->flow->to->watch.fd) - mf->written0 == mf->shared->moved;
}

/* ---- how far it is ---- */

static void sync_to(struct xf_mapped_flow *mf, uint64_t moved, uint64_t given)
{
	if (mf->flow->done || mf->by_hand)
		return; /* was done before; our FIN would be counted with what was written */
	mf->flow->read += moved - mf->moved;
	mf->moved = moved;
	if (given > mf->given)
		mf->flow->written += given - mf->given;
	mf->given = given > mf->given ? given : mf->given;
}

void xf_mapped__sync(struct xf_mapped_flow *mf)
{
	uint64_t moved = mf->shared->moved;

	sync_to(mf, moved, xf_tcp__written(mf->flow->to->watch.fd) - mf->written0);
}

void xf_mapped__sync_drained(struct xf_mapped_flow *mf)
{
	sync_to(mf, mf->shared->moved, mf->shared->moved);
}

/* Show the bytes in the source's queue to the verdict, which counts them; they need no room in the
 * queue then. */
static void show(struct xf_mapped_flow *mf)
{
	xf_tcp__kick(mf->flow->from->watch.fd);
	mf->paused = false;
	xf_room__resume(mf->flow);
}

int xf_mapped__put_back(struct xf_sockmap *sm, struct xf_mapped_flow *mf)
{
	int err;

	xf_mapped__drain_over(sm, mf);
	err = xf_mapped__enter(sm, mf);
	if (!err)
		show(mf);
	else if (!mf->paused) /* the bytes in its queue stay there for now */
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

/* The number of bytes in the receive queue of the flow's source while it is out of the map; its FIN
 * counts as one. */
static uint64_t waiting(const struct xf_mapped_flow *mf)
{
	return xf_tcp__received(mf->flow->from->watch.fd) - mf->consumed0 - mf->shared->moved;
}

/* Whether the waiting bytes may go where @held bytes of the flow are already. On 5.10 no bytes
 * wait, since the verdict is called all the same, and a source that is taken out before it has
 * shown its queue gets no event about room in its send buffer. */
static bool has_place(const struct xf_sockmap *sm, const struct xf_mapped_flow *mf, uint64_t held)
{
	uint64_t more;

	if (!sm->leaves)
		return held <= mf->shared->base || sm->totals->held <= sm->totals->held_max;
	more = waiting(mf);
	return held + more <= mf->shared->base ||
	       (held + more <= XF_FLOW_LIMIT && sm->totals->held + more <= sm->totals->held_max);
}

bool xf_mapped__may_go_on(struct xf_sockmap *sm, struct xf_mapped_flow *mf)
{
	uint64_t held = account(sm, mf);

	if (mf->roomless)
		xf_sockmap__offer(sm);
	else if (!mf->paused) /* there may be room for that now */
		hold_up(sm, mf);
	/* A room that it has found is its own when that has been told. */
	if ((mf->roomless && mf->shared->free) || mf->flow->pending.len ||
	    !xf_mapped__is_drained(mf))
		return false;
	return held <= XF_FLOW_LIMIT / 2 && has_place(sm, mf, held);
}

void xf_mapped__begin(struct xf_sockmap *sm, struct xf_mapped_flow *mf)
{
	mf->shared->limit = XF_FLOW_LIMIT;
	if (!mf->in_src)
		return;
	if (!sm->leaves || has_place(sm, mf, mf->shared->moved))
		show(mf);
	else
		xf_mapped__drain(sm, mf);
}

/* Bytes that go past the map are the streams' own: what is moved is counted from behind them. */
static void went_past(struct xf_mapped_flow *mf, size_t read, size_t written)
{
	mf->flow->read += read;
	mf->flow->written += written;
	mf->consumed0 += read;
	mf->written0 += written;
	mf->shared->written0 = mf->written0;
	mf->shared->begun = 0;
}

static int give(struct xf_mapped_flow *mf, const void *data, size_t len)
{
	ssize_t n = send(mf->flow->to->watch.fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return -errno;
	n = n < 0 ? 0 : n;
	went_past(mf, len, n);
	return xf_flow__keep(mf->flow, (const uint8_t *)data + n, len - n);
}

static int give_pending(struct xf_mapped_flow *mf)
{
	uint64_t before = mf->flow->written, given;
	int ret = xf_flow__push(mf->flow);

	given = mf->flow->written - before;
	mf->flow->written = before;
	went_past(mf, 0, given);
	return ret;
}

bool xf_mapped__pass_on(struct xf_mapped_flow *mf, void *scratch)
{
	struct xf_flow *flow = mf->flow;
	uint64_t held = mf->shared->moved - mf->shared->acked;
	size_t most = XF_SCRATCH;
	ssize_t n;
	int err;

	if (!mf->shared->free || !xf_mapped__is_drained(mf))
		return true;
	err = give_pending(mf);
	if (err < 0)
		return xf_relay__failed(flow->to, -err);
	/* Without more than its FIN, recv() would take that. */
	if (!err || held >= mf->shared->base || waiting(mf) <= 1)
		return true;
	if (most > mf->shared->base - held)
		most = mf->shared->base - held;
	n = recv(flow->from->watch.fd, scratch, most, MSG_DONTWAIT);
	if (n <= 0)
		return n == 0 || errno == EAGAIN || errno == EINTR ||
		       xf_relay__failed(flow->from, errno);
	err = give(mf, scratch, n);
	return !err || xf_relay__failed(flow->to, -err);
}

bool xf_mapped__may_leave(struct xf_mapped_flow *mf)
{
	return (mf->by_hand || xf_mapped__is_drained(mf)) &&
	       xf_tcp__unacked(mf->flow->to->watch.fd) <= xf_room__send_size(mf->flow);
}
