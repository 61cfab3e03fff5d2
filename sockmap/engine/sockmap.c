// SPDX-License-Identifier: GPL-2.0-only
/* The kernel moves the bytes: the verdict program redirects the bytes that one socket receives to
 * the other, and user space is woken for bytes that were passed to it, for ends and for errors.
 *
 * The kernel does not pass on the end of a stream, and it drops the bytes that wait for a socket
 * that is taken out of a map. So every step away from redirecting has the same order: take the
 * source out, wait until the moved bytes have been written, go on. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "lib/time.h"
#include "sockmap/engine/engine.h"
#include "lib/msg.h"
#include "sockmap/relay/room.h"
#include "sockmap/engine/sockmap_impl.h"
#include "sockmap/relay/tcp_state.h"

/* While mapped, user space hears of the end of a stream, of errors, and of room in a socket that
 * was full, but not of every segment. */
#define MAPPED_EVENTS (EPOLLRDHUP | EPOLLOUT | EPOLLET)

/* Between two looks at what nothing announces. The first ones are in the next turns: mostly a
 * thread of the kernel is at work. */
#define LOOKS_SOON 4
#define LOOK_FIRST (XF_MSEC / 2)
#define LOOK_LAST (64 * XF_MSEC)

/* ---- taking over and giving back ---- */

void xf_sockmap__sync(struct xf_relay *relay)
{
	for (unsigned int i = 0; i < relay->flows; i++)
		if (relay->mapped->flow[i].shared)
			xf_mapped__sync(&relay->mapped->flow[i]);
}

/* Forget the flows; what they hold must have been written, or is given up with the sockets, which
 * leave the maps when they are closed. */
static void unmap(struct xf_mapped *mapped)
{
	struct xf_relay *relay = mapped->relay;
	struct xf_sockmap *sm = relay->mover->sockmap;

	xf_loop__disarm(relay->mover->loop, &mapped->timer);
	for (unsigned int i = 0; i < relay->flows; i++) {
		struct xf_mapped_flow *mf = &mapped->flow[i];

		if (!mf->shared)
			continue;
		xf_mapped__sync(mf);
		xf_sockmap__remove(sm->by_cookie, mf->flow->from->cookie);
		xf_sockmap__put(sm, mf->shared->index);
	}
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
	mf->consumed0 = xf_tcp__consumed(flow->from->watch.fd);
	mf->written0 = xf_tcp__written_exactly(flow->to->watch.fd);
	mf->shared->pair = mf->shared->index;
	mf->shared->to = flow->to->cookie;
	mf->shared->limit = mapped->relay->limit[i];
	mf->shared->written0 = mf->written0;
	err = xf_sockmap__add(sm->by_cookie, flow->from->cookie, mf->shared->index);
	return err ? err : xf_sockmap__add(sm->dst, flow->to->cookie, flow->to->watch.fd);
}

/* Destinations first, then sources: a redirect to a socket that is not there is refused. */
static int map_flows(struct xf_sockmap *sm, struct xf_mapped *mapped)
{
	struct xf_relay *relay = mapped->relay;
	int err = 0;

	for (unsigned int i = 0; !err && i < relay->flows; i++) {
		mapped->flow[i].flow = &relay->flow[i];
		err = map_flow(sm, mapped, i);
	}
	if (!err && relay->flows == 2) {
		mapped->flow[0].shared->pair = mapped->flow[1].shared->index;
		mapped->flow[1].shared->pair = mapped->flow[0].shared->index;
	}
	return err ? err : xf_mapped__enter(sm, &mapped->flow[0]);
}

static void on_look(struct xf_timer *timer, uint64_t now);

static void set_events(struct xf_side *side, uint32_t events)
{
	xf_loop__mod(side->relay->mover->loop, &side->watch, events);
}

static void take_by_hand(struct xf_mapped_flow *mf)
{
	struct xf_relay *relay = mf->flow->relay;

	mf->state = XF_BY_HAND;
	mf->flow->from->readable = mf->flow->to->writable = true;
	set_events(mf->flow->from, XF_PLAIN_EVENTS);
	xf_relay__again(relay);
}

/* The kicks come last: the bytes that they show to the verdict may at once bring the other side's
 * answer and its FIN. When the FIN of the second source has come meanwhile it is refused, and what
 * is left of that flow goes by hand, while the first one stays. */
static int start(struct xf_relay *relay)
{
	struct xf_sockmap *sm = relay->mover->sockmap;
	struct xf_mapped *mapped = calloc(1, sizeof(*mapped));
	int err;

	if (!mapped)
		return -ENOMEM;
	mapped->relay = relay;
	mapped->timer.fn = on_look;
	relay->mapped = mapped;
	err = map_flows(sm, mapped);
	if (err) {
		for (unsigned int i = 0; i < relay->flows; i++)
			if (mapped->flow[i].shared)
				xf_sockmap__remove(sm->dst, relay->flow[i].to->cookie);
		unmap(mapped);
		return err;
	}
	for (unsigned int i = 0; i < relay->flows; i++)
		set_events(&relay->side[i], MAPPED_EVENTS);
	if (relay->flows == 2 && xf_mapped__enter(sm, &mapped->flow[1]))
		take_by_hand(&mapped->flow[1]);
	for (unsigned int i = 0; i < relay->flows; i++)
		if (mapped->flow[i].state == XF_MAPPED)
			xf_tcp__kick(mapped->flow[i].flow->from->watch.fd);
	return 0;
}

/* Returns false: the relay has ended. */
static bool lost(struct xf_relay *relay)
{
	struct xf_sockmap *sm = relay->mover->sockmap;
	uint64_t times;
	char text[32];

	if (xf_ratelimit_due(&sm->warn_lost, xf_loop__now(sm->mover->loop), &times))
		xf_err("a connection is reset%s: the kernel lost bytes of it in the sockmap",
		       xf_times_text(times, text));
	xf_relay__abort(relay, XF_END_ERROR);
	return false;
}

/* All that was moved is written, and the rest fits into the reserved send buffers. */
static bool may_give_back(struct xf_mapped *mapped)
{
	for (unsigned int i = 0; i < mapped->relay->flows; i++) {
		struct xf_flow *flow = &mapped->relay->flow[i];

		if (!flow->done && mapped->flow[i].state != XF_BY_HAND)
			return false;
		if (!flow->done && xf_tcp__unacked(flow->to->watch.fd) > xf_room__send_size(flow)) {
			mapped->look = true;
			return false;
		}
	}
	return true;
}

/* The source of a flow that is done is still in its map. */
static void give_back(struct xf_mapped *mapped)
{
	struct xf_relay *relay = mapped->relay;
	struct xf_sockmap *sm = relay->mover->sockmap;

	for (unsigned int i = 0; i < relay->flows; i++) {
		if (mapped->flow[i].state != XF_BY_HAND)
			xf_sockmap__remove(sm->src, relay->flow[i].from->cookie);
		xf_sockmap__remove(sm->dst, relay->flow[i].to->cookie);
	}
	unmap(mapped);
	for (unsigned int i = 0; i < relay->flows; i++) {
		relay->side[i].fresh = false;
		set_events(&relay->side[i], XF_PLAIN_EVENTS);
	}
}

static void drop(struct xf_relay *relay)
{
	if (relay->mapped)
		unmap(relay->mapped);
}

/* ---- the flows ---- */

/* Out of the source map and drained: user space goes on. Of a source that was reset the kernel does
 * not tell how many bytes wait, and the error may be gone. Returns false: the relay has ended. */
static bool go_by_hand(struct xf_mapped_flow *mf)
{
	int err;

	if (!xf_mapped__is_whole(mf)) {
		err = xf_tcp__error(mf->flow->from->watch.fd);
		if (!err && xf_tcp__is_closed(mf->flow->from->watch.fd))
			err = ECONNRESET;
		return err ? xf_relay__failed(mf->flow->from, err) : lost(mf->flow->relay);
	}
	xf_mapped__sync_drained(mf);
	take_by_hand(mf);
	return true;
}

/* One step of a flow whose passed bytes have been forwarded. */
static enum xf_progress step(struct xf_sockmap *sm, struct xf_mapped_flow *mf)
{
	switch (mf->state) {
	case XF_ENDING:
		return xf_mapped__end(mf);
	case XF_LEAVING:
		if (!xf_mapped__leave(sm, mf))
			return XF_TURN;
		mf->state = XF_DRAINING;
		/* fall through */
	case XF_DRAINING:
		return xf_mapped__is_drained(mf) ? XF_ALL : XF_LOOK;
	default:
		return XF_ALL;
	}
}

/* Returns false: the relay has ended. */
static bool handle(struct xf_mapped *mapped, struct xf_mapped_flow *mf, enum xf_progress progress,
		   int err)
{
	struct xf_flow *flow = mf->flow;

	switch (progress) {
	case XF_ALL:
		return mf->state != XF_DRAINING || go_by_hand(mf);
	case XF_FULL:
		return true;
	case XF_TURN:
		xf_relay__again(mapped->relay);
		return true;
	case XF_LOOK:
		mapped->look = true;
		return true;
	case XF_ENDED:
		xf_mapped__sync_drained(mf);
		return xf_relay__flow_done(flow);
	case XF_RESET:
		err = xf_tcp__error(flow->from->watch.fd);
		return xf_relay__failed(flow->from, err ? err : ECONNRESET);
	case XF_LOST:
		return lost(mapped->relay);
	case XF_NO_ROOM:
		return xf_relay__failed(flow->from, ENOMEM);
	case XF_NO_FROM:
		return xf_relay__failed(flow->from, err);
	case XF_NO_TO:
		return xf_relay__failed(flow->to, err);
	}
	return true;
}

/* Returns false: the relay has ended. */
static bool tend(struct xf_mapped *mapped, struct xf_mapped_flow *mf)
{
	enum xf_progress progress;
	int err = 0;

	if (mf->flow->done)
		return true;
	if (mf->state == XF_BY_HAND)
		return xf_mapped__may_hold(mf) ? xf_copy__pump(mf->flow)
					       : handle(mapped, mf, XF_NO_ROOM, 0);
	progress = mf->state == XF_DRAINING ? XF_ALL : xf_mapped__forward(mf, &err);
	if (progress == XF_ALL)
		progress = step(mapped->relay->mover->sockmap, mf);
	return handle(mapped, mf, progress, err);
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

/* A flow waits for what nothing announces. */
static void look_later(struct xf_mapped *mapped)
{
	struct xf_loop *loop = mapped->relay->mover->loop;

	if (mapped->soon < LOOKS_SOON) {
		mapped->soon++;
		xf_relay__again(mapped->relay);
		return;
	}
	if (mapped->timer.pos)
		return;
	mapped->wait = changed(mapped) || !mapped->wait ? LOOK_FIRST : mapped->wait * 2;
	if (mapped->wait > LOOK_LAST)
		mapped->wait = LOOK_LAST;
	xf_loop__arm(loop, &mapped->timer, xf_loop__now(loop) + mapped->wait);
}

/* Go on with all flows. Returns false: the relay has ended, or is another engine's. */
static bool tend_all(struct xf_mapped *mapped)
{
	struct xf_relay *relay = mapped->relay;

	mapped->look = false;
	for (unsigned int i = 0; i < relay->flows; i++)
		if (!tend(mapped, &mapped->flow[i]))
			return false;
	if (relay->stopping && may_give_back(mapped)) {
		give_back(mapped);
		xf_relay__stopped(relay);
		return false;
	}
	if (mapped->look)
		look_later(mapped);
	else
		mapped->soon = 0;
	return true;
}

static void on_look(struct xf_timer *timer, uint64_t now)
{
	struct xf_mapped *mapped = xf_container_of(timer, struct xf_mapped, timer);

	(void)now;
	tend_all(mapped);
}

static bool stop(struct xf_relay *relay)
{
	struct xf_mapped *mapped = relay->mapped;

	for (unsigned int i = 0; i < relay->flows; i++)
		if (mapped->flow[i].state == XF_MAPPED || mapped->flow[i].state == XF_ENDING)
			mapped->flow[i].state = XF_LEAVING;
	xf_relay__again(relay);
	return false;
}

/* ---- what happens to a mapped relay ---- */

static void announce_end(struct xf_mapped *mapped, const struct xf_side *side)
{
	for (unsigned int i = 0; i < mapped->relay->flows; i++)
		if (mapped->flow[i].flow->from == side && mapped->flow[i].state == XF_MAPPED)
			mapped->flow[i].state = XF_ENDING;
}

static void ready(struct xf_relay *relay, struct xf_side *side, uint32_t events)
{
	struct xf_mapped *mapped = relay->mapped;

	if (events & (EPOLLRDHUP | EPOLLHUP))
		announce_end(mapped, side);
	/* Bytes from before a reset were passed on as far as the other side took them. */
	if (tend_all(mapped))
		xf_copy__was_reset(side, events);
}

/* The entry may have had another owner when this was told. */
static struct xf_mapped_flow *flow_told(struct xf_mapped *mapped,
					const struct xf_relay_event *event)
{
	for (unsigned int i = 0; i < mapped->relay->flows; i++) {
		struct xf_mapped_flow *mf = &mapped->flow[i];

		if (mf->shared->index == event->index && mf->flow->from->cookie == event->cookie)
			return mf;
	}
	return NULL;
}

void xf_sockmap__told(struct xf_sockmap *sm, struct xf_mapped *mapped,
		      const struct xf_relay_event *event)
{
	struct xf_mapped_flow *mf = flow_told(mapped, event);
	struct xf_relay *relay = mapped->relay;
	uint64_t told;

	if (!mf)
		return;
	told = __atomic_exchange_n(&mf->shared->told, 0, __ATOMIC_SEQ_CST);
	if (told & XF_TELL_PASSED) {
		relay->active = xf_loop__now(relay->mover->loop);
		if (xf_mapped__moved(mf) >= XF_BULK_RUN)
			__atomic_store_n(&mf->shared->limit, xf_room__widen(mf->flow),
					 __ATOMIC_RELAXED);
		if (!tend_all(mapped))
			return;
	}
	if (told & XF_TELL_BULK) {
		xf_mapped__sync(mf);
		relay->active = xf_loop__now(relay->mover->loop);
		mf->flow->run = relay->mover->opts.engine == XF_ENGINE_AUTO ? XF_BULK_RUN : 0;
		xf_relay__choose(relay);
	}
	if (told & XF_TELL_BUSY)
		xf_sockmap__busy(sm);
}

const struct xf_engine xf_engine_sockmap = {
	.id = XF_ENGINE_SOCKMAP,
	.start = start,
	.ready = ready,
	.stop = stop,
	.drop = drop,
};
