// SPDX-License-Identifier: GPL-2.0-only
/* The kernel moves the bytes: what one socket receives is redirected to the other by the verdict
 * program, and user space is woken for ends, for errors and when too much is held.
 *
 * The kernel neither passes on the end of a stream nor holds up a sender whose receiver is slow, and
 * it drops what waits for a socket that is taken out of a map. So every step away from redirecting
 * has the same order: take the source out, wait until what was moved has been written, go on. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "engine.h"
#include "lib/msg.h"
#include "room.h"
#include "sockmap_impl.h"
#include "tcp_state.h"

/* While mapped, user space hears of the end of a stream and of errors, not of every segment. */
#define MAPPED_EVENTS (EPOLLRDHUP | EPOLLET)

/* Bytes that one flow may hold, in the kernel's list and the send buffer, before it is taken out of
 * the map; twice that if user space is late. */
#define FLOW_LIMIT (2 * 1024 * 1024)

/* Between two looks at a flow that ends or drains: nothing announces it. */
#define LOOK_FIRST (XF_MSEC / 2)
#define LOOK_LAST (64 * XF_MSEC)

/* Leaving the map waits for both directions. When a reader is stalled that takes for ever, and the
 * other direction must not wait for it. */
#define STOP_PATIENCE (5 * XF_MSEC)

/* ---- the sum of what all flows hold ---- */

static void set_counted(struct xf_sockmap *sm, struct xf_relay_flow *shared, uint64_t counted)
{
	__atomic_fetch_add(&sm->totals->held, counted - shared->counted, __ATOMIC_RELAXED);
	shared->counted = counted;
}

/* The filter looks at flows only while stops is set. The program sets stop before stops, so clearing
 * stops first and looking then misses none. */
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

/* ---- a flow in and out of the source map ---- */

static int enter(struct xf_sockmap *sm, struct xf_mapped_flow *mf)
{
	struct xf_side *from = mf->flow->from;
	int err = xf_sockmap__add(sm->src, from->cookie, from->watch.fd);

	if (!err)
		mf->in_src = true;
	return err;
}

/* Take the flow's source out. The kernel does not lock the socket for that: a verdict that is running
 * meanwhile would find its program gone and drop the segment that it was called for. So first make
 * sure that none runs: the filter lets no payload in, the high low-water mark keeps what still
 * comes past it from calling the verdict, and setting that mark waits for one that is running. The
 * few segments that this meets in its microseconds are sent again at once, since later ones arrive.
 * A loss all the same would be found when the relay is unmapped or ends, and never be silent. */
static void leave(struct xf_sockmap *sm, struct xf_mapped_flow *mf)
{
	int from = mf->flow->from->watch.fd;
	uint32_t stop;

	if (!mf->in_src)
		return;
	__atomic_store_n(&sm->totals->hush, 1, __ATOMIC_SEQ_CST);
	stop = __atomic_exchange_n(&mf->shared->stop, 1, __ATOMIC_SEQ_CST);
	xf_tcp__received(from); /* time for a segment between the filter and the socket's lock */
	xf_tcp__hush(from);
	xf_sockmap__remove(sm->src, mf->flow->from->cookie);
	xf_tcp__kick(from);
	__atomic_store_n(&mf->shared->stop, stop, __ATOMIC_SEQ_CST);
	__atomic_store_n(&sm->totals->hush, 0, __ATOMIC_SEQ_CST);
	mf->in_src = false;
}

static void look_soon(struct xf_mapped *mapped)
{
	struct xf_loop *loop = mapped->relay->mover->loop;

	mapped->wait = LOOK_FIRST;
	xf_loop__arm(loop, &mapped->timer, xf_loop__now(loop) + mapped->wait);
}

/* Take the flow out until what it holds has been written. Its receive buffer fills then, if there is
 * room for that; else the filter keeps it as it is. */
static void drain(struct xf_sockmap *sm, struct xf_mapped_flow *mf)
{
	if (mf->draining)
		return;
	leave(sm, mf);
	mf->draining = true;
	sm->draining++;
	if (xf_room__pause(mf->flow)) {
		__atomic_store_n(&mf->shared->stop, 0, __ATOMIC_SEQ_CST);
	} else {
		__atomic_store_n(&mf->shared->stop, 1, __ATOMIC_SEQ_CST);
		__atomic_store_n(&sm->totals->stops, 1, __ATOMIC_SEQ_CST);
	}
}

/* What a flow that is out of the source map holds now. */
static uint64_t account(struct xf_sockmap *sm, struct xf_mapped_flow *mf)
{
	struct xf_relay_flow *shared = mf->shared;
	uint64_t acked = xf_tcp__acked(mf->flow->to->watch.fd), held;

	shared->acked = acked > mf->written0 ? acked - mf->written0 : 0;
	held = shared->moved - shared->acked;
	set_counted(sm, shared, held > sm->totals->base ? held - sm->totals->base : 0);
	return held;
}

static void drain_over(struct xf_sockmap *sm, struct xf_mapped_flow *mf)
{
	struct xf_relay_flow *shared = mf->shared;

	account(sm, mf);
	shared->told = 0;
	shared->run = 0;
	shared->stop = 0;
	xf_room__resume(mf->flow);
	mf->draining = false;
	if (!--sm->draining)
		clear_stops(sm);
}

static bool drained(const struct xf_mapped_flow *mf)
{
	return xf_tcp__written(mf->flow->to->watch.fd) - mf->written0 == mf->shared->moved;
}

/* ---- taking over and giving back ---- */

static void sync_flow(struct xf_mapped_flow *mf)
{
	uint64_t moved = mf->shared->moved, given;

	if (mf->flow->done)
		return; /* was done before; our FIN would be counted with what was written */
	given = xf_tcp__written(mf->flow->to->watch.fd) - mf->written0;

	mf->flow->read += moved - mf->moved;
	mf->moved = moved;
	if (given > mf->given)
		mf->flow->written += given - mf->given;
	mf->given = given > mf->given ? given : mf->given;
}

void xf_sockmap__sync(struct xf_relay *relay)
{
	for (unsigned int i = 0; i < relay->flows; i++)
		if (relay->mapped->flow[i].shared)
			sync_flow(&relay->mapped->flow[i]);
}

/* Forget the flows; what they hold must have been written, or is given up with the sockets. */
static void unmap(struct xf_mapped *mapped)
{
	struct xf_relay *relay = mapped->relay;
	struct xf_sockmap *sm = relay->mover->sockmap;

	xf_loop__disarm(relay->mover->loop, &mapped->timer);
	for (unsigned int i = 0; i < relay->flows; i++)
		if (mapped->flow[i].shared)
			leave(sm, &mapped->flow[i]);
	for (unsigned int i = 0; i < relay->flows; i++) {
		struct xf_mapped_flow *mf = &mapped->flow[i];

		if (!mf->shared)
			continue;
		sync_flow(mf);
		if (mf->draining)
			drain_over(sm, mf);
		set_counted(sm, mf->shared, 0);
		xf_sockmap__remove(sm->by_cookie, mf->flow->from->cookie);
		xf_sockmap__remove(sm->dst, mf->flow->to->cookie);
		xf_sockmap__put(sm, mf->shared->index);
	}
	xf_sockmap__share_base(sm);
	relay->mapped = NULL;
	free(mapped);
}

static int cookie_of(struct xf_side *side)
{
	socklen_t len = sizeof(side->cookie);
	int protocol = 0;

	if (side->cookie)
		return 0;
	if (getsockopt(side->watch.fd, SOL_SOCKET, SO_COOKIE, &side->cookie, &len))
		return -errno;
	len = sizeof(protocol);
	if (!getsockopt(side->watch.fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) &&
	    protocol != IPPROTO_TCP) {
		side->cookie = 0;
		return -EPROTONOSUPPORT; /* MPTCP */
	}
	return 0;
}

static int map_flow(struct xf_sockmap *sm, struct xf_mapped *mapped, unsigned int i)
{
	struct xf_flow *flow = &mapped->relay->flow[i];
	struct xf_mapped_flow *mf = &mapped->flow[i];
	int err;

	err = cookie_of(flow->from);
	if (!err)
		err = cookie_of(flow->to);
	if (err)
		return err;
	mf->shared = xf_sockmap__get(sm, mapped);
	if (!mf->shared)
		return -ENOSPC;
	mf->shared->pair = mf->shared->index;
	mf->shared->to = flow->to->cookie;
	mf->shared->limit = FLOW_LIMIT;
	mf->written0 = xf_tcp__written_exactly(flow->to->watch.fd);
	mf->shared->written0 = mf->written0;
	err = xf_sockmap__add(sm->by_cookie, flow->from->cookie, mf->shared->index);
	if (!err)
		err = xf_sockmap__add(sm->dst, flow->to->cookie, flow->to->watch.fd);
	if (!err && setsockopt(flow->from->watch.fd, SOL_SOCKET, SO_ATTACH_BPF, &sm->filter,
			       sizeof(sm->filter)))
		err = -errno;
	return err;
}

static void set_events(struct xf_relay *relay, uint32_t events)
{
	for (unsigned int i = 0; i < relay->flows; i++)
		xf_loop__mod(relay->mover->loop, &relay->side[i].watch, events);
}

static void on_look(struct xf_timer *timer, uint64_t now);

/* Destinations first, then sources: a redirect to a socket that is not there loses its bytes. A
 * source whose FIN has come is refused; with the other one in already the relay has to be drained
 * again before it is given back, which on_look() does. */
static int start(struct xf_relay *relay)
{
	struct xf_sockmap *sm = relay->mover->sockmap;
	struct xf_mapped *mapped = calloc(1, sizeof(*mapped));
	int err = 0;

	if (!mapped)
		return -ENOMEM;
	mapped->relay = relay;
	mapped->timer.fn = on_look;
	relay->mapped = mapped;
	for (unsigned int i = 0; i < relay->flows; i++) {
		mapped->flow[i].flow = &relay->flow[i];
		mapped->flow[i].consumed0 = xf_tcp__consumed(relay->flow[i].from->watch.fd);
	}
	for (unsigned int i = 0; !err && i < relay->flows; i++)
		err = map_flow(sm, mapped, i);
	if (!err && relay->flows == 2) {
		mapped->flow[0].shared->pair = mapped->flow[1].shared->index;
		mapped->flow[1].shared->pair = mapped->flow[0].shared->index;
	}
	if (!err)
		err = enter(sm, &mapped->flow[0]);
	if (err) {
		unmap(mapped);
		return err;
	}
	xf_sockmap__share_base(sm);
	set_events(relay, MAPPED_EVENTS);
	xf_tcp__kick(relay->side[0].watch.fd);
	if (relay->flows == 2 && enter(sm, &mapped->flow[1])) {
		mapped->flow[1].ending = true;
		look_soon(mapped);
	} else if (relay->flows == 2) {
		xf_tcp__kick(relay->side[1].watch.fd);
	}
	return 0;
}

/* All that was moved has been written: plain sockets again. The kernel must have taken out of the
 * receive queue what the verdict has seen, and nothing else. False: the relay has ended. */
static bool give_back(struct xf_mapped *mapped)
{
	struct xf_relay *relay = mapped->relay;
	uint64_t seen[2] = {};

	for (unsigned int i = 0; i < relay->flows; i++) {
		leave(relay->mover->sockmap, &mapped->flow[i]);
		seen[i] = mapped->flow[i].consumed0 + mapped->flow[i].shared->moved;
	}
	unmap(mapped);
	set_events(relay, XF_PLAIN_EVENTS);
	for (unsigned int i = 0; i < relay->flows; i++) {
		struct xf_side *from = relay->flow[i].from;
		uint64_t consumed = xf_tcp__consumed(from->watch.fd);

		from->fresh = false;
		/* A FIN that nobody has read yet counts as consumed. */
		if (relay->flow[i].done || consumed == seen[i] ||
		    (consumed == seen[i] + 1 && !xf_tcp__is_established(from->watch.fd)))
			continue;
		xf_err("the kernel lost %lld bytes of a connection when it left the map; it is "
		       "reset",
		       (long long)(consumed - seen[i]));
		return xf_relay__failed(from, EIO);
	}
	return true;
}

static void drop(struct xf_relay *relay)
{
	if (relay->mapped)
		unmap(relay->mapped);
}

/* ---- looking after flows that end, drain or stop ---- */

/* Put a drained flow back. -EOPNOTSUPP: its FIN came meanwhile. */
static int put_back(struct xf_sockmap *sm, struct xf_mapped_flow *mf)
{
	int err;

	drain_over(sm, mf);
	err = enter(sm, mf);
	if (!err)
		xf_tcp__kick(mf->flow->from->watch.fd);
	return err;
}

enum progress { GOING_ON, ENDED, RESET };

/* The flow's end was announced. It has come when all before it has been moved and written. */
static enum progress ended(struct xf_mapped_flow *mf)
{
	int from = mf->flow->from->watch.fd;
	uint64_t received = xf_tcp__received(from) - mf->consumed0;
	uint64_t moved = mf->shared->moved;

	/* The FIN counts as a byte. A socket that is closed without one was reset; the error is
	 * gone when the kernel's own sending met it first. */
	if (received == moved + 1)
		return drained(mf) ? ENDED : GOING_ON;
	if (received == moved && xf_tcp__is_closed(from))
		return RESET;
	xf_tcp__kick(from);
	return GOING_ON;
}

/* The flow may receive again: nothing waits, and what the send buffer still has is not much, or
 * little when all together hold much. */
static bool may_go_on(struct xf_sockmap *sm, struct xf_mapped_flow *mf)
{
	uint64_t held = account(sm, mf);

	if (!drained(mf))
		return false;
	return held <= sm->totals->base ||
	       (held <= FLOW_LIMIT / 2 && sm->totals->held <= sm->totals->held_max);
}

/* The flow can be another engine's: what is left is within what was reserved for its send buffer. */
static bool may_leave(struct xf_mapped_flow *mf)
{
	uint64_t all = mf->written0 + mf->shared->moved;

	return drained(mf) &&
	       all - xf_tcp__acked(mf->flow->to->watch.fd) <= xf_room__send_size(mf->flow);
}

static bool all_drained(struct xf_mapped *mapped)
{
	bool all = true;

	for (unsigned int i = 0; i < mapped->relay->flows; i++)
		all = (mapped->flow[i].flow->done || may_leave(&mapped->flow[i])) && all;
	return all;
}

/* One of the flows cannot be redirected any more while bytes and a FIN are in its queue: give the
 * relay to copy, which finishes it. Needs the other flow drained too. */
static void leave_map(struct xf_mapped *mapped)
{
	struct xf_relay *relay = mapped->relay;

	if (relay->stopping || !xf_room__reserve(relay))
		return;
	relay->next = XF_ENGINE_COPY;
	relay->stopping = true;
	if (relay->engine->stop(relay))
		xf_relay__stopped(relay);
}

/* Returns false when the relay has ended or is another engine's. */
static bool look_at(struct xf_mapped *mapped, unsigned int i, bool *more)
{
	struct xf_relay *relay = mapped->relay;
	struct xf_sockmap *sm = relay->mover->sockmap;
	struct xf_mapped_flow *mf = &mapped->flow[i];

	if (mf->flow->done)
		return true;
	if (mf->draining) {
		*more = true;
		if (!may_go_on(sm, mf))
			return true;
		if (put_back(sm, mf))
			mf->ending = true;
	}
	if (!mf->ending)
		return true;
	*more = true;
	if (!mf->in_src) {
		leave_map(mapped);
		return relay->mapped == mapped;
	}
	switch (ended(mf)) {
	case GOING_ON:
		return true;
	case RESET:
		return xf_relay__failed(mf->flow->from, ECONNRESET);
	case ENDED:
		break;
	}
	sync_flow(mf);
	return xf_relay__flow_done(mf->flow);
}

static bool changed(struct xf_mapped *mapped)
{
	bool any = false;

	for (unsigned int i = 0; i < mapped->relay->flows; i++) {
		struct xf_mapped_flow *mf = &mapped->flow[i];
		uint64_t now = xf_tcp__written(mf->flow->to->watch.fd);

		any = any || now != mf->last;
		mf->last = now;
	}
	return any;
}

/* The other direction goes on; the stalled one stays out until it has drained. */
static void stay(struct xf_mapped *mapped)
{
	struct xf_sockmap *sm = mapped->relay->mover->sockmap;

	mapped->stopping = false;
	for (unsigned int i = 0; i < mapped->relay->flows; i++) {
		struct xf_mapped_flow *mf = &mapped->flow[i];

		if (mf->draining && may_go_on(sm, mf) && put_back(sm, mf))
			mf->ending = true;
	}
	xf_relay__not_stopped(mapped->relay);
}

static void on_look(struct xf_timer *timer, uint64_t now)
{
	struct xf_mapped *mapped = xf_container_of(timer, struct xf_mapped, timer);
	struct xf_relay *relay = mapped->relay;
	bool more = false;

	if (mapped->stopping && all_drained(mapped)) {
		if (give_back(mapped))
			xf_relay__stopped(relay);
		return;
	}
	if (mapped->stopping && now >= mapped->give_up)
		stay(mapped);
	for (unsigned int i = 0; !mapped->stopping && i < relay->flows; i++)
		if (!look_at(mapped, i, &more))
			return;
	if (!more && !mapped->stopping)
		return;
	mapped->wait = changed(mapped) ? LOOK_FIRST : mapped->wait * 2;
	if (mapped->wait > LOOK_LAST)
		mapped->wait = LOOK_LAST;
	xf_loop__arm(relay->mover->loop, timer, now + mapped->wait);
}

static bool stop(struct xf_relay *relay)
{
	struct xf_mapped *mapped = relay->mapped;
	struct xf_sockmap *sm = relay->mover->sockmap;

	for (unsigned int i = 0; i < relay->flows; i++)
		if (!mapped->flow[i].flow->done)
			drain(sm, &mapped->flow[i]);
	if (all_drained(mapped))
		return give_back(mapped);
	mapped->stopping = true;
	mapped->give_up = xf_loop__now(relay->mover->loop) + STOP_PATIENCE;
	look_soon(mapped);
	return false;
}

/* ---- what happens to a mapped relay ---- */

static struct xf_mapped_flow *flow_from(struct xf_mapped *mapped, const struct xf_side *side)
{
	for (unsigned int i = 0; i < mapped->relay->flows; i++)
		if (mapped->flow[i].flow->from == side)
			return &mapped->flow[i];
	return NULL;
}

static void ready(struct xf_relay *relay, struct xf_side *side, uint32_t events)
{
	struct xf_mapped *mapped = relay->mapped;
	struct xf_mapped_flow *mf;
	int err;

	if (!side)
		return;
	mf = flow_from(mapped, side);
	err = events & (EPOLLERR | EPOLLHUP) ? xf_tcp__error(side->watch.fd) : 0;
	if (err) {
		xf_relay__failed(side, err);
		return;
	}
	if (!(events & (EPOLLRDHUP | EPOLLHUP)) || mf->ending || mf->flow->done)
		return;
	mf->ending = true;
	/* Mostly everything has gone already. */
	if (!mapped->stopping)
		on_look(&mapped->timer, xf_loop__now(relay->mover->loop));
}

/* Too much is held by all together: every flow that holds much drains. */
static void drain_holders(struct xf_sockmap *sm)
{
	for (uint32_t i = 0; i < sm->indexes; i++) {
		struct xf_mapped *mapped = sm->by_index[i];

		if (!mapped || !sm->flows[i].counted)
			continue;
		for (unsigned int n = 0; n < mapped->relay->flows; n++) {
			struct xf_mapped_flow *mf = &mapped->flow[n];

			if (mf->shared != &sm->flows[i] || mf->draining || mf->flow->done)
				continue;
			drain(sm, mf);
			look_soon(mapped);
		}
	}
}

static void too_much(struct xf_mapped *mapped, struct xf_mapped_flow *mf)
{
	struct xf_sockmap *sm = mapped->relay->mover->sockmap;

	if (sm->totals->held > sm->totals->held_max)
		drain_holders(sm);
	drain(sm, mf);
	look_soon(mapped);
}

void xf_sockmap__told(struct xf_mapped *mapped, const struct xf_relay_event *event)
{
	struct xf_relay *relay = mapped->relay;
	struct xf_mapped_flow *mf = NULL;

	for (unsigned int i = 0; i < relay->flows; i++)
		if (mapped->flow[i].shared->index == event->index)
			mf = &mapped->flow[i];
	if (!mf || mf->flow->from->cookie != event->cookie)
		return;
	if (event->what & XF_TELL_DEAD) {
		xf_debug("the kernel could not redirect %llu bytes",
			 (unsigned long long)relay->mover->sockmap->totals->dropped);
		xf_relay__failed(mf->flow->to, EPIPE);
		return;
	}
	if (event->what & XF_TELL_LIMIT) {
		if (!mf->draining && !mf->flow->done)
			too_much(mapped, mf);
		return;
	}
	__atomic_store_n(&mf->shared->told, 0, __ATOMIC_RELAXED);
	sync_flow(mf);
	relay->active = xf_loop__now(relay->mover->loop);
	mf->flow->run = relay->mover->opts.engine == XF_ENGINE_AUTO ? XF_BULK_RUN : 0;
	xf_relay__choose(relay);
}

const struct xf_engine xf_engine_sockmap = {
	.id = XF_ENGINE_SOCKMAP,
	.start = start,
	.ready = ready,
	.stop = stop,
	.drop = drop,
};
