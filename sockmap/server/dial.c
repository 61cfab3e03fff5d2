// SPDX-License-Identifier: GPL-2.0-only
/* Connect to an upstream while watching whether the client is still there. */
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>

#include "sockmap/relay/fds.h"
#include "lib/msg.h"
#include "sockmap/server/server_impl.h"

static void dial_next(struct xf_conn *conn);

static void done(struct xf_conn *conn)
{
	int fd = conn->upstream.fd;

	xf_loop__del(conn->server->loop, &conn->upstream);
	xf_upstream__worked(conn);
	xf_conn__relay(conn, fd);
}

static void failed(struct xf_conn *conn, int err)
{
	conn->error = err;
	xf_loop__close(conn->server->loop, &conn->upstream);
	xf_upstream__failed(conn, err);
	dial_next(conn);
}

/* On a port of the range that clients use, where nobody listens, TCP can connect a socket to
 * itself: when the source port that it happens to get is the destination. */
static bool is_own(int fd, const struct xf_addr *addr)
{
	struct xf_addr own = { .len = sizeof(own.in6) }, peer = own;

	return !getsockname(fd, &own.sa, &own.len) &&
	       xf_sockaddr_port(&own) == xf_sockaddr_port(addr) &&
	       !getpeername(fd, &peer.sa, &peer.len) && xf_sockaddr_equal(&own, &peer);
}

/* A second connect() says how the first one went. */
static void on_upstream(struct xf_watch *watch, uint32_t events)
{
	struct xf_conn *conn = xf_container_of(watch, struct xf_conn, upstream);

	(void)events;
	if (!connect(watch->fd, &conn->tried->sa, conn->tried->len) || errno == EISCONN) {
		if (is_own(watch->fd, conn->tried))
			failed(conn, ECONNREFUSED);
		else
			done(conn);
		return;
	}
	if (errno != EALREADY && errno != EINPROGRESS && errno != EINTR)
		failed(conn, errno);
}

static void on_timeout(struct xf_timer *timer, uint64_t now)
{
	(void)now;
	failed(xf_container_of(timer, struct xf_conn, timer), ETIMEDOUT);
}

/* Only EPOLLERR and EPOLLHUP are asked for. A FIN is neither: a client that has sent all may still
 * want the answer. An EPOLLIN is of this turn, from before it was read for want of its place. */
static void on_client(struct xf_watch *watch, uint32_t events)
{
	struct xf_conn *conn = xf_container_of(watch, struct xf_conn, client);
	socklen_t len = sizeof(int);
	int err = 0;

	if (!(events & (EPOLLERR | EPOLLHUP)))
		return;
	getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &err, &len);
	xf_conn__end(conn, XF_OUTCOME_CLIENT_GONE, err);
}

/* The answer is not there yet. */
static int wait_for_answer(struct xf_conn *conn, int fd)
{
	struct xf_server *server = conn->server;
	struct xf_loop *loop = server->loop;
	int err;

	if (!xf_waiting__admit(conn))
		return -ENOMEM;
	if (!conn->queue)
		xf_waiting__enter(conn, &server->dials);
	conn->upstream.fn = on_upstream;
	conn->client.fn = on_client;
	conn->timer.fn = on_timeout;
	err = xf_loop__arm(loop, &conn->timer, xf_loop__now(loop) + server->opts.dial_timeout);
	if (!err && conn->client.fd < 0)
		err = xf_loop__add(loop, &conn->client, conn->fd, 0);
	else if (!err)
		err = xf_loop__mod(loop, &conn->client, 0);
	if (!err)
		err = xf_loop__add(loop, &conn->upstream, fd, EPOLLOUT);
	return err;
}

/* 1: connected; 0: under way; -errno. The second connect() is for an upstream on this machine,
 * whose answer is there as soon as the first returns: it spares watching both sockets. */
static int start(int fd, const struct xf_addr *addr)
{
	int on = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on)))
		return -errno;
	if (!connect(fd, &addr->sa, addr->len))
		return 1;
	if (errno == EINPROGRESS && !connect(fd, &addr->sa, addr->len))
		return 1;
	return errno == EALREADY || errno == EINPROGRESS ? 0 : -errno;
}

/* Lacking for every upstream. */
static bool is_scarce(int err)
{
	return err == EMFILE || err == ENFILE || err == ENOMEM || err == ENOBUFS || err == ENOSPC;
}

/* Dial one. Returns whether that decided about the connection, or is under way; else why not is in
 * conn->error. */
static bool dial(struct xf_conn *conn, const struct xf_addr *addr)
{
	int fd = xf_fds__socket(addr->sa.sa_family, IPPROTO_TCP);
	int err = fd < 0 ? fd : start(fd, addr);

	if (err == 1 && is_own(fd, addr))
		err = -ECONNREFUSED;
	if (err == 1) {
		xf_upstream__worked(conn);
		xf_conn__relay(conn, fd);
		return true;
	}
	if (!err)
		err = wait_for_answer(conn, fd);
	if (!err)
		return true;
	if (fd >= 0)
		xf_reset(fd);
	conn->error = -err;
	if (!is_scarce(-err))
		return false;
	xf_conn__failed(conn, -err);
	return true;
}

static void warn_no_port(struct xf_conn *conn)
{
	struct xf_server *server = conn->server;
	char addr[XF_SOCKADDR_TEXT], text[32];
	uint64_t times;

	if (!xf_ratelimit_due(&server->rare_ports, xf_loop__now(server->loop), &times))
		return;
	xf_warn("cannot connect to %s%s: no port is free here", xf_sockaddr_text(conn->tried, addr),
		xf_times_text(times, text));
	xf_hint("give the route several upstreams, or widen net.ipv4.ip_local_port_range");
}

static void dial_next(struct xf_conn *conn)
{
	enum xf_outcome outcome = XF_OUTCOME_REFUSED;
	const struct xf_addr *addr;

	while ((addr = xf_upstream__next(conn))) {
		if (dial(conn, addr))
			return;
		/* The upstream cannot help it, and is not to be avoided for it. */
		if (conn->error == EADDRNOTAVAIL)
			warn_no_port(conn);
		else
			xf_upstream__failed(conn, conn->error);
	}
	if (conn->error == EADDRNOTAVAIL)
		outcome = XF_OUTCOME_ERROR;
	else if (conn->error == ETIMEDOUT)
		outcome = XF_OUTCOME_DIAL_TIMEOUT;
	xf_conn__end(conn, outcome, conn->error);
}

void xf_dial__begin(struct xf_conn *conn)
{
	conn->phase = XF_PHASE_DIAL;
	/* An upstream is not bothered for nothing. What is reserved so far counts: it goes over. */
	if (!conn->reserved && !xf_mover__can_relay(conn->server->mover)) {
		xf_conn__failed(conn, ENOMEM);
		return;
	}
	dial_next(conn);
}
