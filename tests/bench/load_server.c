// SPDX-License-Identifier: GPL-2.0-only
/* The server: one thread for round trips and one for bulk, so that neither waits for the other. */
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/bench/load.h"

#define EVENTS 256

struct conn {
	int fd;
	size_t size;  /* of a message; LOAD_SIZE_MIN until its first bytes have said it */
	size_t have;  /* bytes of the message, or of a block */
	size_t given; /* bytes of the answer that are sent */
	bool known;   /* size is right */
	bool waits;   /* for room to send the rest of the answer */
	uint8_t *message;
	/* bulk only */
	uint64_t blocks, wrong;
};

struct server {
	int epoll, bulk_epoll, listener;
	struct load_shared *shared;
};

static void end(struct conn *conn)
{
	close(conn->fd);
	free(conn->message);
	free(conn);
}

static void watch(int epoll, int op, int fd, uint32_t events, void *data)
{
	struct epoll_event event = { .events = events, .data.ptr = data };

	bench_check(epoll_ctl(epoll, op, fd, &event) ? -errno : 0, "watch a connection");
}

static void accept_all(struct server *server)
{
	struct conn *conn;
	int fd;

	while ((fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int) { 1 }, sizeof(int));
		conn = calloc(1, sizeof(*conn));
		if (conn)
			conn->message = malloc(LOAD_SIZE_MIN);
		if (!conn || !conn->message)
			bench_fail("out of memory");
		conn->fd = fd;
		conn->size = LOAD_SIZE_MIN;
		watch(server->epoll, EPOLL_CTL_ADD, fd, EPOLLIN, conn);
	}
	if (errno != EAGAIN && errno != ECONNABORTED)
		bench_check(-errno, "accept a connection");
}

/* Its first bytes are here: make room for a message, or give it to the other thread. Returns
 * whether it is still this thread's. */
static bool learn(struct server *server, struct conn *conn)
{
	struct load_head head;

	memcpy(&head, conn->message, sizeof(head));
	conn->known = true;
	conn->size = head.kind == LOAD_ECHO ? head.size : LOAD_BLOCK;
	if (head.magic != LOAD_MAGIC || conn->size < LOAD_SIZE_MIN || conn->size > LOAD_BUFFER)
		bench_fail("a connection did not begin as the client began it");
	conn->message = realloc(conn->message, conn->size);
	if (!conn->message)
		bench_fail("out of memory");
	if (head.kind == LOAD_ECHO)
		return true;
	watch(server->epoll, EPOLL_CTL_DEL, conn->fd, 0, NULL);
	watch(server->bulk_epoll, EPOLL_CTL_ADD, conn->fd, EPOLLIN, conn);
	return false;
}

/* Send the rest of the answer. Returns whether the connection lives. */
static bool answer(struct server *server, struct conn *conn)
{
	ssize_t n =
	    send(conn->fd, conn->message + conn->given, conn->size - conn->given, MSG_NOSIGNAL);
	bool waited = conn->waits;

	if (n < 0 && errno != EAGAIN)
		return false;
	conn->given += n > 0 ? n : 0;
	conn->waits = conn->given < conn->size;
	if (conn->waits != waited)
		watch(server->epoll, EPOLL_CTL_MOD, conn->fd, conn->waits ? EPOLLOUT : EPOLLIN,
		      conn);
	if (!conn->waits)
		conn->have = conn->given = 0;
	return true;
}

static void on_echo(struct server *server, struct conn *conn)
{
	ssize_t n;

	if (conn->have < conn->size || !conn->known) {
		n = recv(conn->fd, conn->message + conn->have, conn->size - conn->have, 0);
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			end(conn);
			return;
		}
		conn->have += n;
		if (conn->have < conn->size)
			return;
		if (!conn->known && !learn(server, conn))
			return;
		/* A larger message than was asked for: the rest is read at the next event. */
		if (conn->have < conn->size)
			return;
	}
	if (!answer(server, conn))
		end(conn);
}

static void finish_bulk(struct conn *conn)
{
	uint8_t block[LOAD_SIZE_MIN];
	struct load_head head;

	load_stamp(block, LOAD_END, sizeof(block), 0);
	memcpy(&head, block, sizeof(head));
	head.size = conn->blocks;
	head.number = conn->wrong;
	memcpy(block, &head, sizeof(head));
	/* So few bytes always fit into an empty send buffer. */
	if (send(conn->fd, block, sizeof(block), MSG_NOSIGNAL) != sizeof(block))
		shutdown(conn->fd, SHUT_RDWR);
}

/* Look at all whole blocks; returns how many bytes they are. */
static size_t check_blocks(struct conn *conn, const uint8_t *data, size_t len)
{
	size_t at;
	uint32_t kind;

	for (at = 0; len - at >= LOAD_BLOCK; at += LOAD_BLOCK) {
		memcpy(&kind, data + at + offsetof(struct load_head, kind), sizeof(kind));
		if (kind != LOAD_END)
			kind = LOAD_BULK;
		conn->wrong += !load_is(data + at, kind, LOAD_BLOCK, conn->blocks);
		conn->blocks++;
		if (kind == LOAD_END)
			finish_bulk(conn);
	}
	return at;
}

static void on_bulk(struct server *server, struct conn *conn)
{
	static uint8_t buffer[LOAD_BUFFER];
	size_t used;
	ssize_t n;

	memcpy(buffer, conn->message, conn->have);
	n = recv(conn->fd, buffer + conn->have, sizeof(buffer) - conn->have, 0);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		end(conn);
		return;
	}
	atomic_fetch_add_explicit(&server->shared->bytes, n, memory_order_relaxed);
	used = check_blocks(conn, buffer, conn->have + n);
	conn->have = conn->have + n - used;
	memcpy(conn->message, buffer + used, conn->have);
}

static void *serve_bulk(void *arg)
{
	struct epoll_event events[EVENTS];
	struct server *server = arg;

	for (;;) {
		int n = epoll_wait(server->bulk_epoll, events, EVENTS, -1);

		for (int i = 0; i < n; i++)
			on_bulk(server, events[i].data.ptr);
	}
	return NULL;
}

static void serve_echo(struct server *server)
{
	struct epoll_event events[EVENTS];

	for (;;) {
		int n = epoll_wait(server->epoll, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr)
				on_echo(server, events[i].data.ptr);
			else
				accept_all(server);
		}
	}
}

void load_serve(const struct sockaddr_in *addr, struct load_shared *shared)
{
	struct server server = { .shared = shared };
	pthread_t thread;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int) { 1 }, sizeof(int));
	bench_check(
	    bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) || listen(fd, 4096) ? -errno : 0,
	    "listen at the server's address");
	server.listener = fd;
	server.epoll = epoll_create1(EPOLL_CLOEXEC);
	server.bulk_epoll = epoll_create1(EPOLL_CLOEXEC);
	watch(server.epoll, EPOLL_CTL_ADD, fd, EPOLLIN, NULL);
	bench_check(-pthread_create(&thread, NULL, serve_bulk, &server), "start a thread");
	atomic_store(&shared->ready, true);
	serve_echo(&server);
	exit(0);
}
