// SPDX-License-Identifier: GPL-2.0-only
/* The client's round trips. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "tests/bench/bench.h"
#include "tests/bench/load.h"
#include "tests/bench/load_bulk.h"

#define EVENTS 256
#define SAMPLES_PER_MS 500

/* Round-trip times, all of them. */
struct samples {
	uint32_t *ns;
	size_t n, max;
};

struct conn {
	int fd;
	uint8_t *message;
	size_t given, have; /* bytes sent, and bytes of the answer */
	uint64_t number;    /* of the message */
	uint64_t start;	    /* when it was sent */
};

struct trips {
	const struct load *load;
	struct conn *conns;
	int epoll;
	uint64_t from, until; /* what is sent before does not count, after is not sent */
	uint64_t lost;
	unsigned int waiting; /* for an answer */
	struct samples samples;
};

static void add_sample(struct samples *samples, uint64_t ns)
{
	if (samples->n == samples->max)
		bench_fail("more round trips than there is room for");
	samples->ns[samples->n++] = ns < UINT32_MAX ? ns : UINT32_MAX;
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* The smallest time that the share @q of all is not above, in microseconds. Sorted. */
static double quantile(const struct samples *samples, double q)
{
	size_t rank = samples->n * q;

	return samples->ns[rank < samples->n ? rank : samples->n - 1] / 1e3;
}

static void send_message(struct trips *trips, struct conn *conn)
{
	ssize_t n = send(conn->fd, conn->message + conn->given, trips->load->size - conn->given,
			 MSG_NOSIGNAL);

	load_fail_if(n < 0 && errno != EAGAIN, "send to the relay");
	conn->given += n > 0 ? n : 0;
	if (conn->given == trips->load->size)
		load_wipe(conn->message, trips->load->size);
}

static void next_message(struct trips *trips, struct conn *conn, uint64_t now)
{
	conn->given = conn->have = 0;
	load_stamp(conn->message, LOAD_ECHO, trips->load->size, ++conn->number);
	conn->start = now;
	send_message(trips, conn);
}

/* The answer is complete: count it and send the next message. */
static void on_answer(struct trips *trips, struct conn *conn)
{
	size_t size = trips->load->size;
	uint64_t now = bench_now_ns();

	if (!load_is(conn->message, LOAD_ECHO, size, conn->number))
		trips->lost += size;
	if (conn->start >= trips->from && conn->start < trips->until)
		add_sample(&trips->samples, now - conn->start);
	if (now < trips->until)
		next_message(trips, conn, now);
	else
		trips->waiting--;
}

static void receive(struct trips *trips, struct conn *conn)
{
	size_t size = trips->load->size;
	ssize_t n = recv(conn->fd, conn->message + conn->have, size - conn->have, 0);

	if (n < 0 && errno == EAGAIN)
		return;
	load_fail_if(n < 0, "receive from the relay");
	if (!n)
		bench_fail("the relay closed a connection that is in use");
	conn->have += n;
	if (conn->have == size)
		on_answer(trips, conn);
}

static void on_event(struct trips *trips, struct conn *conn)
{
	if (conn->given < trips->load->size)
		send_message(trips, conn);
	if (conn->given == trips->load->size)
		receive(trips, conn);
}

/* One connection needs no epoll, and a client without one is the quickest. */
static void run_one(struct trips *trips)
{
	struct conn *conn = trips->conns;
	struct timeval patience = { .tv_sec = LOAD_PATIENCE_MS / 1000 };

	fcntl(conn->fd, F_SETFL, 0);
	setsockopt(conn->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	next_message(trips, conn, bench_now_ns());
	while (trips->waiting) {
		size_t before = conn->have;
		uint64_t number = conn->number;

		on_event(trips, conn);
		if (conn->have == before && conn->number == number && trips->waiting)
			break; /* out of patience */
	}
}

static void run_many(struct trips *trips)
{
	struct epoll_event events[EVENTS];
	uint64_t now = bench_now_ns();
	int n;

	for (unsigned int i = 0; i < trips->load->connections; i++)
		next_message(trips, &trips->conns[i], now);
	while (trips->waiting) {
		n = epoll_wait(trips->epoll, events, EVENTS, LOAD_PATIENCE_MS);
		if (n <= 0)
			break;
		for (int i = 0; i < n; i++)
			on_event(trips, events[i].data.ptr);
	}
}

/* Edge-triggered for sending too: it is ratelimit that a message does not fit at once. */
static void open_conns(struct trips *trips)
{
	const struct load *load = trips->load;
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET };
	struct conn *conn;

	trips->conns = calloc(load->connections, sizeof(*trips->conns));
	trips->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (unsigned int i = 0; i < load->connections; i++) {
		conn = &trips->conns[i];
		conn->fd = load_connect(load);
		conn->message = calloc(1, load->size);
		if (!conn->message)
			bench_fail("out of memory");
		fcntl(conn->fd, F_SETFL, O_NONBLOCK);
		event.data.ptr = conn;
		load_fail_if(epoll_ctl(trips->epoll, EPOLL_CTL_ADD, conn->fd, &event),
			     "watch a connection");
	}
	trips->waiting = load->connections;
}

static void make_room(struct samples *samples, const struct load *load)
{
	samples->max = load->time / 1000000 * SAMPLES_PER_MS;
	samples->ns = malloc(samples->max * sizeof(*samples->ns));
	if (!samples->ns)
		bench_fail("out of memory");
	/* So that no page fault is measured. */
	memset(samples->ns, 1, samples->max * sizeof(*samples->ns));
}

void load_round_trips(const struct load *load)
{
	struct trips trips = { .load = load };
	struct bulk *bulk = load->beside ? bulk_start(load, 1) : NULL;

	make_room(&trips.samples, load);
	open_conns(&trips);
	trips.from = bench_now_ns() + load->warm;
	trips.until = trips.from + load->time;
	if (load->connections == 1)
		run_one(&trips);
	else
		run_many(&trips);
	/* Messages without an answer are lost, too. */
	trips.lost += trips.waiting * load->size;
	if (bulk)
		trips.lost += bulk_stop(bulk);
	if (!trips.samples.n)
		bench_fail("no round trip in all the time");
	qsort(trips.samples.ns, trips.samples.n, sizeof(uint32_t), compare);
	printf("p50 %.2f p99 %.2f lost %llu\n", quantile(&trips.samples, 0.5),
	       quantile(&trips.samples, 0.99), (unsigned long long)trips.lost);
}
