// SPDX-License-Identifier: GPL-2.0-only
#include "sockmap/relay/room.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>

#include "lib/time.h"
#include "sockmap/relay/budget.h"
#include "sockmap/engine/engine.h"
#include "sockmap/relay/tcp_state.h"

#define KIB 1024ULL
#define MIB (1024 * KIB)

/* Bytes of a flow: the receive buffer of the one socket, the send buffer of the other, and the
 * bytes between them. BASE holds a message of 16 KiB at every place. Two flows of LARGE hold 8 MiB
 * at most; larger buffers made bulk slower on loopback and over veth, since their bytes leave the
 * cache.
 *
 * The buffer alone limits the bytes that a socket takes in: TCP counts the window from the last
 * byte that came, not from the last one read, so that the queue of a stalled reader grows beyond
 * it. So the buffer is reserved. The window is smaller, since the buffer also counts the kernel's
 * overhead, and a kernel that has to drop bytes that it had promised room for takes its whole
 * window back; the sender's acknowledgements are then behind it and are not taken either, so that
 * an echo, or a pair of directions, would wait for ever. So no buffer is ever made smaller than the
 * room that was promised. */
struct size {
	uint64_t window, buffer, snd, hold;
};

static const struct size sizes[] = {
	[XF_ROOM_NONE] = { 0, 0, 0, 0 },
	[XF_ROOM_SMALL] = { 16 * KIB, 64 * KIB, 8 * KIB, 8 * KIB },
	[XF_ROOM_BASE] = { 64 * KIB, 128 * KIB, 48 * KIB, 24 * KIB },
	[XF_ROOM_LARGE] = { 1 * MIB, 2 * MIB, 1 * MIB, 1 * MIB },
};

/* A small receive buffer takes at most one part in so many of the budget, and bytes that are
 * redirected one in so many. */
#define BUFFER_PART 768
#define LIMIT_PART 4096
#define BUFFER_LEAST (8 * KIB)

/* Bytes of a flow in the sockmap that may be on their way to the receiver for more to be
 * redirected: at first, when memory is scarce, and once much has come through. The send buffer is
 * twice that, so that the kernel does not wait for room in it. */
#define LIMIT_FIRST (32 * KIB)
#define LIMIT_LEAST (2 * KIB)
#define LIMIT_MOST (256 * KIB)

/* An idle relay's large room is taken back when another needs it. */
#define RECLAIM_IDLE (1 * XF_NSEC)

/* The kernel doubles what is set (socket(7)). Beyond the sysctl limit it needs CAP_NET_ADMIN;
 * without it the limit is what we get, which is less than reserved, never more. */
static void set_buffer(const struct xf_mover *mover, int fd, int name, int force, uint64_t bytes)
{
	int half = (int)(bytes / 2);

	if (mover->net_admin && !setsockopt(fd, SOL_SOCKET, force, &half, sizeof(half)))
		return;
	setsockopt(fd, SOL_SOCKET, name, &half, sizeof(half));
}

static struct size size_of(const struct xf_mover *mover, enum xf_room room)
{
	uint64_t most = mover->opts.budget->limit / BUFFER_PART;
	struct size size = sizes[room];

	most = most < BUFFER_LEAST ? BUFFER_LEAST : most;
	if (room == XF_ROOM_BASE)
		most *= 2;
	if (room == XF_ROOM_LARGE || size.buffer <= most)
		return size;
	size.buffer = most;
	size.window = size.window < most / 2 ? size.window : most / 2;
	return size;
}

static struct size size_for(const struct xf_flow *flow)
{
	return size_of(flow->relay->mover, flow->relay->room[flow - flow->relay->flow]);
}

static void clamp_window(const struct xf_flow *flow)
{
	int clamp = (int)size_for(flow).window;

	setsockopt(flow->from->watch.fd, IPPROTO_TCP, TCP_WINDOW_CLAMP, &clamp, sizeof(clamp));
}

/* The largest window was fixed by the buffer that the socket had first. */
static void set_rcv(const struct xf_flow *flow)
{
	struct xf_relay *relay = flow->relay;
	uint64_t bytes = size_for(flow).buffer;

	set_buffer(relay->mover, flow->from->watch.fd, SO_RCVBUF, SO_RCVBUFFORCE, bytes);
	clamp_window(flow);
	relay->buffer[flow - relay->flow] = bytes;
}

static void set_snd(const struct xf_flow *flow, uint64_t bytes)
{
	set_buffer(flow->relay->mover, flow->to->watch.fd, SO_SNDBUF, SO_SNDBUFFORCE, bytes);
}

static uint64_t least(uint64_t limit)
{
	return limit > LIMIT_LEAST ? limit : LIMIT_LEAST;
}

static uint64_t mapped_snd(const struct xf_flow *flow)
{
	return 2 * least(flow->relay->limit[flow - flow->relay->flow]);
}

size_t xf_room__hold_size(const struct xf_flow *flow)
{
	const struct xf_relay *relay = flow->relay;

	if (relay->lent)
		return least(relay->limit[flow - relay->flow]);
	return relay->hold_max < XF_SCRATCH ? relay->hold_max : XF_SCRATCH;
}

/* In the sockmap a flow holds up to its limit while all is redirected. */
static uint64_t cost(const struct xf_relay *relay, uint64_t *promised)
{
	uint64_t sum = 0, buffer;

	*promised = 0;
	for (unsigned int i = 0; i < relay->flows; i++) {
		const struct xf_flow *flow = &relay->flow[i];
		struct size size = size_for(flow);

		buffer = size.buffer > relay->buffer[i] ? size.buffer : relay->buffer[i];
		if (!relay->lent)
			sum += buffer + size.snd + relay->hold_max;
		else if (relay->paused[i])
			sum += buffer + mapped_snd(flow) + xf_room__hold_size(flow);
		else
			sum += relay->limit[i] + (relay->room[i] == XF_ROOM_LARGE ? buffer : 0);
		if (relay->lent && !relay->paused[i])
			*promised +=
			    buffer + mapped_snd(flow) + xf_room__hold_size(flow) - relay->limit[i];
	}
	return sum;
}

/* Reserve as much as the relay costs now. */
static bool adjust(struct xf_relay *relay)
{
	struct xf_budget *budget = relay->mover->opts.budget;
	uint64_t promised, now = cost(relay, &promised);

	if (now > relay->reserved && !xf_budget__take(budget, now - relay->reserved))
		return false;
	if (now < relay->reserved)
		xf_budget__give(budget, relay->reserved - now);
	relay->reserved = now;
	xf_budget__promise(budget, relay->promised, promised);
	relay->promised = promised;
	return true;
}

static void set_room(struct xf_relay *relay, enum xf_room room)
{
	for (unsigned int i = 0; i < relay->flows; i++)
		relay->room[i] = room;
	relay->hold_max = sizes[room].hold;
}

/* The number of bytes that a socket has taken in and may yet take in: it received before its buffer
 * had a size. The window is read first, so that bytes that come meanwhile count twice and not
 * never. */
static uint64_t promised(int fd)
{
	uint64_t window = xf_tcp__window(fd, 0);

	return window + xf_tcp__waiting(fd);
}

bool xf_mover__can_relay(const struct xf_mover *mover)
{
	struct size small = size_of(mover, XF_ROOM_SMALL);

	return mover->sockmap ||
	       xf_budget__left(mover->opts.budget) >= 2 * (small.buffer + small.snd + small.hold);
}

/* A window that was offered cannot be taken back. The largest window that can be offered later
 * follows from the buffer, too. */
void xf_mover__prepare(const struct xf_mover *mover, int fd)
{
	uint64_t buffer = size_of(mover, XF_ROOM_SMALL).buffer;

	if (buffer < sizes[XF_ROOM_SMALL].buffer)
		set_buffer(mover, fd, SO_RCVBUF, SO_RCVBUFFORCE, buffer);
}

uint64_t xf_mover__admit(struct xf_mover *mover, int client)
{
	uint64_t buffer = size_of(mover, XF_ROOM_SMALL).buffer, came = promised(client);
	uint64_t most = (came > buffer ? came : buffer) + XF_FIRST_RESERVED;

	if (!xf_budget__take_waiting(mover->opts.budget, most))
		return 0;
	set_buffer(mover, client, SO_RCVBUF, SO_RCVBUFFORCE, buffer);
	return most;
}

bool xf_mover__may_admit(const struct xf_mover *mover)
{
	return xf_budget__may_wait(mover->opts.budget,
				   size_of(mover, XF_ROOM_SMALL).buffer + XF_FIRST_RESERVED);
}

void xf_mover__dismiss(struct xf_mover *mover, uint64_t reserved)
{
	xf_budget__hand_over(mover->opts.budget, reserved);
	xf_budget__give(mover->opts.budget, reserved);
}

/* Reserve no more than the relay's sockets may have received before their buffers had a size. The
 * sockmap engine alone can work with that, and must get the relay at once. */
static bool lend(struct xf_relay *relay)
{
	if (!relay->mover->sockmap)
		return false;
	relay->lent = true;
	for (unsigned int i = 0; i < relay->flows; i++)
		relay->paused[i] = true;
	return adjust(relay);
}

bool xf_room__open(struct xf_relay *relay)
{
	const struct xf_mover *mover = relay->mover;

	for (unsigned int i = 0; i < relay->flows; i++)
		relay->buffer[i] = promised(relay->flow[i].from->watch.fd);
	set_room(relay, XF_ROOM_BASE);
	if (xf_budget__is_scarce(mover->opts.budget) ||
	    xf_budget__is_promised(mover->opts.budget) || !adjust(relay)) {
		set_room(relay, XF_ROOM_SMALL);
		if ((mover->sockmap && xf_budget__is_tight(mover->opts.budget)) || !adjust(relay))
			if (!lend(relay))
				return false;
	}
	for (unsigned int i = 0; i < relay->flows; i++) {
		uint64_t came = relay->buffer[i];

		set_rcv(&relay->flow[i]);
		if (came > relay->buffer[i])
			relay->buffer[i] = came;
		set_snd(&relay->flow[i], size_for(&relay->flow[i]).snd);
	}
	return true;
}

/* Shrink the room of an idle relay. The sender keeps the window that it was promised; where that is
 * large the receive buffer stays as it is. */
static bool shrink(struct xf_relay *relay)
{
	bool shrunk = false;

	for (unsigned int i = 0; i < relay->flows; i++) {
		struct xf_flow *flow = &relay->flow[i];

		if (relay->room[i] != XF_ROOM_LARGE || flow->done)
			continue;
		relay->room[i] = XF_ROOM_BASE;
		clamp_window(flow);
		if (xf_tcp__window(flow->from->watch.fd, UINT64_MAX) <= size_for(flow).window)
			set_rcv(flow);
		set_snd(flow, sizes[XF_ROOM_BASE].snd);
		shrunk = true;
	}
	if (shrunk) {
		relay->hold_max = sizes[XF_ROOM_BASE].hold;
		adjust(relay);
	}
	return shrunk;
}

static bool idle(const struct xf_relay *relay, uint64_t now)
{
	for (unsigned int i = 0; i < relay->flows; i++)
		if (relay->flow[i].pending.len || relay->flow[i].pipe.len)
			return false;
	return !relay->lent && now - relay->active > RECLAIM_IDLE;
}

static bool reclaim(struct xf_mover *mover)
{
	uint64_t now = xf_loop__now(mover->loop);

	for (struct xf_relay *at = mover->relays; at; at = at->after)
		if (!at->ended && idle(at, now) && shrink(at))
			return true;
	return false;
}

/* Large buffers leave something for newcomers, or take it from an idle relay. */
static bool may_be_large(struct xf_mover *mover)
{
	return !xf_budget__is_spoken_for(mover->opts.budget) || reclaim(mover);
}

/* Reserve large room, if the others find what they were promised all the same. */
static bool adjust_large(struct xf_relay *relay)
{
	return adjust(relay) && !xf_budget__is_spoken_for(relay->mover->opts.budget);
}

bool xf_room__grow(struct xf_flow *flow)
{
	struct xf_relay *relay = flow->relay;
	unsigned int i = flow - relay->flow;
	enum xf_room room = relay->room[i];
	size_t hold = relay->hold_max;

	if (room == XF_ROOM_LARGE)
		return true;
	if (!may_be_large(relay->mover))
		return false;
	relay->room[i] = XF_ROOM_LARGE;
	relay->hold_max = sizes[XF_ROOM_LARGE].hold;
	if (!adjust_large(relay) && (!reclaim(relay->mover) || !adjust_large(relay))) {
		relay->room[i] = room;
		relay->hold_max = hold;
		adjust(relay);
		return false;
	}
	set_rcv(flow);
	if (!relay->lent)
		set_snd(flow, sizes[XF_ROOM_LARGE].snd);
	return true;
}

/* The last eighth of the budget is too little for a limit of each idle relay, and new relays would
 * find nothing: there all goes through user space. */
static uint64_t first_limit(const struct xf_budget *budget)
{
	uint64_t limit = budget->limit / LIMIT_PART;

	if (xf_budget__is_tight(budget))
		return 0;
	limit = limit < LIMIT_FIRST ? limit : LIMIT_FIRST;
	if (xf_budget__is_scarce(budget))
		return LIMIT_LEAST;
	return least(xf_budget__is_promised(budget) ? limit / 4 : limit);
}

void xf_room__lend(struct xf_relay *relay)
{
	relay->lent = true;
	for (unsigned int i = 0; i < relay->flows; i++) {
		relay->limit[i] = first_limit(relay->mover->opts.budget);
		set_snd(&relay->flow[i], mapped_snd(&relay->flow[i]));
	}
}

uint64_t xf_room__widen(struct xf_flow *flow)
{
	struct xf_relay *relay = flow->relay;
	uint64_t *limit = &relay->limit[flow - relay->flow], before = *limit;

	if (!relay->lent || before == LIMIT_MOST ||
	    xf_budget__is_promised(relay->mover->opts.budget))
		return before;
	*limit = LIMIT_MOST;
	if (!adjust(relay)) {
		*limit = before;
		return before;
	}
	set_snd(flow, mapped_snd(flow));
	xf_room__grow(flow);
	return *limit;
}

void xf_room__lent(struct xf_relay *relay)
{
	bool large = false;

	/* Reserved for a move that did not come about. */
	for (unsigned int i = 0; i < relay->flows; i++) {
		if (relay->room[i] == XF_ROOM_LARGE &&
		    relay->buffer[i] < sizes[XF_ROOM_LARGE].buffer)
			relay->room[i] = XF_ROOM_BASE;
		relay->paused[i] = false;
		large = large || relay->room[i] == XF_ROOM_LARGE;
	}
	if (!large && relay->hold_max > sizes[XF_ROOM_BASE].hold)
		relay->hold_max = sizes[XF_ROOM_BASE].hold;
	adjust(relay);
}

static bool reserve_bulk(struct xf_relay *relay)
{
	if (!xf_relay__is_bulk(relay) || !may_be_large(relay->mover))
		return false;
	for (unsigned int i = 0; i < relay->flows; i++)
		if (relay->flow[i].run >= XF_BULK_RUN)
			relay->room[i] = XF_ROOM_LARGE;
	relay->hold_max = sizes[XF_ROOM_LARGE].hold;
	return adjust_large(relay);
}

static void put_rooms(struct xf_relay *relay, const enum xf_room rooms[2], size_t hold)
{
	relay->room[0] = rooms[0];
	relay->room[1] = rooms[1];
	relay->hold_max = hold;
}

bool xf_room__reserve(struct xf_relay *relay)
{
	enum xf_room before[2] = { relay->room[0], relay->room[1] };
	size_t hold = relay->hold_max;

	relay->lent = false;
	if (reserve_bulk(relay)) {
		/* A large buffer also keeps verdicts from running while the sources leave. */
		for (unsigned int i = 0; i < relay->flows; i++)
			if (relay->room[i] == XF_ROOM_LARGE)
				set_rcv(&relay->flow[i]);
		return true;
	}
	put_rooms(relay, before, hold);
	if (adjust(relay))
		return true;
	set_room(relay, XF_ROOM_SMALL);
	if (adjust(relay))
		return true;
	put_rooms(relay, before, hold);
	relay->lent = true;
	return false;
}

uint64_t xf_room__send_size(const struct xf_flow *flow)
{
	return size_for(flow).snd;
}

void xf_room__apply(struct xf_relay *relay)
{
	for (unsigned int i = 0; i < relay->flows; i++) {
		set_snd(&relay->flow[i], size_for(&relay->flow[i]).snd);
		if (relay->room[i] == XF_ROOM_LARGE)
			set_rcv(&relay->flow[i]);
	}
}

/* Bytes that came in, and could come in, before the buffer had its size count until they are read.
 * When the window and the queue fit in the buffer none of them is left. */
static void forget_promise(const struct xf_flow *flow)
{
	struct xf_relay *relay = flow->relay;
	unsigned int i = flow - relay->flow;
	uint64_t size = size_for(flow).buffer, window;
	int fd = flow->from->watch.fd;

	if (relay->buffer[i] <= size)
		return;
	window = xf_tcp__window(fd, UINT64_MAX);
	if (window <= size && window + xf_tcp__in_queue(fd) <= size)
		relay->buffer[i] = size;
}

/* Some kernels widen the window when they learn how much memory segments take (seen on 6.18:
 * tcp_measure_rcv_mss() sets window_clamp anew), and then have to drop bytes that they promised
 * room for. Where segments may be large, over loopback, they take little memory beside their bytes,
 * and a sender that has known a window twice as large waits for its timer before it sends a part of
 * one. */
void xf_room__narrow(struct xf_flow *flow)
{
	if (xf_tcp__segment_max(flow->from->watch.fd) <= size_for(flow).window / 4)
		clamp_window(flow);
}

bool xf_room__pause(struct xf_flow *flow)
{
	struct xf_relay *relay = flow->relay;
	bool *paused = &relay->paused[flow - relay->flow];

	if (*paused || !relay->lent)
		return true;
	forget_promise(flow);
	*paused = true;
	if (adjust(relay) || (reclaim(relay->mover) && adjust(relay)))
		return true;
	*paused = false;
	return false;
}

void xf_room__resume(struct xf_flow *flow)
{
	bool *paused = &flow->relay->paused[flow - flow->relay->flow];

	if (!*paused)
		return;
	*paused = false;
	adjust(flow->relay);
}

void xf_room__linger(struct xf_relay *relay)
{
	uint64_t unacked = 0;

	if (relay->lent)
		return;
	for (unsigned int i = 0; i < relay->flows; i++)
		unacked += xf_tcp__unacked(relay->flow[i].to->watch.fd);
	if (unacked >= relay->reserved)
		return;
	xf_budget__give(relay->mover->opts.budget, relay->reserved - unacked);
	relay->reserved = unacked;
}

void xf_room__close(struct xf_relay *relay)
{
	struct xf_budget *budget = relay->mover->opts.budget;

	xf_budget__give(budget, relay->reserved);
	xf_budget__promise(budget, relay->promised, 0);
	relay->reserved = relay->promised = 0;
}

static uint64_t limit_of(const char *path)
{
	FILE *file = fopen(path, "re");
	unsigned long long limit = 0;

	if (file && fscanf(file, "%llu", &limit) != 1)
		limit = 0;
	if (file)
		fclose(file);
	return limit;
}

bool xf_room__needs_net_admin(void)
{
	return limit_of("/proc/sys/net/core/rmem_max") < sizes[XF_ROOM_LARGE].buffer / 2 ||
	       limit_of("/proc/sys/net/core/wmem_max") < sizes[XF_ROOM_LARGE].snd / 2;
}
