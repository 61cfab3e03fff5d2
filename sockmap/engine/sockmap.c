// SPDX-License-Identifier: GPL-2.0-only
/* The kernel moves the bytes: the verdict program redirects the bytes that one socket receives to
 * the other, and user space is woken for ends, for errors and when too much is held.
 *
 * The kernel neither passes on the end of a stream nor holds up a sender whose receiver is slow,
 * and it drops the bytes that wait for a socket that is taken out of a map. So every step away from
 * redirecting has the same order: take the source out, wait until the moved bytes have been
 * written, go on. */
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

/* While mapped, user space hears of the end of a stream and of errors, not of every segment. */
#define MAPPED_EVENTS (EPOLLRDHUP | EPOLLET)

/* Between two looks at a flow that ends or drains: nothing announces it. */
#define LOOK_FIRST (XF_MSEC / 2)
#define LOOK_LAST (64 * XF_MSEC)
/* With more flows that wait for stalled readers each is looked at less often, so that all together
 * cost no more. */
#define LOOKED_AT 64
#define LOOK_MOST (1 * XF_NSEC)

/* So often may a relay hold too much until it leaves the map, where it can. */
#define LIMITS_TO_LEAVE 4

/* Until both sources are in, a flow may hold twice so much and a window: a send buffer takes it. */
#define ENTER_LIMIT (XF_FLOW_LIMIT / 8)

/* Leaving the map waits for both directions, some round trips. When a reader is stalled that takes
 * for ever, and the other direction must not wait for it. */
#define STOP_PATIENCE (5 * XF_MSEC)
#define STOP_PATIENCE_MAX (500 * XF_MSEC)
#define STOP_TRIPS 4

static void look_soon(struct xf_mapped *mapped)
{
	struct xf_loop *loop = mapped->relay->mover->loop;

	mapped->wait = LOOK_FIRST;
	xf_loop__arm(loop, &mapped->timer, xf_loop__now(loop) + mapped->wait);
}

/* ---- taking over and giving back ---- */

void xf_sockmap__sync(struct xf_relay *relay)
{
	for (unsigned int i = 0; i < relay->flows; i++)
		if (relay->mapped->flow[i].shared)
			xf_mapped__sync(&relay->mapped->flow[i]);
}

/* Forget the flows; what they hold must have been written, or is given up with the sockets. */
static void unmap(struct xf_mapped *mapped)
{
	struct xf_relay *relay = mapped->relay;
	struct xf_sockmap *sm = relay->mover->sockmap;

	xf_loop__disarm(relay->mover->loop, &mapped->timer);
	for (unsigned int i = 0; i < relay->flows; i++)
		if (mapped->flow[i].shared)
			xf_mapped__leave(sm, &mapped->flow[i]);
	for (unsigned int i = 0; i < relay->flows; i++) {
		struct xf_mapped_flow *mf = &mapped->flow[i];

		if (!mf->shared)
			continue;
		xf_mapped__sync(mf);
		if (mf->draining)
			xf_mapped__drain_over(sm, mf);
		xf_room__resume(mf->flow);
		xf_mapped__uncount(sm, mf);
		xf_sockmap__remove(sm->by_cookie, mf->flow->from->cookie);
		xf_sockmap__remove(sm->dst, mf->flow->to->cookie);
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
	if (mf->shared->base < mapped->relay->own)
		mf->shared->base = mapped->relay->own;
	mf->shared->pair = mf->shared->index;
	mf->shared->to = flow->to->cookie;
	mf->shared->limit = ENTER_LIMIT;
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

/* Take the first source out again, when nothing has moved the other way. 5.10 calls a verdict for
 * as long as its socket is in any SOCKHASH. */
static void withdraw(struct xf_sockmap *sm, struct xf_mapped_flow *mf)
{
	int from = mf->flow->from->watch.fd;

	xf_mapped__leave(sm, mf);
	xf_tcp__hush(from);
	xf_sockmap__remove(sm->dst, mf->flow->from->cookie);
	xf_tcp__kick(from);
	__atomic_store_n(&mf->shared->stop, 0, __ATOMIC_SEQ_CST);
}

static void end_by_hand(struct xf_mapped_flow *mf)
{
	mf->barred = true;
	mf->ending = true;
	mf->paused = xf_room__pause(mf->flow);
	xf_room__restrain(mf->flow);
}

/* Both sources or none. The kernel hears that a send buffer has room again, and goes on with what
 * it keeps for that socket, by a callback that it sets when the socket becomes a source; 5.10 goes
 * on by nothing else. The second source is refused when its FIN has come meanwhile: the bytes moved
 * there then fill its send buffer once, and the rest waits for ever. So the first one is taken out
 * again. When it has moved nothing, and lost nothing on its way out, the relay is as before; else
 * the moved bytes are few enough to be sent for sure (ENTER_LIMIT), and user space goes on behind
 * it, or finds the loss. */
static int enter_both(struct xf_sockmap *sm, struct xf_mapped *mapped)
{
	int err = xf_mapped__enter(sm, &mapped->flow[0]);

	if (err || mapped->relay->flows == 1)
		return err;
	err = xf_mapped__enter(sm, &mapped->flow[1]);
	if (!err)
		return 0;
	withdraw(sm, &mapped->flow[0]);
	if (!mapped->flow[0].shared->moved && xf_mapped__is_whole(&mapped->flow[0]))
		return err;
	for (unsigned int i = 0; i < 2; i++)
		end_by_hand(&mapped->flow[i]);
	look_soon(mapped);
	return 0;
}

/* Destinations first, then sources: a redirect to a socket that is not there loses its bytes. The
 * kicks last: the bytes that they show to the verdict may at once bring the other side's answer and
 * its FIN. */
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
		err = enter_both(sm, mapped);
	if (err) {
		unmap(mapped);
		return err;
	}
	set_events(relay, MAPPED_EVENTS);
	for (unsigned int i = 0; i < relay->flows; i++) {
		xf_mapped__begin(sm, &mapped->flow[i]);
		if (mapped->flow[i].draining)
			look_soon(mapped);
	}
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

/* All that was moved has been written: plain sockets again. The kernel must have taken out of the
 * receive queue the bytes that the verdict has seen, and no others. False: the relay has ended. */
static bool give_back(struct xf_mapped *mapped)
{
	struct xf_relay *relay = mapped->relay;
	uint64_t seen[2] = {};
	bool by_hand[2] = {};

	for (unsigned int i = 0; i < relay->flows; i++) {
		by_hand[i] = mapped->flow[i].by_hand;
		xf_mapped__leave(relay->mover->sockmap, &mapped->flow[i]);
		xf_mapped__sync_drained(&mapped->flow[i]);
		seen[i] = mapped->flow[i].consumed0 + mapped->flow[i].shared->moved;
	}
	unmap(mapped);
	set_events(relay, XF_PLAIN_EVENTS);
	for (unsigned int i = 0; i < relay->flows; i++) {
		struct xf_side *from = relay->flow[i].from;
		uint64_t consumed = xf_tcp__consumed(from->watch.fd);

		from->fresh = false;
		/* An unread FIN counts as consumed. */
		if (relay->flow[i].done || by_hand[i] || consumed == seen[i] ||
		    (consumed == seen[i] + 1 && !xf_tcp__is_established(from->watch.fd)))
			continue;
		return lost(relay);
	}
	return true;
}

static void drop(struct xf_relay *relay)
{
	if (relay->mapped)
		unmap(relay->mapped);
}

/* ---- looking after flows that end, drain or stop ---- */

static bool all_drained(struct xf_mapped *mapped)
{
	bool all = true;

	for (unsigned int i = 0; i < mapped->relay->flows; i++)
		all = (mapped->flow[i].flow->done || xf_mapped__may_leave(&mapped->flow[i])) && all;
	return all;
}

/* Check for lost bytes before user space reads from the flow's source. Where that was reset, the
 * kernel does not tell how many bytes wait. Returns false: the relay has ended. */
static bool check_whole(struct xf_mapped_flow *mf)
{
	int err;

	if (xf_mapped__is_whole(mf))
		return true;
	err = xf_tcp__error(mf->flow->from->watch.fd);
	return err ? xf_relay__failed(mf->flow->from, err) : lost(mf->flow->relay);
}

/* The flow's FIN has come while its source was out, or the other flow's has gone that way, and the
 * map takes no such socket: the rest of its queue goes through user space, behind all that was
 * moved. The other direction goes on. Returns false when the relay has ended. */
static bool finish_by_hand(struct xf_mapped_flow *mf)
{
	struct xf_flow *flow = mf->flow;

	if (!mf->by_hand && !xf_mapped__is_drained(mf))
		return true;
	if (!mf->by_hand) {
		if (!check_whole(mf))
			return false;
		xf_mapped__sync_drained(mf);
		mf->by_hand = true;
	}
	/* A verdict that runs all the same takes bytes from between those that are read here. */
	if (mf->moved != mf->shared->moved)
		return lost(flow->relay);
	/* Nothing announces either while the sockets are mapped. */
	flow->from->readable = flow->from->fin = flow->to->writable = true;
	return xf_copy__pump(flow);
}

/* Whether the bytes in the queue stay there: no verdict is called for them. A barred flow was taken
 * out of both maps. */
static bool is_left_alone(const struct xf_sockmap *sm, const struct xf_mapped_flow *mf)
{
	return !mf->in_src && (sm->leaves || mf->barred);
}

/* Returns false when the relay has ended. */
static bool pass_on(struct xf_sockmap *sm, struct xf_mapped_flow *mf)
{
	if (!sm->leaves || !mf->paused)
		return true;
	return check_whole(mf) && xf_mapped__pass_on(mf, sm->mover->scratch);
}

/* Returns false when the relay has ended. */
static bool look_at(struct xf_mapped *mapped, unsigned int i, bool *more)
{
	struct xf_relay *relay = mapped->relay;
	struct xf_sockmap *sm = relay->mover->sockmap;
	struct xf_mapped_flow *mf = &mapped->flow[i];

	if (mf->flow->done)
		return true;
	if (mf->draining) {
		*more = true;
		if (!xf_mapped__may_go_on(sm, mf))
			return pass_on(sm, mf);
		if (xf_mapped__put_back(sm, mf))
			mf->ending = true;
	}
	if (!mf->ending)
		return true;
	*more = true;
	if (mf->by_hand || is_left_alone(sm, mf))
		return finish_by_hand(mf);
	switch (xf_mapped__progress(mf)) {
	case XF_GOING_ON:
		return true;
	case XF_LOST:
		/* Some of the older kernels may leave the queue alone, too. */
		if (!mf->in_src && xf_tcp__in_queue(mf->flow->from->watch.fd))
			return finish_by_hand(mf);
		return lost(relay);
	case XF_RESET:
		return xf_relay__failed(mf->flow->from, ECONNRESET);
	case XF_ENDED:
		break;
	}
	xf_mapped__sync_drained(mf);
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

		if (mf->draining && xf_mapped__may_go_on(sm, mf) && xf_mapped__put_back(sm, mf))
			mf->ending = true;
	}
	xf_relay__not_stopped(mapped->relay);
}

static uint64_t longest_wait(const struct xf_sockmap *sm)
{
	uint64_t wait = LOOK_LAST * (1 + sm->draining / LOOKED_AT);

	return wait < LOOK_MOST ? wait : LOOK_MOST;
}

/* All that is left is finished by user space, which hears of nothing while the sockets are mapped.
 */
static bool is_by_hand(const struct xf_mapped *mapped)
{
	for (unsigned int i = 0; i < mapped->relay->flows; i++)
		if (!mapped->flow[i].flow->done && !mapped->flow[i].by_hand)
			return false;
	return true;
}

/* Such a relay is better off with an engine that is woken, if there is memory for that. Returns
 * whether it still is this one's. */
static bool keep(struct xf_mapped *mapped, uint64_t now)
{
	struct xf_relay *relay = mapped->relay;

	if (!mapped->stopping && is_by_hand(mapped) && all_drained(mapped) && now >= relay->settled)
		xf_relay__move(relay, XF_ENGINE_COPY);
	return relay->mapped == mapped;
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
	if ((!more && !mapped->stopping) || !keep(mapped, now))
		return;
	mapped->wait = changed(mapped) ? LOOK_FIRST : mapped->wait * 2;
	if (mapped->wait > longest_wait(relay->mover->sockmap))
		mapped->wait = longest_wait(relay->mover->sockmap);
	xf_loop__arm(relay->mover->loop, timer, now + mapped->wait);
}

static uint64_t patience(const struct xf_relay *relay)
{
	uint64_t longest = STOP_PATIENCE;

	for (unsigned int i = 0; i < relay->flows; i++) {
		uint64_t trips = STOP_TRIPS * xf_tcp__rtt(relay->side[i].watch.fd);

		longest = trips > longest ? trips : longest;
	}
	return longest < STOP_PATIENCE_MAX ? longest : STOP_PATIENCE_MAX;
}

static bool stop(struct xf_relay *relay)
{
	struct xf_mapped *mapped = relay->mapped;
	struct xf_sockmap *sm = relay->mover->sockmap;

	for (unsigned int i = 0; i < relay->flows; i++)
		if (!mapped->flow[i].flow->done)
			xf_mapped__drain(sm, &mapped->flow[i]);
	if (all_drained(mapped))
		return give_back(mapped);
	mapped->stopping = true;
	mapped->give_up = xf_loop__now(relay->mover->loop) + patience(relay);
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
			xf_mapped__drain(sm, mf);
			look_soon(mapped);
		}
	}
}

static void too_much(struct xf_mapped *mapped, struct xf_mapped_flow *mf)
{
	struct xf_sockmap *sm = mapped->relay->mover->sockmap;

	if (sm->totals->held > sm->totals->held_max)
		drain_holders(sm);
	xf_mapped__drain(sm, mf);
	look_soon(mapped);
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

static void found_room(struct xf_sockmap *sm, struct xf_mapped *mapped,
		       const struct xf_relay_event *event)
{
	struct xf_mapped_flow *mf = mapped ? flow_told(mapped, event) : NULL;

	xf_sockmap__taken(sm, mf);
	if (mf)
		look_soon(mapped);
}

void xf_sockmap__told(struct xf_sockmap *sm, struct xf_mapped *mapped,
		      const struct xf_relay_event *event)
{
	struct xf_mapped_flow *mf;
	struct xf_relay *relay;

	if (event->what & XF_TELL_ROOM) {
		found_room(sm, mapped, event);
		return;
	}
	mf = mapped ? flow_told(mapped, event) : NULL;
	if (!mf)
		return;
	relay = mapped->relay;
	if (event->what & XF_TELL_DEAD) {
		xf_debug("the kernel could not redirect %llu bytes",
			 (unsigned long long)relay->mover->sockmap->totals->dropped);
		xf_relay__failed(mf->flow->to, EPIPE);
		return;
	}
	if (event->what & XF_TELL_LOST) {
		lost(relay);
		return;
	}
	if (event->what & XF_TELL_LIMIT) {
		if (!mf->draining && !mf->flow->done)
			too_much(mapped, mf);
		if (++mapped->limits < LIMITS_TO_LEAVE ||
		    relay->mover->opts.engine != XF_ENGINE_AUTO)
			return;
		/* Another engine has TCP's own flow control, and is not taken out and put back. */
		mf->flow->run = XF_BULK_RUN;
		xf_relay__choose(relay);
		return;
	}
	__atomic_store_n(&mf->shared->told, 0, __ATOMIC_RELAXED);
	if (event->what & XF_TELL_BUSY) {
		xf_sockmap__busy(relay->mover->sockmap);
		return;
	}
	xf_mapped__sync(mf);
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
