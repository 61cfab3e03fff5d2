// SPDX-License-Identifier: GPL-2.0-only
/* The choice of a relay's engine, and of its room.
 *
 * Messages that go to and fro are the sockmap's: no wake-up of user space, the shortest way; but
 * with very few or many at a time they are copy's, or splice's if they are large (crowd.h). Bulk is
 * splice's: it moves large pieces with TCP's own flow control and does not touch them. A relay
 * begins with copy, which costs nothing to set up, so that connections that live for one exchange
 * pay nothing. */
#include "lib/time.h"
#include "sockmap/relay/budget.h"
#include "sockmap/engine/engine.h"
#include "sockmap/relay/room.h"
#include "sockmap/relay/tcp_state.h"

#include <unistd.h>

/* Moving to the sockmap costs some fifteen system calls: earned back after a few exchanges. It also
 * takes a few to see whether polling pays. */
#define TURNS_TO_MAP 6
/* Messages of this size are better not copied, bytes: with 16 KiB splice took 0.6 to 1 of copy's
 * time, with 4 KiB 1.1 to 1.3. */
#define LARGE_MESSAGE (12 * 1024)
/* crowd.h says what was measured. */
#define CROWD_PER_CPU 4
/* After room for bulk could not be had, ns. */
#define GROW_PAUSE (100 * XF_MSEC)
/* For so long after a piece of bulk there may be more, ns. */
#define BULK_PAUSE (10 * XF_MSEC)

static uint64_t now_of(const struct xf_relay *relay)
{
	return xf_loop__now(relay->mover->loop);
}

/* A socket can enter the map while it is established, and only with a receive queue of whole
 * segments: the verdict is shown a segment from its first byte, also when user space has read half
 * of it. An empty queue is sure, and one that was never read from. */
static bool can_map(const struct xf_relay *relay)
{
	if (!relay->mover->sockmap)
		return false;
	for (unsigned int i = 0; i < relay->flows; i++) {
		const struct xf_flow *flow = &relay->flow[i];

		if (flow->eof || flow->done || flow->pending.len || flow->pipe.len ||
		    (flow->from->readable && !flow->from->fresh))
			return false;
	}
	return true;
}

/* The kernel's threads are one for each CPU, and all movers share them. Polling needs a CPU of its
 * own. */
void xf_mover__size_crowd(struct xf_mover *mover)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned int movers = mover->opts.movers ? mover->opts.movers : 1;
	unsigned int share = cpus > (long)movers ? cpus / movers : 1;

	mover->crowd_max = CROWD_PER_CPU * share;
	mover->poll_max = mover->opts.poll_ns && share > 1 ? share : 0;
}

static unsigned int crowd_of(const struct xf_mover *mover)
{
	return xf_crowd__size(&mover->crowd, xf_loop__now(mover->loop));
}

bool xf_mover__may_poll(const struct xf_mover *mover)
{
	return mover->poll_max && xf_loop__now(mover->loop) - mover->bulk_at > BULK_PAUSE &&
	       crowd_of(mover) <= mover->poll_max;
}

/* The sockmap would be the better engine for messages. Its last quarter is closed from outside, so
 * that none comes only to be recalled. */
static bool is_worth_mapping(const struct xf_mover *mover)
{
	return mover->sockmap && crowd_of(mover) <= mover->crowd_max * 3 / 4 &&
	       !(xf_loop__is_polling(mover->loop) && xf_mover__may_poll(mover));
}

/* Where messages go that user space moves. */
static enum xf_engine_id for_messages(const struct xf_relay *relay)
{
	return relay->message < LARGE_MESSAGE ? XF_ENGINE_COPY : XF_ENGINE_SPLICE;
}

bool xf_relay__is_bulk(const struct xf_relay *relay)
{
	return relay->flow[0].run >= XF_BULK_RUN || relay->flow[1].run >= XF_BULK_RUN;
}

/* Tests: once round in rotate_bytes each; past sockmap where it cannot be entered for long. */
static enum xf_engine_id rotated(struct xf_relay *relay)
{
	uint64_t every = relay->mover->opts.rotate_bytes;
	uint64_t moved = relay->flow[0].written + relay->flow[1].written;

	if (moved < relay->rotate_at)
		return relay->engine->id;
	switch (relay->engine->id) {
	case XF_ENGINE_COPY:
		if (can_map(relay) || moved < relay->rotate_at + every)
			return XF_ENGINE_SOCKMAP;
		relay->rotate_at = moved + every;
		return XF_ENGINE_SPLICE;
	case XF_ENGINE_SOCKMAP:
		relay->rotate_at = moved + every;
		return XF_ENGINE_SPLICE;
	default:
		relay->rotate_at = moved + every;
		return XF_ENGINE_COPY;
	}
}

static enum xf_engine_id wanted(struct xf_relay *relay)
{
	const struct xf_mover_opts *opts = &relay->mover->opts;
	enum xf_engine_id now = relay->engine->id;

	if (relay->lent && now != XF_ENGINE_SOCKMAP)
		return XF_ENGINE_SOCKMAP;
	if (opts->engine != XF_ENGINE_AUTO)
		return opts->engine;
	if (opts->rotate_bytes)
		return rotated(relay);
	if (xf_relay__is_bulk(relay))
		return XF_ENGINE_SPLICE;
	if (now == XF_ENGINE_SOCKMAP)
		return relay->recalled ? for_messages(relay) : now;
	if (relay->turns < TURNS_TO_MAP && !(opts->hasty && !relay->moves))
		return now;
	return is_worth_mapping(relay->mover) ? XF_ENGINE_SOCKMAP : for_messages(relay);
}

/* Much traffic both ways at a time has no long runs, but over a long way it needs a wide window
 * too. */
#define MUCH (1024 * 1024)

static bool needs_room(const struct xf_flow *flow)
{
	return flow->run >= XF_BULK_RUN ||
	       (flow->read >= MUCH && flow->relay->message >= LARGE_MESSAGE &&
		xf_budget__is_ample(flow->relay->mover->opts.budget));
}

/* Bulk gets large buffers where the budget allows, whatever the engine. */
static void grow(struct xf_relay *relay)
{
	for (unsigned int i = 0; i < relay->flows; i++) {
		struct xf_flow *flow = &relay->flow[i];

		if (!needs_room(flow) || relay->room[i] == XF_ROOM_LARGE || flow->done ||
		    now_of(relay) < relay->grow_at)
			continue;
		if (!xf_room__grow(flow))
			relay->grow_at = now_of(relay) + GROW_PAUSE;
	}
}

void xf_relay__choose(struct xf_relay *relay)
{
	enum xf_engine_id target;

	if (relay->ended || relay->stopping || relay->lingering)
		return;
	if (!relay->lent)
		grow(relay);
	target = wanted(relay);
	if (target == relay->engine->id || now_of(relay) < relay->settled)
		return;
	if (target != XF_ENGINE_SOCKMAP || can_map(relay))
		xf_relay__move(relay, target);
}

/* ---- idle relays make room ---- */

/* Without a byte for so long a relay is idle, and between two looks for such, ns. */
#define IDLE (1 * XF_NSEC)
#define SWEEP_PAUSE (250 * XF_MSEC)

/* Returns whether it may have to be looked at again. */
static bool sweep(struct xf_relay *relay, uint64_t now)
{
	if (relay->ended || relay->stopping || relay->lingering ||
	    relay->engine == &xf_engine_sockmap)
		return false;
	if (now - relay->active < IDLE)
		return true;
	if (can_map(relay))
		xf_relay__move(relay, XF_ENGINE_SOCKMAP);
	return false;
}

static void on_sweep(struct xf_timer *timer, uint64_t now)
{
	struct xf_mover *mover = xf_container_of(timer, struct xf_mover, sweep);
	struct xf_relay *next;
	bool more = false;

	for (struct xf_relay *relay = mover->relays; relay; relay = next) {
		next = relay->after;
		more = sweep(relay, now) || more;
	}
	if (more)
		xf_mover__make_room(mover);
}

void xf_mover__make_room(struct xf_mover *mover)
{
	if (!mover->sockmap || mover->opts.engine != XF_ENGINE_AUTO || mover->opts.rotate_bytes ||
	    mover->sweep.pos || !xf_budget__is_scarce(mover->opts.budget))
		return;
	mover->sweep.fn = on_sweep;
	/* Without memory for the timer the next new relay tries again. */
	xf_loop__arm(mover->loop, &mover->sweep, xf_loop__now(mover->loop) + SWEEP_PAUSE);
}

/* ---- the beginning ---- */

/* A relay without room of its own must be the sockmap's at once: give the first bytes to the
 * upstream, whose send buffer is empty. What the client has sent since then must wait for its turn,
 * or nothing may: user space has read from that socket. */
static void clear_the_way(struct xf_relay *relay)
{
	struct xf_flow *flow = &relay->flow[0];

	if (flow->pending.len && xf_flow__push(flow) == 1 && !xf_tcp__waiting(flow->from->watch.fd))
		flow->from->readable = false;
}

void xf_relay__begin(struct xf_relay *relay)
{
	xf_mover__make_room(relay->mover);
	relay->engine =
	    relay->mover->opts.engine == XF_ENGINE_SPLICE ? &xf_engine_splice : &xf_engine_copy;
	if (relay->engine->start(relay)) {
		relay->engine = &xf_engine_copy;
		relay->engine->start(relay);
	}
	if (relay->lent)
		clear_the_way(relay);
	xf_relay__choose(relay);
	if (relay->lent && relay->engine != &xf_engine_sockmap)
		xf_relay__abort(relay, XF_END_MEMORY);
}
