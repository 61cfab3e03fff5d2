// SPDX-License-Identifier: GPL-2.0-only
/* A relay to compare with: read() up to 256 KiB into one buffer that stays in the cache, write()
 * it, keep what did not fit. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/peer.h"

static uint8_t buffer[PEER_BUFFER];

/* Returns 1 when all was written, 0 when not, or -errno. */
static int write_some(struct peer_flow *flow, const uint8_t *data, size_t len, size_t *written)
{
	ssize_t n = write(flow->to->fd, data, len);

	*written = n > 0 ? n : 0;
	if (n < 0 && errno != EAGAIN)
		return -errno;
	flow->to->writable = *written == len;
	return flow->to->writable;
}

static int keep(struct peer_flow *flow, const uint8_t *data, size_t len)
{
	flow->rest = malloc(len);
	if (!flow->rest)
		return -ENOMEM;
	memcpy(flow->rest, data, len);
	flow->rest_at = 0;
	flow->rest_len = len;
	return 0;
}

static int write_rest(struct peer_flow *flow)
{
	size_t written;
	int ret = write_some(flow, flow->rest + flow->rest_at, flow->rest_len, &written);

	flow->rest_at += written;
	flow->rest_len -= written;
	if (ret == 1) {
		free(flow->rest);
		flow->rest = NULL;
	}
	return ret;
}

/* Returns how many bytes were read and written or kept, 0 when nothing goes on, or -errno. */
static ssize_t step(struct peer_flow *flow)
{
	ssize_t n = read(flow->from->fd, buffer, sizeof(buffer));
	size_t written;
	int ret;

	if (n < 0 && errno != EAGAIN)
		return -errno;
	flow->ended = n == 0;
	/* More will come with another edge. */
	flow->from->readable = n == sizeof(buffer) || (n > 0 && flow->from->hup);
	if (n <= 0)
		return 0;
	ret = write_some(flow, buffer, n, &written);
	if (!ret)
		ret = keep(flow, buffer + written, n - written);
	return ret < 0 ? ret : n;
}

static int move(struct peer_flow *flow)
{
	size_t moved = 0;
	ssize_t n;

	if (flow->rest) {
		n = flow->to->writable ? write_rest(flow) : 0;
		if (n <= 0)
			return n;
	}
	while (!flow->ended && flow->from->readable && flow->to->writable) {
		if (moved >= PEER_TURN)
			return 1;
		n = step(flow);
		if (n < 0)
			return n;
		moved += n;
	}
	/* 0 with ended says that all was written; with a rest there will be another turn. */
	return 0;
}

static void drop(struct peer_flow *flow)
{
	free(flow->rest);
}

int main(int argc, char **argv)
{
	return peer_main(argc, argv, move, drop);
}
