// SPDX-License-Identifier: GPL-2.0-only
/* splice() from one socket to a pipe, and from the pipe to the other socket: pages change hands, no
 * byte is copied in the relay. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sockmap/engine/engine.h"
#include "sockmap/relay/pipes.h"

#define FLAGS (SPLICE_F_MOVE | SPLICE_F_NONBLOCK)

/* A flow's turn ends when it has moved so many bytes. */
#define TURN_BYTES (256 * 1024)

static ssize_t move(int from, int to, size_t max)
{
	ssize_t n;

	do {
		n = splice(from, NULL, to, NULL, max, FLAGS);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

/* Returns 1 when the pipe is empty, 0 when the socket is full, or -errno. */
static int empty_pipe(struct xf_flow *flow)
{
	struct xf_pipe *pipe = &flow->pipe;
	ssize_t n;

	while (pipe->len) {
		n = move(pipe->rd, flow->to->watch.fd, pipe->len);
		if (n == -EAGAIN) {
			flow->to->writable = false;
			return 0;
		}
		if (n <= 0)
			return n ? n : -EPIPE;
		pipe->len -= n;
		xf_relay__moved(flow, 0, n);
	}
	return 1;
}

/* Give all that was read before. The same returns. */
static int give(struct xf_flow *flow)
{
	int ret;

	if ((flow->pending.len || flow->pipe.len) && !flow->to->writable)
		return 0;
	ret = xf_flow__push(flow);
	return ret == 1 ? empty_pipe(flow) : ret;
}

/* splice() stops in front of a byte of urgent data for ever; recv() steps over it. */
static bool is_at_mark(const struct xf_side *side)
{
	int at = 0;

	return !ioctl(side->watch.fd, SIOCATMARK, &at) && at;
}

/* Fill the empty pipe. Returns bytes, 0 when nothing is there or nothing more will come, or
 * -errno. */
static ssize_t take(struct xf_flow *flow)
{
	size_t hold = flow->relay->hold_max;
	struct xf_side *from = flow->from;
	struct xf_pipe *pipe = &flow->pipe;
	ssize_t n = move(from->watch.fd, pipe->wr, hold < pipe->size ? hold : pipe->size);

	if (n < 0 && n != -EAGAIN)
		return n;
	/* splice() returns 0 in front of an urgent byte, too. */
	flow->eof = n == 0 && !is_at_mark(from);
	from->urgent = from->urgent || (n == 0 && !flow->eof);
	from->fresh = from->fresh && n <= 0;
	/* A short splice may have run out of slots: only EAGAIN tells that the queue is empty. */
	if (n <= 0) {
		from->readable = false;
		return 0;
	}
	pipe->len = n;
	xf_relay__moved(flow, n, 0);
	return n;
}

/* Nothing more can be read, or given. False: the relay has ended. */
static bool run_out(struct xf_flow *flow)
{
	if (flow->pipe.len)
		return true;
	xf_pipes__give(flow);
	if (flow->eof)
		return xf_relay__flow_done(flow);
	if (!flow->from->urgent || !is_at_mark(flow->from))
		return true;
	flow->from->readable = true;
	return xf_copy__pump(flow);
}

/* Fill the pipe and empty it, until there is nothing more or the turn is over. */
static bool run(struct xf_flow *flow)
{
	size_t moved = 0;
	ssize_t n;
	int ret = 1;

	while (ret == 1 && flow->from->readable && !flow->eof) {
		if (moved >= TURN_BYTES) {
			xf_relay__again(flow->relay);
			return true;
		}
		n = take(flow);
		if (n < 0)
			return xf_relay__failed(flow->from, -n);
		moved += n;
		ret = empty_pipe(flow);
	}
	if (ret < 0)
		return xf_relay__failed(flow->to, -ret);
	return run_out(flow);
}

static bool pump(struct xf_flow *flow)
{
	int ret;

	if (flow->done)
		return true;
	ret = give(flow);
	if (ret < 0)
		return xf_relay__failed(flow->to, -ret);
	if (!ret || flow->relay->stopping)
		return true;
	if (flow->eof || !flow->from->readable)
		return run_out(flow);
	/* Without a pipe this turn is done by copy. */
	return xf_pipes__take(flow) ? xf_copy__pump(flow) : run(flow);
}

/* One pipe is enough to begin with. */
static int start(struct xf_relay *relay)
{
	int err = xf_pipes__take(&relay->flow[0]);

	if (!err)
		xf_pipes__give(&relay->flow[0]);
	return err;
}

/* Take the pipe's bytes back. -ENOMEM: they are still in the pipe. */
static int read_back(struct xf_flow *flow)
{
	struct xf_pending *pending = &flow->pending;
	struct xf_pipe *pipe = &flow->pipe;
	uint8_t *buf;
	ssize_t n;

	if (!pipe->len)
		return 0;
	/* A pipe is filled only when nothing else is pending. */
	buf = malloc(pipe->len);
	if (!buf)
		return -ENOMEM;
	*pending = (struct xf_pending) { .buf = buf };
	while (pipe->len) {
		n = read(pipe->rd, buf + pending->len, pipe->len);
		if (n <= 0)
			continue; /* EINTR at most: the bytes are there */
		pending->len += n;
		pipe->len -= n;
	}
	return 0;
}

static bool stop(struct xf_relay *relay)
{
	bool stopped = true;

	for (unsigned int i = 0; i < relay->flows; i++) {
		if (read_back(&relay->flow[i]))
			stopped = false;
		else
			xf_pipes__give(&relay->flow[i]);
	}
	return stopped;
}

/* While stopping, what the pipes hold goes out as the sockets take it. */
static void ready(struct xf_relay *relay, struct xf_side *side, uint32_t events)
{
	for (unsigned int i = 0; i < relay->flows; i++)
		if (!pump(&relay->flow[i]))
			return;
	if (xf_copy__was_reset(side, events))
		return;
	if (relay->stopping && stop(relay))
		xf_relay__stopped(relay);
}

static void drop(struct xf_relay *relay)
{
	for (unsigned int i = 0; i < relay->flows; i++)
		xf_pipes__give(&relay->flow[i]);
}

const struct xf_engine xf_engine_splice = {
	.id = XF_ENGINE_SPLICE,
	.start = start,
	.ready = ready,
	.stop = stop,
	.drop = drop,
};
