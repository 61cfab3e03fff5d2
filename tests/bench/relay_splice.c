// SPDX-License-Identifier: GPL-2.0-only
/* A relay to compare with: splice() from socket to pipe to socket. Pipes are in a pool and belong
 * to a direction only while bytes are in them. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "tests/bench/peer.h"

#define POOL 64
#define PIPE_SIZE (1 << 20)

static int pool[POOL][2];
static unsigned int pooled;

static int take_pipe(struct peer_flow *flow)
{
	if (pooled) {
		pooled--;
		flow->pipe[0] = pool[pooled][0];
		flow->pipe[1] = pool[pooled][1];
		return 0;
	}
	if (pipe2(flow->pipe, O_NONBLOCK | O_CLOEXEC))
		return -errno;
	/* A smaller one does as well, so a refusal is none of ours. */
	fcntl(flow->pipe[1], F_SETPIPE_SZ, PIPE_SIZE);
	return 0;
}

static void close_pipe(struct peer_flow *flow)
{
	close(flow->pipe[0]);
	close(flow->pipe[1]);
	flow->pipe[0] = flow->pipe[1] = -1;
}

/* An empty pipe. */
static void give_pipe(struct peer_flow *flow)
{
	if (pooled == POOL) {
		close_pipe(flow);
		return;
	}
	pool[pooled][0] = flow->pipe[0];
	pool[pooled][1] = flow->pipe[1];
	pooled++;
	flow->pipe[0] = flow->pipe[1] = -1;
}

/* Fill the flow's empty pipe. Returns bytes, 0 for none now or no more ever, or -errno. */
static ssize_t pull(struct peer_flow *flow)
{
	ssize_t n = splice(flow->from->fd, NULL, flow->pipe[1], NULL, PIPE_SIZE,
			   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

	if (n < 0 && errno != EAGAIN)
		return -errno;
	flow->ended = n == 0;
	/* A full pipe and an empty socket look alike: only EAGAIN says that nothing is left. */
	if (n <= 0)
		flow->from->readable = false;
	return n > 0 ? n : 0;
}

/* Empty the pipe. Returns 1 when it is empty, 0 when not, or -errno. */
static int push(struct peer_flow *flow)
{
	ssize_t n;

	while (flow->rest_len) {
		n = splice(flow->pipe[0], NULL, flow->to->fd, NULL, flow->rest_len,
			   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
		if (n < 0 && errno == EAGAIN) {
			flow->to->writable = false;
			return 0;
		}
		if (n <= 0)
			return n ? -errno : -EPIPE;
		flow->rest_len -= n;
	}
	return 1;
}

static int fill_and_empty(struct peer_flow *flow, size_t *moved)
{
	ssize_t n = flow->pipe[0] < 0 ? take_pipe(flow) : 0;

	if (n < 0)
		return n;
	n = pull(flow);
	if (n < 0)
		return n;
	flow->rest_len = n;
	*moved += n;
	return push(flow);
}

static int move(struct peer_flow *flow)
{
	size_t moved = 0;
	int ret;

	if (flow->rest_len) {
		ret = flow->to->writable ? push(flow) : 0;
		if (ret <= 0)
			return ret;
	}
	while (!flow->ended && flow->from->readable && flow->to->writable) {
		if (moved >= PEER_TURN)
			return 1;
		ret = fill_and_empty(flow, &moved);
		if (ret <= 0)
			return ret;
	}
	if (flow->pipe[0] >= 0)
		give_pipe(flow);
	return 0;
}

static void drop(struct peer_flow *flow)
{
	if (flow->pipe[0] >= 0)
		close_pipe(flow);
}

int main(int argc, char **argv)
{
	return peer_main(argc, argv, move, drop);
}
