// SPDX-License-Identifier: GPL-2.0-only
/* The listening sockets: accept connections, or refuse them when there is no room. */
#include "sockmap/server/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/msg.h"
#include "lib/time.h"
#include "sockmap/relay/fds.h"
#include "sockmap/route/endpoint.h"
#include "sockmap/server/conn.h"
#include "sockmap/server/refused.h"
#include "sockmap/server/unix_listener.h"
#include "sockmap/server/waiting.h"

#define BACKLOG 4096
#define ACCEPTS 16 /* in a turn of the loop */
/* The pause after an error of accept() that the next call would return, too. */
#define PAUSE (50 * XF_MSEC)
/* The pause while every waiting connection has only just come. */
#define CROWD_PAUSE (2 * XF_MSEC)

static void say_why(int err)
{
	if (err == EADDRINUSE)
		xf_hint("another program, or a connection of one, has it; choose another with -l");
	else if (err == EACCES)
		xf_hint("ports below 1024 need root or CAP_NET_BIND_SERVICE");
	else if (err == EINVAL)
		xf_hint("an address of a link needs its interface, as in [fe80::1%%eth0]:80");
	else if (err == EADDRNOTAVAIL)
		xf_hint("no interface has this address; 'ip addr' lists those there are");
}

/* Sockets of one user share an address when each has SO_REUSEPORT. The first one of this process
 * gets that behind bind(), which so fails when another process listens there. */
static int set_address(const struct xf_listener *listener, const struct xf_addr *addr)
{
	const struct xf_server_opts *opts = &listener->server->opts;
	int fd = listener->fd, on = 1;

	if (opts->joins && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)))
		return -errno;
	if (bind(fd, &addr->sa, addr->len))
		return -errno;
	if (opts->reuseport && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)))
		return -errno;
	return listen(fd, BACKLOG) ? -errno : 0;
}

/* Accepted sockets inherit these options. Urgent bytes stay in their place in the stream. */
static int set_options(const struct xf_listener *listener)
{
	const struct xf_keepalive *keepalive = &listener->server->opts.keepalive;
	int fd = listener->fd, on = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on)))
		return -errno;
	if (!keepalive->idle)
		return 0;
	return xf_fds__keep_alive(fd, keepalive->idle, keepalive->interval, keepalive->count);
}

static int set_up(struct xf_listener *listener, const struct xf_addr *addr)
{
	int fd = listener->fd, on = 1, off = 0, err;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    /* [::] accepts IPv4, too, whatever net.ipv6.bindv6only says. */
	    (addr->sa.sa_family == AF_INET6 &&
	     setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off))))
		return -errno;
	err = set_options(listener);
	if (!err)
		err = set_address(listener, addr);
	if (err)
		return err;
	listener->address.len = sizeof(listener->address.in6);
	return getsockname(fd, &listener->address.sa, &listener->address.len) ? -errno : 0;
}

static int open_unix(struct xf_listener *listener, const struct xf_addr *addr)
{
	int err;

	listener->fd = xf_fds__socket(AF_UNIX, 0);
	if (listener->fd < 0)
		return listener->fd;
	err = xf_unix_listener__bind(listener, addr);
	if (err)
		return err;
	listener->address = *addr;
	return listen(listener->fd, BACKLOG) ? -errno : 0;
}

static int open_tcp(struct xf_listener *listener, const struct xf_addr *addr)
{
	/* IPPROTO_TCP instead of 0 keeps MPTCP out where that is the default. */
	listener->fd = xf_fds__socket(addr->sa.sa_family, IPPROTO_TCP);
	return listener->fd < 0 ? listener->fd : set_up(listener, addr);
}

static int share(struct xf_listener *listener, const struct xf_addr *addr, int fd)
{
	listener->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	listener->address = *addr;
	if (listener->fd < 0)
		return -errno;
	return addr->sa.sa_family == AF_UNIX ? 0 : set_options(listener);
}

static int open_one(struct xf_listener *listener, unsigned int i)
{
	const struct xf_server_opts *opts = &listener->server->opts;
	const struct xf_addr *addr = &opts->listens[i];
	char text[XF_SOCKADDR_TEXT];
	int err;

	if (opts->shared && opts->shared[i] >= 0)
		err = share(listener, addr, opts->shared[i]);
	else if (addr->sa.sa_family == AF_UNIX)
		err = open_unix(listener, addr);
	else
		err = open_tcp(listener, addr);
	if (err) {
		xf_err("cannot listen on %s: %s", xf_sockaddr_text(addr, text), strerror(-err));
		say_why(-err);
		return err;
	}
	listener->passed = i >= opts->n_listens - opts->n_passed;
	listener->any_address = xf_sockaddr_is_any(&listener->address);
	return 0;
}

int xf_listeners__open(struct xf_server *server)
{
	unsigned int n = server->opts.n_listens;
	int err = 0;

	server->listeners = calloc(n, sizeof(*server->listeners));
	if (!server->listeners)
		return -ENOMEM;
	for (unsigned int i = 0; i < n; i++)
		server->listeners[i] =
		    (struct xf_listener) { .server = server, .fd = -1, .watch.fd = -1 };
	for (unsigned int i = 0; i < n && !err; i++)
		err = open_one(&server->listeners[i], i);
	if (err)
		return err;
	server->spare = xf_fds__spare();
	if (server->spare >= 0)
		return 0;
	xf_err("cannot make a spare descriptor: %s", strerror(-server->spare));
	return server->spare;
}

static int watch_all(struct xf_server *server, uint32_t events)
{
	int err = 0;

	for (unsigned int i = 0; i < server->opts.n_listens && !err; i++)
		err = xf_loop__mod(server->loop, &server->listeners[i].watch, events);
	return err;
}

/* Stop watching the listeners, which are level triggered and would make the loop spin. */
static void pause_accepting(struct xf_server *server, uint64_t pause)
{
	if (!xf_loop__arm(server->loop, &server->pause, xf_loop__now(server->loop) + pause))
		watch_all(server, 0);
}

static void on_pause(struct xf_timer *timer, uint64_t now)
{
	struct xf_server *server = xf_container_of(timer, struct xf_server, pause);

	(void)now;
	if (server->spare < 0)
		server->spare = xf_fds__spare();
	if (watch_all(server, EPOLLIN))
		pause_accepting(server, PAUSE);
}

/* Refuse a connection with the spare descriptor. Returns 0, or -errno of accept(), which without a
 * free descriptor cannot tell whether a connection is waiting. */
static int refuse_with_spare(const struct xf_listener *listener, int err)
{
	struct xf_server *server = listener->server;
	int refused;

	if (server->spare < 0)
		return err;
	refused = xf_fds__refuse(listener->fd, &server->spare);
	if (!refused)
		xf_refused__fds(server, -err);
	return refused;
}

static void warn_accept(const struct xf_listener *listener, int err)
{
	struct xf_server *server = listener->server;
	char addr[XF_SOCKADDR_TEXT], text[32];
	uint64_t times;

	if (xf_ratelimit_due(&server->warn_accept, xf_loop__now(server->loop), &times))
		xf_warn("cannot accept on %s%s: %s; trying again",
			xf_sockaddr_text(&listener->address, addr), xf_times_text(times, text),
			strerror(err));
}

/* Handle an error of accept(). Returns whether to go on accepting in this turn. */
static bool accept_failed(const struct xf_listener *listener, int err)
{
	if (err == -EMFILE || err == -ENFILE)
		err = refuse_with_spare(listener, err);
	switch (-err) {
	case EAGAIN:
		return false;
	case EMFILE:
	case ENFILE: /* the spare is gone: another process took it */
	case ENOBUFS:
	case ENOMEM:
	case EBADF:
	case EINVAL:
		warn_accept(listener, -err);
		pause_accepting(listener->server, PAUSE);
		return false;
	default: /* refused; or EINTR, ECONNABORTED and other errors of this connection alone */
		return true;
	}
}

/* Accept one connection. Returns whether more may be waiting. */
static bool accept_one(const struct xf_listener *listener)
{
	struct xf_server *server = listener->server;
	struct xf_addr peer = { .len = sizeof(peer.in6) };
	int fd = xf_fds__accept(listener->fd, &peer.sa, &peer.len);

	if (fd < 0)
		return accept_failed(listener, fd);
	if (listener->address.sa.sa_family == AF_UNIX)
		xf_unix_named("", &peer); /* as clients are */
	if (server->counters.active >= server->opts.max_connections) {
		xf_reset(fd);
		xf_refused__max(server);
	} else {
		xf_conn__new(listener, fd, &peer);
	}
	return true;
}

static void on_listener(struct xf_watch *watch, uint32_t events)
{
	struct xf_listener *listener = xf_container_of(watch, struct xf_listener, watch);

	(void)events;
	for (int i = 0; i < ACCEPTS; i++) {
		if (xf_waiting__holds_back(listener->server)) {
			pause_accepting(listener->server, CROWD_PAUSE);
			return;
		}
		if (!accept_one(listener))
			return;
	}
}

int xf_listeners__start(struct xf_server *server)
{
	int err = 0;

	server->pause.fn = on_pause;
	for (unsigned int i = 0; i < server->opts.n_listens && !err; i++) {
		struct xf_listener *listener = &server->listeners[i];

		listener->watch.fn = on_listener;
		xf_mover__prepare(server->mover, listener->fd);
		err = xf_loop__add(server->loop, &listener->watch, listener->fd, EPOLLIN);
	}
	return err;
}

static void close_one(struct xf_listener *listener)
{
	if (listener->fd < 0)
		return;
	xf_loop__del(listener->server->loop, &listener->watch);
	xf_unix_listener__remove(listener);
	close(listener->fd);
	listener->fd = -1;
}

void xf_listeners__drain(struct xf_server *server)
{
	for (unsigned int i = 0; i < server->opts.n_listens; i++) {
		struct xf_listener *listener = &server->listeners[i];

		/* close() resets the connections in the queue, so they are accepted first, unless
		 * another process goes on with the socket. While clients come faster than that the
		 * queue never gets empty; BACKLOG of them are enough. */
		for (int n = 0;
		     listener->fd >= 0 && server->mover && !listener->passed && n < BACKLOG; n++) {
			if (!accept_one(listener))
				break;
		}
		close_one(listener);
	}
	xf_loop__disarm(server->loop, &server->pause);
}

void xf_listeners__free(struct xf_server *server)
{
	xf_loop__disarm(server->loop, &server->pause);
	for (unsigned int i = 0; server->listeners && i < server->opts.n_listens; i++)
		close_one(&server->listeners[i]);
	free(server->listeners);
}
