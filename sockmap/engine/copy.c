// SPDX-License-Identifier: GPL-2.0-only
/* recv() into a buffer that stays in the cache, send() from it. Needs nothing, so it always can,
 * and for a message it is the fewest system calls that user space can do with. */
#include <errno.h>
#include <sys/socket.h>

#include "sockmap/engine/engine.h"
#include "sockmap/relay/room.h"
#include "sockmap/relay/tcp_state.h"

/* A flow's turn ends with the read that makes it so many bytes: one of bulk, which others wait some
 * hundred microseconds for, and many of a flow that may hold little. */
#define TURN_BYTES (256 * 1024)

/* Returns bytes, 0 for the FIN, or -errno. */
static ssize_t receive(struct xf_flow *flow, size_t max)
{
	struct xf_side *from = flow->from;
	ssize_t n;

	do {
		n = recv(from->watch.fd, flow->relay->mover->scratch, max, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno != EAGAIN)
		return -errno;
	/* Less than was asked for is all that there was, but for what is behind an urgent byte. A
	 * FIN or data that comes later is another event; a FIN that was announced with these bytes
	 * is not announced again. */
	from->fresh = from->fresh && n <= 0;
	if (n <= 0 || (n < (ssize_t)max && !from->fin && !from->urgent))
		from->readable = false;
	return n < 0 ? -EAGAIN : n;
}

/* Give the @len bytes in scratch; what does not fit is kept. Returns 1 when all fitted, 0 when not,
 * or -errno. */
static int give(struct xf_flow *flow, size_t len)
{
	const uint8_t *data = flow->relay->mover->scratch;
	ssize_t n;

	do {
		n = send(flow->to->watch.fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno != EAGAIN)
		return -errno;
	if (n < 0)
		n = 0;
	xf_relay__moved(flow, len, n);
	if ((size_t)n == len)
		return 1;
	/* Less than all says that the send buffer is full: there will be an event. */
	flow->to->writable = false;
	return xf_flow__keep(flow, data + n, len - n);
}

bool xf_copy__pump(struct xf_flow *flow)
{
	size_t max = xf_room__hold_size(flow), moved = 0;
	ssize_t n;
	int ret;

	if (flow->done || (flow->pending.len && !flow->to->writable))
		return true;
	ret = xf_flow__push(flow);
	while (ret == 1 && !flow->eof && flow->from->readable) {
		if (moved >= TURN_BYTES) {
			xf_relay__again(flow->relay);
			return true;
		}
		n = receive(flow, max);
		if (n < 0 && n != -EAGAIN)
			return xf_relay__failed(flow->from, -n);
		flow->eof = n == 0;
		if (n > 0)
			ret = give(flow, n);
		moved += n > 0 ? n : 0;
	}
	if (ret < 0)
		return xf_relay__failed(flow->to, -ret);
	return !ret || !flow->eof || xf_relay__flow_done(flow);
}

bool xf_copy__was_reset(struct xf_side *side, uint32_t events)
{
	int err = events & EPOLLERR ? xf_tcp__error(side->watch.fd) : 0;

	if (err)
		xf_relay__failed(side, err);
	return err;
}

/* The first event begins it, or the relay's call. */
static int start(struct xf_relay *relay)
{
	(void)relay;
	return 0;
}

static void ready(struct xf_relay *relay, struct xf_side *side, uint32_t events)
{
	for (unsigned int i = 0; i < relay->flows; i++)
		if (!xf_copy__pump(&relay->flow[i]))
			return;
	/* Bytes from before the reset were passed on as far as the other side took them. */
	xf_copy__was_reset(side, events);
}

/* All bytes of a flow are in pending at any time. */
static bool stop(struct xf_relay *relay)
{
	(void)relay;
	return true;
}

static void drop(struct xf_relay *relay)
{
	(void)relay;
}

const struct xf_engine xf_engine_copy = {
	.id = XF_ENGINE_COPY,
	.start = start,
	.ready = ready,
	.stop = stop,
	.drop = drop,
};
