// SPDX-License-Identifier: GPL-2.0-only
#include "sockmap/relay/relay.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/time.h"
#include "sockmap/relay/budget.h"
#include "sockmap/engine/engine.h"
#include "lib/cap_sets.h"
#include "lib/msg.h"
#include "sockmap/relay/room.h"
#include "sockmap/relay/tcp_state.h"

const char *const xf_engine_names[XF_ENGINES + 1] = { "auto", "sockmap", "splice", "copy", NULL };

static void release(void *arg)
{
	struct xf_relay *relay = arg;

	relay->opts.on_end(relay, relay->end, relay->opts.arg);
	free(relay);
}

static void unlink_relay(struct xf_relay *relay)
{
	if (relay->prev)
		relay->prev->after = relay->after;
	else
		relay->mover->relays = relay->after;
	if (relay->after)
		relay->after->prev = relay->prev;
}

static void close_side(struct xf_relay *relay, struct xf_side *side, bool reset)
{
	static const struct linger at_once = { .l_onoff = 1 };
	int fd = side->watch.fd;

	if (fd < 0)
		return;
	if (reset)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	xf_loop__close(relay->mover->loop, &side->watch);
}

static void end(struct xf_relay *relay, enum xf_end how)
{
	if (relay->ended)
		return;
	relay->ended = true;
	relay->end = how;
	if (relay->engine)
		relay->engine->drop(relay);
	xf_loop__disarm(relay->mover->loop, &relay->timer);
	xf_loop__disarm(relay->mover->loop, &relay->linger);
	for (int i = 0; i < 2; i++) {
		close_side(relay, &relay->side[i], how != XF_END_CLOSED);
		free(relay->flow[i].pending.buf);
		relay->flow[i].pending = (struct xf_pending) {};
	}
	xf_room__close(relay);
	unlink_relay(relay);
	if (!relay->again)
		xf_loop__defer(relay->mover->loop, release, relay);
}

/* A lingering relay has nothing left to do: the kernel delivers the rest. */
void xf_relay__abort(struct xf_relay *relay, enum xf_end how)
{
	end(relay, relay->lingering && how == XF_END_DRAIN ? XF_END_CLOSED : how);
}

/* ---- lingering ---- */

/* Bytes that a socket may still have to deliver when it is closed; with scarce memory the FIN
 * alone. */
#define LINGER_BYTES (4 * 1024)
#define LINGER_FIRST (10 * XF_MSEC)
#define LINGER_LAST (1 * XF_NSEC)

/* Bytes in the send buffers count as held, also when the streams have ended: closing the sockets
 * would take them out of the account, but not out of the memory. */
static bool holds_much(const struct xf_relay *relay)
{
	uint64_t most = xf_budget__is_scarce(relay->mover->opts.budget) ? 1 : LINGER_BYTES;

	for (unsigned int i = 0; i < relay->flows; i++)
		if (relay->flow[i].written > most &&
		    xf_tcp__unacked(relay->flow[i].to->watch.fd) > most)
			return true;
	return false;
}

/* Whether a side was reset before it had acknowledged everything. The reset may have come with the
 * event that ended the last direction, and no other event reports it then. */
static bool was_cut_off(struct xf_relay *relay)
{
	for (unsigned int i = 0; i < relay->flows; i++) {
		struct xf_side *side = relay->flow[i].to;

		if (!xf_tcp__is_closed(side->watch.fd) || !xf_tcp__unacked(side->watch.fd))
			continue;
		xf_relay__failed(side, ECONNRESET);
		return true;
	}
	return false;
}

static void on_linger(struct xf_timer *timer, uint64_t now)
{
	struct xf_relay *relay = xf_container_of(timer, struct xf_relay, linger);

	if (was_cut_off(relay))
		return;
	relay->linger_pause *= relay->linger_pause < LINGER_LAST ? 2 : 1;
	xf_room__linger(relay);
	if (!holds_much(relay) ||
	    xf_loop__arm(relay->mover->loop, timer, now + relay->linger_pause))
		end(relay, XF_END_CLOSED);
}

/* Returns whether there is something to wait for, or there was and it is over. */
static bool linger(struct xf_relay *relay, const struct xf_flow *last)
{
	struct xf_loop *loop = relay->mover->loop;

	if (!holds_much(relay))
		return false;
	if (was_cut_off(relay))
		return true;
	relay->linger.fn = on_linger;
	relay->linger_pause = LINGER_FIRST;
	if (xf_loop__arm(loop, &relay->linger, xf_loop__now(loop) + LINGER_FIRST))
		return false;
	shutdown(last->to->watch.fd, SHUT_WR);
	xf_room__linger(relay);
	relay->lingering = true;
	return true;
}

static void note_message(struct xf_relay *relay, uint64_t size)
{
	relay->turns = size < XF_SHORT_RUN ? relay->turns + 1 : 0;
	relay->message = (3 * relay->message + size) / 4;
}

/* @n bytes were read: what they say of how the connection is used. */
static void note_run(struct xf_flow *flow, size_t n)
{
	struct xf_relay *relay = flow->relay;
	struct xf_flow *other = &relay->flow[flow == &relay->flow[0]];

	if (relay->flows == 1) {
		/* An echo's other direction is not seen: a small piece is taken for a message. */
		flow->run = n < XF_SHORT_RUN ? 0 : flow->run + n;
		if (!flow->run)
			note_message(relay, n);
		else
			relay->turns = 0;
		return;
	}
	if (other->run) {
		note_message(relay, other->run);
		other->run = 0;
	}
	flow->run += n;
	if (flow->run >= XF_BULK_RUN)
		relay->turns = 0;
}

void xf_relay__moved(struct xf_flow *flow, size_t n, size_t given)
{
	struct xf_relay *relay = flow->relay;
	struct xf_mover *mover = relay->mover;

	flow->read += n;
	flow->written += given;
	relay->active = xf_loop__now(mover->loop);
	if (!n)
		return;
	xf_crowd__note(&mover->crowd, &relay->stamp, relay->active);
	note_run(flow, n);
	if (flow->run >= XF_BULK_RUN)
		mover->bulk_at = relay->active;
	else if (xf_mover__may_poll(mover))
		xf_loop__poll(mover->loop, mover->opts.poll_ns);
}

bool xf_relay__flow_done(struct xf_flow *flow)
{
	struct xf_relay *relay = flow->relay;

	if (relay->ended || relay->lingering)
		return false;
	flow->done = true;
	for (unsigned int i = 0; i < relay->flows; i++) {
		if (relay->flow[i].done)
			continue;
		/* ENOTCONN: reset meanwhile; reading the other direction will say so. */
		shutdown(flow->to->watch.fd, SHUT_WR);
		return true;
	}
	if (!linger(relay, flow))
		end(relay, XF_END_CLOSED);
	return false;
}

bool xf_relay__failed(struct xf_side *side, int err)
{
	struct xf_relay *relay = side->relay;

	xf_debug("the %s's socket: %s", side == &relay->side[0] ? "client" : "upstream",
		 strerror(err));
	relay->error = relay->ended ? relay->error : err;
	if (err == ENOMEM || err == ENOBUFS)
		end(relay, XF_END_MEMORY);
	else
		end(relay, side == &relay->side[0] ? XF_END_CLIENT_RESET : XF_END_UPSTREAM_RESET);
	return false;
}

static void on_event(struct xf_watch *watch, uint32_t events)
{
	struct xf_side *side = xf_container_of(watch, struct xf_side, watch);
	struct xf_relay *relay = side->relay;

	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		side->fin = true;
	if (events & EPOLLPRI)
		side->urgent = true;
	if (events & (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		side->readable = true;
	if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		side->writable = true;
	relay->engine->ready(relay, side, events);
	xf_relay__choose(relay);
}

/* Call each relay that asked to go on once. A relay that asks again meanwhile waits for the next
 * turn. */
static void on_again(struct xf_timer *timer, uint64_t now)
{
	struct xf_mover *mover = xf_container_of(timer, struct xf_mover, again);
	struct xf_relay *relay = mover->again_list, *next;

	(void)now;
	mover->again_list = NULL;
	for (; relay; relay = next) {
		next = relay->again_next;
		relay->again = false;
		if (relay->ended) {
			xf_loop__defer(mover->loop, release, relay);
			continue;
		}
		relay->engine->ready(relay, NULL, 0);
		xf_relay__choose(relay);
	}
}

void xf_relay__again(struct xf_relay *relay)
{
	struct xf_mover *mover = relay->mover;

	if (relay->again || relay->ended)
		return;
	relay->again = true;
	relay->again_next = mover->again_list;
	mover->again_list = relay;
	if (!mover->again.pos)
		xf_loop__arm(mover->loop, &mover->again, xf_loop__now(mover->loop));
}

static void sync_counts(struct xf_relay *relay)
{
	if (relay->engine == &xf_engine_sockmap && !relay->ended)
		xf_sockmap__sync(relay);
}

/* Looks in the time of --idle. */
#define IDLE_LOOKS 4

static bool has_unacked(const struct xf_relay *relay)
{
	for (unsigned int i = 0; i < relay->flows; i++)
		if (xf_tcp__unacked(relay->flow[i].to->watch.fd))
			return true;
	return false;
}

/* The time when a byte last moved. Movements that only the kernel sees count, too: bytes in the
 * sockmap, and acknowledgements of a slow reader, which two looks tell apart. */
static uint64_t last_moved(struct xf_relay *relay, uint64_t now)
{
	uint64_t moved = 0, last = relay->active;

	for (unsigned int i = 0; i < relay->flows; i++) {
		uint64_t quiet = xf_tcp__quiet(relay->side[i].watch.fd, &moved);

		if (quiet < now && now - quiet > last)
			last = now - quiet;
	}
	if (moved != relay->seen && has_unacked(relay))
		last = now;
	relay->seen = moved;
	return last;
}

static void on_idle(struct xf_timer *timer, uint64_t now)
{
	struct xf_relay *relay = xf_container_of(timer, struct xf_relay, timer);
	uint64_t idle = relay->opts.idle, next = now + idle / IDLE_LOOKS;

	relay->active = last_moved(relay, now);
	if (now - relay->active >= idle) {
		/* A lingering relay may have delivered everything since the last look. */
		end(relay, relay->lingering && !holds_much(relay) ? XF_END_CLOSED : XF_END_IDLE);
		return;
	}
	if (next > relay->active + idle)
		next = relay->active + idle;
	xf_loop__arm(relay->mover->loop, timer, next);
}

static void set_up(struct xf_relay *relay)
{
	int fd[2] = { relay->opts.client, relay->opts.upstream };

	relay->flows = fd[1] < 0 ? 1 : 2;
	for (int i = 0; i < 2; i++) {
		relay->side[i] = (struct xf_side) {
			.watch = { .fd = fd[i], .fn = on_event },
			.relay = relay,
			.readable = true,
			.writable = true,
			.fresh = i || !relay->opts.prefix_len,
		};
		relay->flow[i].relay = relay;
		relay->flow[i].from = &relay->side[i];
		relay->flow[i].to = &relay->side[relay->flows == 1 ? i : !i];
		relay->flow[i].pipe = (struct xf_pipe) { .rd = -1, .wr = -1 };
	}
	relay->flow[0].pending = (struct xf_pending) {
		.buf = relay->opts.prefix,
		.len = relay->opts.prefix_len,
	};
	relay->flow[0].read = relay->opts.prefix_len;
	relay->timer.fn = on_idle;
	relay->active = xf_loop__now(relay->mover->loop);
	relay->rotate_at = relay->mover->opts.rotate_bytes;
}

static int watch(struct xf_relay *relay)
{
	int fd[2] = { relay->opts.client, relay->opts.upstream };
	int err;

	for (unsigned int i = 0; i < relay->flows; i++) {
		relay->side[i].watch.fd = -1;
		err =
		    xf_loop__add(relay->mover->loop, &relay->side[i].watch, fd[i], XF_PLAIN_EVENTS);
		if (err && i)
			xf_loop__del(relay->mover->loop, &relay->side[0].watch);
		if (err)
			return err;
	}
	return 0;
}

int xf_relay__new(struct xf_mover *mover, const struct xf_relay_opts *opts,
		  struct xf_relay **result)
{
	struct xf_relay *relay = calloc(1, sizeof(*relay));
	int err = -ENOMEM;

	if (!relay) {
		xf_mover__dismiss(mover, opts->reserved);
		return err;
	}
	relay->mover = mover;
	relay->opts = *opts;
	relay->reserved = opts->reserved;
	xf_budget__hand_over(mover->opts.budget, opts->reserved);
	set_up(relay);
	if (!xf_room__open(relay))
		goto out_room;
	err = relay->opts.idle ? xf_loop__arm(mover->loop, &relay->timer,
					      relay->active + relay->opts.idle / IDLE_LOOKS)
			       : 0;
	if (err)
		goto out_room;
	err = watch(relay);
	if (err)
		goto out_timer;
	relay->after = mover->relays;
	if (relay->after)
		relay->after->prev = relay;
	mover->relays = relay;
	xf_relay__begin(relay);
	*result = relay;
	return 0;
out_timer:
	xf_loop__disarm(mover->loop, &relay->timer);
out_room:
	xf_room__close(relay);
	free(relay);
	return err;
}

void xf_relay__stats(struct xf_relay *relay, struct xf_relay_stats *stats)
{
	uint64_t own = relay->opts.uncounted;

	sync_counts(relay);
	*stats = (struct xf_relay_stats) {
		.to_upstream = relay->flow[0].written > own ? relay->flow[0].written - own : 0,
		.to_client = relay->flow[1].written,
		.engine = relay->engine->id,
		.moves = relay->moves,
		.error = relay->error,
	};
}

static bool have_net_admin(void)
{
	struct xf_cap_sets sets;

	xf_cap_sets_get(&sets);
	return sets.effective & 1ULL << CAP_NET_ADMIN;
}

int xf_mover__new(struct xf_mover **result, struct xf_loop *loop, const struct xf_mover_opts *opts)
{
	struct xf_mover *mover = calloc(1, sizeof(*mover));
	int err = 0;

	if (!mover)
		return -ENOMEM;
	mover->loop = loop;
	mover->opts = *opts;
	mover->again.fn = on_again;
	xf_mover__size_crowd(mover);
	mover->net_admin = have_net_admin() && xf_room__needs_net_admin();
	mover->scratch = malloc(XF_SCRATCH);
	if (!mover->scratch)
		err = -ENOMEM;
	else if (opts->engine == XF_ENGINE_AUTO || opts->engine == XF_ENGINE_SOCKMAP)
		err = xf_sockmap__new(mover);
	if (err && opts->engine == XF_ENGINE_AUTO && mover->unavailable_reason[0])
		err = 0;
	if (err) {
		xf_mover__free(mover);
		return err;
	}
	*result = mover;
	return 0;
}

void xf_mover__free(struct xf_mover *mover)
{
	if (!mover)
		return;
	xf_loop__disarm(mover->loop, &mover->again);
	xf_loop__disarm(mover->loop, &mover->sweep);
	xf_pipes__free(mover->pipes);
	xf_sockmap__free(mover->sockmap);
	free(mover->scratch);
	free(mover);
}

const char *xf_mover__unavailable_reason(const struct xf_mover *mover)
{
	return mover->sockmap || !mover->unavailable_reason[0] ? NULL : mover->unavailable_reason;
}

/* Large buffers are beyond the usual sysctl limits. */
uint64_t xf_mover__caps(const struct xf_mover *mover)
{
	(void)mover;
	return xf_room__needs_net_admin() ? 1ULL << CAP_NET_ADMIN : 0;
}
