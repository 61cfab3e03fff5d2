// SPDX-License-Identifier: GPL-2.0-only
/* The way of a relay from one engine to another: the old one stops, perhaps after a while, room is
 * reserved for what the new one needs, and that one starts; or copy, which always can. */
#include <errno.h>
#include <string.h>

#include "lib/time.h"
#include "sockmap/engine/engine.h"
#include "lib/msg.h"
#include "sockmap/relay/room.h"

/* A connection that changes its ways may not spend its time moving: the pause doubles each time. */
#define MOVE_PAUSE (1 * XF_MSEC)
#define MOVE_PAUSE_MAX (1 * XF_NSEC)
/* After an attempt that failed. */
#define RETRY_PAUSE (100 * XF_MSEC)

static uint64_t now_of(const struct xf_relay *relay)
{
	return xf_loop__now(relay->mover->loop);
}

static const struct xf_engine *const engines[XF_ENGINES] = {
	[XF_ENGINE_SOCKMAP] = &xf_engine_sockmap,
	[XF_ENGINE_SPLICE] = &xf_engine_splice,
	[XF_ENGINE_COPY] = &xf_engine_copy,
};

static void settle(struct xf_relay *relay)
{
	uint64_t pause = MOVE_PAUSE << (relay->moves < 10 ? relay->moves : 10);

	if (relay->mover->opts.rotate_bytes || relay->mover->opts.engine != XF_ENGINE_AUTO)
		pause = 0;
	relay->settled = now_of(relay) + (pause < MOVE_PAUSE_MAX ? pause : MOVE_PAUSE_MAX);
}

/* The reason for a failed move in words, where the errno does not give it. */
static const char *unavailable_reason(enum xf_engine_id engine, int err)
{
	if (engine == XF_ENGINE_SPLICE && (err == -EPERM || err == -EMFILE || err == -ENFILE))
		return "no pipe can be had (fs.pipe-user-pages-soft, open files)";
	if (err == -EPROTONOSUPPORT)
		return "it is not plain TCP";
	if (err == -ENOSPC || err == -E2BIG)
		return "all places in the map are in use";
	return strerror(-err);
}

/* A FIN that has come is none: what is left of the connection goes another way. */
static void warn_failed(const struct xf_relay *relay, int err)
{
	struct xf_mover *mover = relay->mover;
	uint64_t times;
	char text[32];

	if (err == -EOPNOTSUPP ||
	    !xf_ratelimit_due(&mover->warn_move[relay->next], now_of(relay), &times))
		return;
	xf_info("a connection is copied%s, it cannot be moved by %s: %s",
		xf_times_text(times, text), xf_engine_names[relay->next],
		unavailable_reason(relay->next, err));
}

/* The sockets are plain: the next engine takes over, or copy, which always can. */
static void start(struct xf_relay *relay)
{
	const struct xf_engine *engine = engines[relay->next];
	bool map = relay->next == XF_ENGINE_SOCKMAP, was_lent = relay->lent;
	int err;

	relay->stopping = false;
	for (int i = 0; i < 2; i++) {
		relay->side[i].readable = relay->side[i].writable = true;
		relay->flow[i].run = 0;
	}
	relay->turns = 0;
	relay->recalled = false;
	if (map)
		xf_room__lend(relay);
	else
		xf_room__apply(relay);
	relay->engine = engine;
	err = engine->start(relay);
	if (err) {
		warn_failed(relay, err);
		relay->engine = &xf_engine_copy;
		relay->engine->start(relay);
		relay->settled = now_of(relay) + RETRY_PAUSE;
		if (was_lent) { /* the relay has no room of its own */
			xf_relay__abort(relay, XF_END_MEMORY);
			return;
		}
		relay->lent = false;
		xf_room__apply(relay);
	} else {
		if (map)
			xf_room__lent(relay);
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

void xf_relay__move(struct xf_relay *relay, enum xf_engine_id target)
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
