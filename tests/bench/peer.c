// SPDX-License-Identifier: GPL-2.0-only
/* The common part of the two plain relays. */
#include "tests/bench/peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/bench.h"

#define EVENTS 256

struct server {
	int epoll, listener;
	struct sockaddr_in to;
	peer_move move;
	peer_drop drop;
	struct peer *more; /* those that had their turn and are not ready */
	struct peer *dead; /* to be freed when no event can name them any more */
};

static struct sockaddr_in address(const char *host, const char *port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(bench_number(port)) };

	if (inet_pton(AF_INET, host, &addr.sin_addr) != 1)
		bench_fail("not an IPv4 address");
	return addr;
}

static void no_delay(int fd)
{
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int) { 1 }, sizeof(int));
}

static int dial(const struct sockaddr_in *to)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	no_delay(fd);
	if (!connect(fd, (const struct sockaddr *)to, sizeof(*to)) || errno == EINPROGRESS)
		return fd;
	close(fd);
	return -1;
}

static int watch(const struct server *server, struct peer_side *side)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
				     .data.ptr = side };

	return epoll_ctl(server->epoll, EPOLL_CTL_ADD, side->fd, &event);
}

static void begin(struct server *server, int client)
{
	struct peer *peer = calloc(1, sizeof(*peer));
	int upstream = peer ? dial(&server->to) : -1;

	if (upstream < 0) {
		free(peer);
		close(client);
		return;
	}
	no_delay(client);
	for (int i = 0; i < 2; i++) {
		peer->side[i].peer = peer;
		peer->side[i].fd = i ? upstream : client;
		peer->flow[i].from = &peer->side[i];
		peer->flow[i].to = &peer->side[!i];
		peer->flow[i].pipe[0] = peer->flow[i].pipe[1] = -1;
	}
	bench_check(watch(server, &peer->side[0]) || watch(server, &peer->side[1]) ? -errno : 0,
		    "watch a connection");
}

static void accept_all(struct server *server)
{
	int fd;

	while ((fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
		begin(server, fd);
}

static void end(struct server *server, struct peer *peer)
{
	peer->dead = true;
	for (int i = 0; i < 2; i++) {
		server->drop(&peer->flow[i]);
		close(peer->side[i].fd);
	}
	if (peer->listed) /* it is freed when its turn comes */
		return;
	peer->next = server->dead;
	server->dead = peer;
}

static void list(struct server *server, struct peer *peer)
{
	if (peer->listed)
		return;
	peer->listed = true;
	peer->next = server->more;
	server->more = peer;
}

/* Returns what the relay's move did. */
static int turn(struct server *server, struct peer_flow *flow)
{
	int more;

	if (flow->done)
		return 0;
	more = server->move(flow);
	if (more || !flow->ended)
		return more;
	flow->done = true;
	return shutdown(flow->to->fd, SHUT_WR) ? -errno : 0;
}

static void serve(struct server *server, struct peer *peer)
{
	int more = 0;

	for (int i = 0; i < 2 && more >= 0; i++) {
		int ret = turn(server, &peer->flow[i]);

		more = ret < 0 ? ret : more | ret;
	}
	if (more < 0 || (peer->flow[0].done && peer->flow[1].done))
		end(server, peer);
	else if (more)
		list(server, peer);
}

static void on_event(struct server *server, const struct epoll_event *event)
{
	struct peer_side *side = event->data.ptr;

	if (!side) {
		accept_all(server);
		return;
	}
	if (side->peer->dead)
		return;
	if (event->events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		side->readable = true;
	if (event->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		side->hup = true;
	if (event->events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		side->writable = true;
	serve(server, side->peer);
}

/* Go on with the connections that had more work than one turn allows. */
static void go_on(struct server *server)
{
	struct peer *peer = server->more, *next;

	server->more = NULL;
	for (; peer; peer = next) {
		next = peer->next;
		peer->listed = false;
		if (peer->dead)
			free(peer);
		else
			serve(server, peer);
	}
}

static void bury(struct server *server)
{
	struct peer *peer;

	while ((peer = server->dead)) {
		server->dead = peer->next;
		free(peer);
	}
}

static int start_listening(const struct sockaddr_in *addr)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int) { 1 }, sizeof(int));
	bench_check(fd < 0 || bind(fd, (const struct sockaddr *)addr, sizeof(*addr)) ||
			    listen(fd, 4096)
			? -errno
			: 0,
		    "listen");
	return fd;
}

int peer_main(int argc, char **argv, peer_move move, peer_drop drop)
{
	struct server server = { .move = move, .drop = drop };
	struct epoll_event events[EVENTS], accepting = { .events = EPOLLIN };
	struct sockaddr_in addr;
	struct rlimit files;
	int n;

	if (argc != 5)
		bench_fail("usage: NAME LISTEN-ADDRESS PORT TO-ADDRESS PORT");
	signal(SIGPIPE, SIG_IGN);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	addr = address(argv[1], argv[2]);
	server.to = address(argv[3], argv[4]);
	server.listener = start_listening(&addr);
	server.epoll = epoll_create1(EPOLL_CLOEXEC);
	bench_check(epoll_ctl(server.epoll, EPOLL_CTL_ADD, server.listener, &accepting) ? -errno
											: 0,
		    "watch the listening socket");
	for (;;) {
		n = epoll_wait(server.epoll, events, EVENTS, server.more ? 0 : -1);
		for (int i = 0; i < n; i++)
			on_event(&server, &events[i]);
		go_on(&server);
		bury(&server);
	}
}
