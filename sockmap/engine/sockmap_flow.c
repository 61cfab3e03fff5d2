// SPDX-License-Identifier: GPL-2.0-only
/* One direction of a relay in the sockmap engine.
 *
 * Theory of operation
 *
 * The verdict redirects a segment while little is held on the other side, and passes it into the
 * queue of the socket that received it else, where it counts in the receive buffer: a reader that
 * stalls closes the sender's window. Two counters keep the order:
 *
 * - The verdict redirects only while all that it passed has been forwarded (passed == forwarded).
 *   So behind a passed segment come only passed ones until user space has caught up.
 * - User space sends what it has received only when the other socket's queue has all that was
 *   redirected. It looks after recv() and before send(): before recv() a segment could still be
 *   redirected, and the next one passed, which recv() then returns too early.
 * - A socket leaves the source map while passed == forwarded and the verdict only redirects: a
 *   passed segment that nobody has read would be lost.
 *
 * tests/platform/ has the proofs of what this needs of the kernel. */
#include <errno.h>
#include <sys/socket.h>

#include "sockmap/engine/sockmap_impl.h"
#include "sockmap/relay/room.h"
#include "sockmap/relay/tcp_state.h"

/* A call forwards so many bytes, so that others have their turn. */
#define TURN_BYTES (256 * 1024)
/* So often must bytes be found missing at the end of a stream until they are given up. */
#define GAPS_MAX 8

static uint64_t load(const __u64 *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

uint64_t xf_mapped__moved(const struct xf_mapped_flow *mf)
{
	return load(&mf->shared->redirected) + mf->shared->forwarded;
}

bool xf_mapped__waits(const struct xf_mapped_flow *mf)
{
	return load(&mf->shared->passed) != mf->shared->forwarded;
}

/* Redirected bytes that are not written yet are in a list that a thread of the kernel works off. */
bool xf_mapped__is_drained(const struct xf_mapped_flow *mf)
{
	uint64_t moved = xf_mapped__moved(mf);

	return xf_tcp__written(mf->flow->to->watch.fd) - mf->written0 >= moved;
}

bool xf_mapped__may_hold(struct xf_mapped_flow *mf)
{
	return xf_room__pause(mf->flow);
}

/* ---- user space's part of the stream ---- */

/* Read what was passed into scratch. Returns bytes, 0: it does not show yet, or -errno. */
static ssize_t take(struct xf_mapped_flow *mf)
{
	struct xf_flow *flow = mf->flow;
	ssize_t n;

	do {
		n = recv(flow->from->watch.fd, flow->relay->mover->scratch,
			 xf_room__hold_size(flow), MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	return n < 0 && errno != EAGAIN ? -errno : n < 0 ? 0 : n;
}

/* Send @len bytes at @data as far as the socket takes them. Returns how many, or -errno. */
static ssize_t send_some(struct xf_mapped_flow *mf, const uint8_t *data, size_t len)
{
	uint64_t passed = load(&mf->shared->passed);
	ssize_t n;

	do {
		n = send(mf->flow->to->watch.fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	__atomic_store_n(&mf->shared->forwarded, mf->shared->forwarded + n, __ATOMIC_SEQ_CST);
	/* From the moment when all is forwarded the verdict may redirect. */
	mf->in_turn = mf->shared->forwarded != passed;
	return n;
}

/* Pending bytes, or those of a read. Returns XF_ALL when they are sent. */
static enum xf_progress give(struct xf_mapped_flow *mf, const uint8_t *data, size_t len, int *err)
{
	struct xf_pending *pending = &mf->flow->pending;
	ssize_t n = 0;

	if (!mf->in_turn)
		mf->in_turn = xf_mapped__is_drained(mf);
	if (mf->in_turn)
		n = send_some(mf, data, len);
	if (n < 0) {
		*err = -n;
		return XF_NO_TO;
	}
	if (pending->len) {
		pending->off += n;
		pending->len -= n;
	} else {
		*err = -xf_flow__keep(mf->flow, data + n, len - n);
		if (*err)
			return XF_NO_TO;
	}
	if ((size_t)n == len)
		return XF_ALL;
	return n || mf->in_turn ? XF_FULL : XF_LOOK;
}

static enum xf_progress give_pending(struct xf_mapped_flow *mf, int *err)
{
	struct xf_pending *pending = &mf->flow->pending;
	enum xf_progress progress = give(mf, pending->buf + pending->off, pending->len, err);

	if (progress == XF_ALL)
		xf_flow__push(mf->flow); /* frees the buffer */
	return progress;
}

enum xf_progress xf_mapped__forward(struct xf_mapped_flow *mf, int *err)
{
	struct xf_flow *flow = mf->flow;
	enum xf_progress progress = XF_ALL;
	size_t moved = 0;
	ssize_t n;

	if (!xf_mapped__waits(mf))
		return XF_ALL;
	if (!xf_mapped__may_hold(mf))
		return XF_NO_ROOM;
	if (flow->pending.len)
		progress = give_pending(mf, err);
	while (progress == XF_ALL && xf_mapped__waits(mf)) {
		if (moved >= TURN_BYTES)
			return XF_TURN;
		n = take(mf);
		if (n <= 0) {
			*err = -n;
			return n ? XF_NO_FROM : XF_LOOK;
		}
		moved += n;
		progress = give(mf, flow->relay->mover->scratch, n, err);
	}
	if (progress == XF_FULL)
		xf_room__narrow(flow);
	if (progress == XF_ALL)
		xf_room__resume(flow);
	return progress;
}

/* ---- into the source map and out of it ---- */

int xf_mapped__enter(struct xf_sockmap *sm, struct xf_mapped_flow *mf)
{
	struct xf_side *from = mf->flow->from;

	return xf_sockmap__add(sm->src, from->cookie, from->watch.fd);
}

/* The kernel does not lock the socket when it is taken out: a verdict that is called meanwhile
 * finds its program gone and drops the segment. So in these microseconds no data gets in. A high
 * low-water mark alone does not do: a segment that leaves less of the window than a segment, or
 * comes when memory is short, or a FIN, calls the verdict all the same (tcp_epollin_ready()), and a
 * sender that waits for its window sends just those. Setting the mark waits for a verdict that is
 * running. A loss all the same is found before any byte behind it is read.
 *
 * The gate is a program that was loaded at the start: without capabilities the kernel may refuse a
 * classic filter (EPERM), which it would have to compile. */
bool xf_mapped__leave(struct xf_sockmap *sm, struct xf_mapped_flow *mf)
{
	int from = mf->flow->from->watch.fd;
	bool leaves;

	__atomic_store_n(&mf->shared->leaves, 1, __ATOMIC_SEQ_CST);
	leaves = !xf_tcp__attach(from, sm->gate);
	xf_tcp__hush(from);
	leaves = leaves && !xf_mapped__waits(mf);
	if (leaves)
		xf_sockmap__remove(sm->src, mf->flow->from->cookie);
	else
		__atomic_store_n(&mf->shared->leaves, 0, __ATOMIC_SEQ_CST);
	xf_tcp__kick(from);
	xf_tcp__detach(from);
	return leaves;
}

bool xf_mapped__is_whole(const struct xf_mapped_flow *mf)
{
	int from = mf->flow->from->watch.fd;
	uint64_t shown = mf->shared->redirected + mf->shared->passed;
	uint64_t gone = xf_tcp__consumed(from) - mf->consumed0;

	/* An unread FIN counts as consumed. */
	return gone == shown || (gone == shown + 1 && !xf_tcp__is_established(from));
}

/* ---- how far it is ---- */

static void sync_to(struct xf_mapped_flow *mf, uint64_t moved, uint64_t given)
{
	if (mf->flow->done || mf->state == XF_BY_HAND)
		return; /* was done before; our FIN would be counted with what was written */
	mf->flow->read += moved - mf->moved;
	mf->moved = moved;
	if (given > mf->given) {
		mf->flow->written += given - mf->given;
		mf->given = given;
	}
}

void xf_mapped__sync(struct xf_mapped_flow *mf)
{
	sync_to(mf, xf_mapped__moved(mf) + mf->flow->pending.len,
		xf_tcp__written(mf->flow->to->watch.fd) - mf->written0);
}

void xf_mapped__sync_drained(struct xf_mapped_flow *mf)
{
	sync_to(mf, xf_mapped__moved(mf), xf_mapped__moved(mf));
}

enum xf_progress xf_mapped__end(struct xf_mapped_flow *mf)
{
	int from = mf->flow->from->watch.fd;
	bool closed = xf_tcp__is_closed(from);
	uint64_t received = xf_tcp__received(from) - mf->consumed0;
	uint64_t shown = load(&mf->shared->redirected) + load(&mf->shared->passed);

	/* The FIN counts as a byte. A socket that is closed without one was reset; the error is
	 * gone when the kernel's own sending met it first. */
	if (received == shown + 1)
		return xf_mapped__waits(mf) || !xf_mapped__is_drained(mf) ? XF_LOOK : XF_ENDED;
	if (received == shown && closed)
		return XF_RESET;
	xf_tcp__kick(from);
	/* After a FIN and a kick nothing waits to be shown any more; a reset discards what waits.
	 */
	if (received <= shown + 1 || ++mf->gaps < GAPS_MAX)
		return XF_LOOK;
	return closed ? XF_RESET : XF_LOST;
}
