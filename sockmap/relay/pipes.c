// SPDX-License-Identifier: GPL-2.0-only
#include "sockmap/relay/pipes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "sockmap/relay/fds.h"

/* How many are kept for later. */
#define POOL 16

/* A page of a pipe takes a piece of a segment, so this holds between 370 KiB (packets of 1500
 * bytes) and a mebibyte. A quarter of it costs a fifth more CPU time for each byte. */
#define PIPE_SIZE (1024 * 1024)
/* The kernel's default: less is what it gives to users of too many pipes. */
#define PIPE_SIZE_MIN (64 * 1024)

struct xf_pipes {
	unsigned int n;
	struct xf_pipe idle[POOL];
};

static void close_pipe(struct xf_pipe *pipe)
{
	close(pipe->rd);
	close(pipe->wr);
	*pipe = (struct xf_pipe) { .rd = -1, .wr = -1 };
}

/* As large as the kernel allows this user: it refuses sizes beyond limits that are shared by all
 * processes of the user. */
static int grow(struct xf_pipe *pipe)
{
	int size = fcntl(pipe->wr, F_GETPIPE_SZ);

	for (int want = PIPE_SIZE; size >= 0 && want > size; want /= 2) {
		int got = fcntl(pipe->wr, F_SETPIPE_SZ, want);

		if (got >= want)
			size = got;
	}
	if (size < PIPE_SIZE_MIN)
		return size < 0 ? -errno : -EPERM;
	pipe->size = size;
	return 0;
}

static int open_pipe(struct xf_pipe *pipe)
{
	int fd[2], err = xf_fds__pipe(fd);

	if (err)
		return err;
	*pipe = (struct xf_pipe) { .rd = fd[0], .wr = fd[1] };
	err = grow(pipe);
	if (err)
		close_pipe(pipe);
	return err;
}

int xf_pipes__take(struct xf_flow *flow)
{
	struct xf_mover *mover = flow->relay->mover;

	if (flow->pipe.rd >= 0)
		return 0;
	if (!mover->pipes)
		mover->pipes = calloc(1, sizeof(*mover->pipes));
	if (!mover->pipes)
		return -ENOMEM;
	if (!mover->pipes->n)
		return open_pipe(&flow->pipe);
	flow->pipe = mover->pipes->idle[--mover->pipes->n];
	return 0;
}

void xf_pipes__give(struct xf_flow *flow)
{
	struct xf_pipes *pipes = flow->relay->mover->pipes;

	if (flow->pipe.rd < 0)
		return;
	if (flow->pipe.len || pipes->n == POOL) {
		close_pipe(&flow->pipe);
		return;
	}
	pipes->idle[pipes->n++] = flow->pipe;
	flow->pipe = (struct xf_pipe) { .rd = -1, .wr = -1 };
}

void xf_pipes__free(struct xf_pipes *pipes)
{
	if (!pipes)
		return;
	while (pipes->n)
		close_pipe(&pipes->idle[--pipes->n]);
	free(pipes);
}
