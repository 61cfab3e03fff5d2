// SPDX-License-Identifier: GPL-2.0-only
/* Which engine a relay has, and the way from one to another.
 *
 * Messages that go to and fro are the sockmap's: no wake-up of user space, the shortest way. Bulk is
 * another engine's: it moves large pieces at a time with TCP's own flow control. A relay begins with
 * copy, which costs nothing to set up, so that connections that live for one exchange pay nothing. */
#include "engine.h"
#include "lib/msg.h"
#include "room.h"

#include <string.h>

/* Moving to the sockmap costs some fifteen system calls: earned back after a few exchanges. */
#define TURNS_TO_MAP 4
/* A connection that changes its ways may not spend its time moving: the pause doubles each time. */
#define MOVE_PAUSE (1 * XF_MSEC)
#define MOVE_PAUSE_MAX (1 * XF_NSEC)
/* After an attempt that failed. */
#define RETRY_PAUSE (100 * XF_MSEC)

/* Large reads through a buffer that stays in the cache beat splice over veth and on loopback. */
#define BULK_ENGINE XF_ENGINE_COPY

static const struct xf_engine *const engines[XF_ENGINES] = {
	[XF_ENGINE_SOCKMAP] = &xf_engine_sockmap,
	[XF_ENGINE_SPLICE] = &xf_engine_splice,
	[XF_ENGINE_COPY] = &xf_engine_copy,
};

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

static bool is_bulk(const struct xf_relay *relay)
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
	if (is_bulk(relay))
		return BULK_ENGINE;
	if (now == XF_ENGINE_SOCKMAP)
		return now;
	if (relay->turns >= TURNS_TO_MAP || (opts->hasty && !relay->moves))
		return XF_ENGINE_SOCKMAP;
	return now;
}

static void settle(struct xf_relay *relay)
{
	uint64_t pause = MOVE_PAUSE << (relay->moves < 10 ? relay->moves : 10);

	if (relay->mover->opts.rotate_bytes || relay->mover->opts.engine != XF_ENGINE_AUTO)
		pause = 0;
	relay->settled = now_of(relay) + (pause < MOVE_PAUSE_MAX ? pause : MOVE_PAUSE_MAX);
}

/* The sockets are plain: the next engine takes over, or copy, which always can. */
static void start(struct xf_relay *relay)
{
	const struct xf_engine *engine = engines[relay->next];
	bool map = relay->next == XF_ENGINE_SOCKMAP;
	int err;

	relay->stopping = false;
	for (int i = 0; i < 2; i++) {
		relay->side[i].readable = relay->side[i].writable = true;
		relay->flow[i].run = 0;
	}
	relay->turns = 0;
	if (map)
		xf_room__lend(relay);
	else
		xf_room__apply(relay);
	relay->engine = engine;
	err = engine->start(relay);
	if (err) {
		xf_debug("cannot move a connection to %s: %s", xf_engine_names[relay->next],
			 strerror(-err));
		relay->engine = &xf_engine_copy;
		relay->engine->start(relay);
		relay->settled = now_of(relay) + RETRY_PAUSE;
		if (map && !xf_room__reserve(relay)) {
			xf_relay__abort(relay, XF_END_MEMORY);
			return;
		}
		xf_room__apply(relay);
	} else {
		relay->moves++;
		settle(relay);
	}
	if (relay->engine != &xf_engine_sockmap)
		xf_relay__again(relay);
}

void xf_relay__stopped(struct xf_relay *relay)
{
	start(relay);
}

void xf_relay__not_stopped(struct xf_relay *relay)
{
	relay->stopping = false;
	if (relay->engine == &xf_engine_sockmap)
		xf_room__lend(relay);
	relay->settled = now_of(relay) + RETRY_PAUSE;
}

static void move(struct xf_relay *relay, enum xf_engine_id target)
{
	bool mapped = relay->engine == &xf_engine_sockmap;

	if (mapped && !xf_room__reserve(relay)) {
		relay->settled = now_of(relay) + RETRY_PAUSE;
		return;
	}
	relay->next = target;
	relay->stopping = true;
	if (relay->engine->stop(relay))
		start(relay);
}

/* Much traffic both ways at a time has no long runs, but over a long way it needs a wide window too. */
#define MUCH (1024 * 1024)

static bool needs_room(const struct xf_flow *flow)
{
	return flow->run >= XF_BULK_RUN ||
	       (flow->read >= MUCH && !xf_room__is_scarce(flow->relay));
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
			relay->grow_at = now_of(relay) + RETRY_PAUSE;
	}
}

void xf_relay__choose(struct xf_relay *relay)
{
	enum xf_engine_id target;

	if (relay->ended || relay->stopping)
		return;
	if (!relay->lent)
		grow(relay);
	target = wanted(relay);
	if (target == relay->engine->id || now_of(relay) < relay->settled)
		return;
	if (target != XF_ENGINE_SOCKMAP || can_map(relay))
		move(relay, target);
}

void xf_relay__begin(struct xf_relay *relay)
{
	enum xf_engine_id first = relay->mover->opts.engine == XF_ENGINE_SPLICE ? XF_ENGINE_SPLICE :
										  XF_ENGINE_COPY;

	relay->engine = engines[first];
	if (relay->engine->start(relay)) {
		relay->engine = &xf_engine_copy;
		relay->engine->start(relay);
	}
	xf_relay__choose(relay);
	if (relay->lent && relay->engine != &xf_engine_sockmap)
		xf_relay__abort(relay, XF_END_MEMORY);
}
