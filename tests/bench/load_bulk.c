// SPDX-License-Identifier: GPL-2.0-only
/* The client's bulk transfers. */
#include "tests/bench/load_bulk.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/bench/bench.h"

#define EVENTS 64

struct transfer {
	int fd;
	uint64_t sent; /* bytes */
	uint64_t last; /* number of the last block; UINT64_MAX: not known yet */
};

struct bulk {
	struct transfer *transfers;
	unsigned int n, left; /* all, and those that still send */
	int epoll;
	_Atomic bool stop;
	pthread_t thread;
};

/* One send of up to a buffer. Returns 0, 1 when all is sent, or -errno. The blocks' ends are
 * written anew for each, everything else in the buffer is the same for all. */
static int send_some(struct transfer *transfer)
{
	static uint8_t buffer[LOAD_BUFFER];
	uint64_t first = transfer->sent / LOAD_BLOCK;
	size_t blocks = LOAD_BUFFER / LOAD_BLOCK, at = transfer->sent % LOAD_BLOCK;
	ssize_t n;

	if (transfer->last - first < blocks)
		blocks = transfer->last - first + 1;
	for (size_t i = 0; i < blocks; i++)
		load_stamp(buffer + i * LOAD_BLOCK,
			   first + i == transfer->last ? LOAD_END : LOAD_BULK, LOAD_BLOCK,
			   first + i);
	n = send(transfer->fd, buffer + at, blocks * LOAD_BLOCK - at, MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	transfer->sent += n;
	return transfer->sent / LOAD_BLOCK > transfer->last;
}

static void on_event(struct bulk *bulk, struct transfer *transfer)
{
	int ret;

	if (transfer->last == UINT64_MAX && atomic_load_explicit(&bulk->stop, memory_order_relaxed))
		transfer->last = (transfer->sent + LOAD_BLOCK - 1) / LOAD_BLOCK;
	ret = send_some(transfer);
	if (!ret)
		return;
	epoll_ctl(bulk->epoll, EPOLL_CTL_DEL, transfer->fd, NULL);
	bulk->left--;
}

static void *send_all(void *arg)
{
	struct epoll_event events[EVENTS];
	struct bulk *bulk = arg;

	while (bulk->left) {
		int n = epoll_wait(bulk->epoll, events, EVENTS, LOAD_PATIENCE_MS);

		for (int i = 0; i < n; i++)
			on_event(bulk, events[i].data.ptr);
		if (n <= 0) /* nothing goes on any more: the answers will not come */
			break;
	}
	return NULL;
}

struct bulk *bulk_start(const struct load *load, unsigned int connections)
{
	struct bulk *bulk = calloc(1, sizeof(*bulk));
	struct epoll_event event = { .events = EPOLLOUT };

	if (bulk)
		bulk->transfers = calloc(connections, sizeof(*bulk->transfers));
	if (!bulk || !bulk->transfers)
		bench_fail("out of memory");
	bulk->n = bulk->left = connections;
	bulk->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (unsigned int i = 0; i < connections; i++) {
		struct transfer *transfer = &bulk->transfers[i];

		transfer->fd = load_connect(load);
		transfer->last = UINT64_MAX;
		fcntl(transfer->fd, F_SETFL, O_NONBLOCK);
		event.data.ptr = transfer;
		load_fail_if(epoll_ctl(bulk->epoll, EPOLL_CTL_ADD, transfer->fd, &event),
			     "watch a connection");
	}
	bench_check(-pthread_create(&bulk->thread, NULL, send_all, bulk), "start a thread");
	return bulk;
}

/* Wait for the answer, and close. */
static uint64_t lost_of(struct transfer *transfer)
{
	struct timeval patience = { .tv_sec = LOAD_PATIENCE_MS / 1000 };
	uint8_t block[LOAD_SIZE_MIN];
	struct load_head head = {};
	uint64_t right;

	fcntl(transfer->fd, F_SETFL, 0);
	setsockopt(transfer->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (transfer->sent / LOAD_BLOCK > transfer->last &&
	    recv(transfer->fd, block, sizeof(block), MSG_WAITALL) == sizeof(block))
		memcpy(&head, block, sizeof(head));
	close(transfer->fd);
	if (head.magic != LOAD_MAGIC || head.kind != LOAD_END) {
		fprintf(stderr, "bench: a bulk transfer was not answered\n");
		return transfer->sent ? transfer->sent : 1;
	}
	right = (head.size - head.number) * LOAD_BLOCK;
	return transfer->sent - right;
}

uint64_t bulk_stop(struct bulk *bulk)
{
	uint64_t lost = 0;

	atomic_store(&bulk->stop, true);
	pthread_join(bulk->thread, NULL);
	for (unsigned int i = 0; i < bulk->n; i++)
		lost += lost_of(&bulk->transfers[i]);
	close(bulk->epoll);
	free(bulk->transfers);
	free(bulk);
	return lost;
}
