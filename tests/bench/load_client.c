// SPDX-License-Identifier: GPL-2.0-only
/* The client but for its round trips: bulk, connections one after another, and idle ones. */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/bench/load.h"
#include "tests/bench/load_bulk.h"
#include "tests/bench/usage.h"

#define IN_FLIGHT 16 /* connections that are made at a time */

void load_bulk(const struct load *load)
{
	struct bulk *bulk = bulk_start(load, load->connections);
	uint64_t start, bytes, lost;
	double cpu, seconds;

	usleep(load->warm / 1000);
	cpu = usage_machine();
	bytes = atomic_load(&load->shared->bytes);
	start = bench_now_ns();
	usleep(load->time / 1000);
	bytes = atomic_load(&load->shared->bytes) - bytes;
	seconds = (bench_now_ns() - start) / 1e9;
	cpu = usage_machine() - cpu;
	lost = bulk_stop(bulk);
	if (!bytes)
		bench_fail("nothing arrived in all the time");
	printf("gbit %.3f cpu %.4f lost %llu\n", bytes * 8 / seconds / 1e9, cpu / (bytes / 1e9),
	       (unsigned long long)lost);
}

/* One of the connections that are made in a row: connect, a message, its answer, close. */
struct short_conn {
	int fd;
	bool asked;
	size_t have;
	uint8_t message[LOAD_SIZE_MIN];
};

static void open_short(const struct load *load, int epoll, struct short_conn *conn)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = conn };

	conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	conn->asked = false;
	conn->have = 0;
	load_fail_if(conn->fd < 0, "make a socket");
	setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &(int) { 1 }, sizeof(int));
	load_fail_if(
	    connect(conn->fd, (const struct sockaddr *)&load->target, sizeof(load->target)) &&
		errno != EINPROGRESS,
	    "connect to the relay");
	load_fail_if(epoll_ctl(epoll, EPOLL_CTL_ADD, conn->fd, &event), "watch a connection");
}

/* Returns 1 when its answer has come, 0 when not yet, -1 when it never will. */
static int go_on(struct short_conn *conn, uint64_t number)
{
	ssize_t n;

	if (!conn->asked) {
		load_stamp(conn->message, LOAD_ECHO, LOAD_SIZE_MIN, number);
		n = send(conn->fd, conn->message, LOAD_SIZE_MIN, MSG_NOSIGNAL);
		load_wipe(conn->message, LOAD_SIZE_MIN);
		conn->asked = n == LOAD_SIZE_MIN;
		return conn->asked || (n < 0 && errno == EAGAIN) ? 0 : -1;
	}
	n = recv(conn->fd, conn->message + conn->have, LOAD_SIZE_MIN - conn->have, 0);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0)
		return -1;
	conn->have += n;
	if (conn->have < LOAD_SIZE_MIN)
		return 0;
	return load_is(conn->message, LOAD_ECHO, LOAD_SIZE_MIN, number) ? 1 : -1;
}

void load_connects(const struct load *load)
{
	struct short_conn conns[IN_FLIGHT];
	struct epoll_event events[IN_FLIGHT];
	uint64_t now = bench_now_ns(), from = now + load->warm, until = from + load->time;
	uint64_t made = 0, lost = 0, in_flight = IN_FLIGHT;
	int n, ret, epoll = epoll_create1(EPOLL_CLOEXEC);

	for (int i = 0; i < IN_FLIGHT; i++)
		open_short(load, epoll, &conns[i]);
	while (in_flight) {
		n = epoll_wait(epoll, events, IN_FLIGHT, LOAD_PATIENCE_MS);
		if (n <= 0)
			break;
		now = bench_now_ns();
		for (int i = 0; i < n; i++) {
			struct short_conn *conn = events[i].data.ptr;

			ret = go_on(conn, conn - conns);
			if (!ret)
				continue;
			close(conn->fd);
			made += ret > 0 && now >= from && now < until;
			lost += ret < 0 ? LOAD_SIZE_MIN : 0;
			if (now < until)
				open_short(load, epoll, conn);
			else
				in_flight--;
		}
	}
	lost += in_flight * LOAD_SIZE_MIN;
	printf("rate %.0f lost %llu\n", made / (load->time / 1e9), (unsigned long long)lost);
}

/* Send a message on each connection and wait for its answer. Returns bytes lost. */
static uint64_t exchange(const struct load *load, const int *fds, uint64_t number)
{
	uint8_t message[LOAD_SIZE_MIN];
	uint64_t lost = 0;

	for (unsigned int i = 0; i < load->connections; i++) {
		load_stamp(message, LOAD_ECHO, sizeof(message), number);
		if (send(fds[i], message, sizeof(message), MSG_NOSIGNAL) != sizeof(message)) {
			lost += sizeof(message);
			continue;
		}
		load_wipe(message, sizeof(message));
		if (recv(fds[i], message, sizeof(message), MSG_WAITALL) != sizeof(message) ||
		    !load_is(message, LOAD_ECHO, sizeof(message), number))
			lost += sizeof(message);
	}
	return lost;
}

void load_idle(const struct load *load)
{
	struct timeval patience = { .tv_sec = LOAD_PATIENCE_MS / 1000 };
	struct usage before, opened, after;
	uint64_t lost = 0;
	double seconds;
	int *fds = calloc(load->connections, sizeof(*fds));

	if (!fds)
		bench_fail("out of memory");
	usage_read(&before, load->relay);
	for (unsigned int i = 0; i < load->connections; i++) {
		fds[i] = load_connect(load);
		setsockopt(fds[i], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	}
	/* Some exchanges, so that each is what it will stay. */
	for (int i = 0; i < 4; i++)
		lost += exchange(load, fds, i);
	usleep(load->warm / 1000);
	usage_read(&opened, load->relay);
	usleep(load->time / 1000);
	usage_read(&after, load->relay);
	seconds = (after.at - opened.at) / 1e9;
	lost += exchange(load, fds, 4);
	printf("connections %u percent %.4f machine %.2f user %.0f kernel %.0f lost %llu\n",
	       load->connections, (after.process - opened.process) / seconds * 100,
	       (after.machine - opened.machine) / seconds * 100,
	       (double)(opened.rss - before.rss) / load->connections,
	       (double)(opened.kernel - before.kernel) / load->connections,
	       (unsigned long long)lost);
	for (unsigned int i = 0; i < load->connections; i++)
		close(fds[i]);
	free(fds);
}
