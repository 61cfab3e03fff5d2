// SPDX-License-Identifier: GPL-2.0-only
/* The dial: connect to an upstream while the client is watched. */
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>

#include "lib/msg.h"
#include "sockmap/relay/fds.h"
#include "sockmap/route/endpoint.h"
#include "sockmap/server/phases.h"
#include "sockmap/server/upstream.h"

/* TCP connects a socket to itself when no socket listens on the destination and the kernel happens
 * to choose that port as the source port. */
static bool is_own(int fd, const struct xf_addr *addr)
{
	struct xf_addr own = { .len = sizeof(own.in6) }, peer = own;

	return !getsockname(fd, &own.sa, &own.len) &&
	       xf_sockaddr_port(&own) == xf_sockaddr_port(addr) &&
	       !getpeername(fd, &peer.sa, &peer.len) && xf_sockaddr_equal(&own, &peer);
}

static int connect_to(int fd, const struct xf_addr *addr)
{
	struct sockaddr_un un;
	socklen_t len;
	const struct sockaddr *sa = xf_endpoint_for_kernel(addr, &un, &len);

	return connect(fd, sa, len);
}

/* Begin to connect. Returns 1 when connected, 0 when under way, or -errno. An upstream on this
 * machine has answered when the first connect() returns: a second one finds that out, and neither
 * socket needs to be watched. */
static int start(int fd, const struct xf_addr *addr)
{
	int on = 1;

	if (addr->sa.sa_family == AF_UNIX) /* connected at once, or not at all */
		return connect_to(fd, addr) ? -errno : 1;
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) ||
	    setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof(on)))
		return -errno;
	if (!connect_to(fd, addr))
		return 1;
	if (errno == EINPROGRESS && !connect_to(fd, addr))
		return 1;
	return errno == EALREADY || errno == EINPROGRESS ? 0 : -errno;
}

/* Errors that every other upstream would meet, too. */
static bool is_scarce(int err)
{
	return err == EMFILE || err == ENFILE || err == ENOMEM || err == ENOBUFS || err == ENOSPC;
}

/* Make a socket and begin to connect it. Returns as start(); the socket is in *@fd unless that is
 * -errno. */
static int dial(const struct xf_server *server, const struct xf_addr *addr, int *fd)
{
	const struct xf_keepalive *keepalive = &server->opts.keepalive;
	bool is_tcp = addr->sa.sa_family != AF_UNIX;
	int err = 0;

	*fd = xf_fds__socket(addr->sa.sa_family, is_tcp ? IPPROTO_TCP : 0);
	if (*fd < 0)
		return *fd;
	if (is_tcp)
		xf_mover__prepare(server->mover, *fd);
	if (keepalive->idle && is_tcp)
		err =
		    xf_fds__keep_alive(*fd, keepalive->idle, keepalive->interval, keepalive->count);
	if (!err)
		err = start(*fd, addr);
	if (err == 1 && is_tcp && is_own(*fd, addr))
		err = -ECONNREFUSED;
	if (err < 0)
		xf_reset(*fd);
	return err;
}

static void warn_no_port(struct xf_conn *conn)
{
	struct xf_server *server = conn->server;
	char addr[XF_SOCKADDR_TEXT], text[32];
	uint64_t times;

	if (!xf_ratelimit_due(&server->warn_ports, xf_loop__now(server->loop), &times))
		return;
	xf_warn("cannot connect to %s%s: no port is free here", xf_sockaddr_text(conn->tried, addr),
		xf_times_text(times, text));
	xf_hint("give the route several upstreams, or widen net.ipv4.ip_local_port_range");
}

static enum xf_step dial_next(struct xf_conn *conn, struct xf_result *result)
{
	enum xf_outcome outcome = XF_OUTCOME_REFUSED;
	const struct xf_addr *addr;
	int err;

	while ((addr = xf_upstream__next(conn))) {
		err = dial(conn->server, addr, &result->fd);
		if (!err)
			return XF_STEP_WAIT;
		if (err == 1) {
			xf_upstream__worked(conn);
			return XF_STEP_DECIDED;
		}
		if (is_scarce(-err))
			return xf_step_lacking(result, -err);
		conn->error = -err;
		/* This machine lacks a port: the upstream did not fail. */
		if (conn->error == EADDRNOTAVAIL)
			warn_no_port(conn);
		else
			xf_upstream__failed(conn, conn->error);
	}
	if (conn->error == EADDRNOTAVAIL)
		outcome = XF_OUTCOME_ERROR;
	else if (conn->error == ETIMEDOUT)
		outcome = XF_OUTCOME_DIAL_TIMEOUT;
	return xf_step_failed(result, outcome, conn->error);
}

enum xf_step xf_dial__begin(struct xf_conn *conn, struct xf_result *result)
{
	/* Without memory for a relay no upstream is dialled. The connection's own reservation goes
	 * over to the relay. */
	if (!conn->reserved && !xf_mover__can_relay(conn->server->mover))
		return xf_step_lacking(result, ENOMEM);
	return dial_next(conn, result);
}

static enum xf_step failed(struct xf_conn *conn, int err, struct xf_result *result)
{
	conn->error = err;
	xf_loop__close(conn->server->loop, &conn->upstream);
	xf_upstream__failed(conn, err);
	return dial_next(conn, result);
}

/* A second connect() returns the result of the first. */
enum xf_step xf_dial__answered(struct xf_conn *conn, struct xf_result *result)
{
	const struct xf_addr *addr = conn->tried;
	int fd = conn->upstream.fd;

	result->fd = fd;
	if (connect_to(fd, addr) && errno != EISCONN) {
		if (errno == EALREADY || errno == EINPROGRESS || errno == EINTR)
			return XF_STEP_WAIT;
		return failed(conn, errno, result);
	}
	if (is_own(fd, addr))
		return failed(conn, ECONNREFUSED, result);
	xf_upstream__worked(conn);
	return XF_STEP_DECIDED;
}

enum xf_step xf_dial__timed_out(struct xf_conn *conn, struct xf_result *result)
{
	return failed(conn, ETIMEDOUT, result);
}

/* The watch asks for EPOLLERR and EPOLLHUP alone. A FIN is neither: a client that has sent
 * everything may still want the answer. An EPOLLIN is left over from the first packet, in the turn
 * in which that was read to make way. */
enum xf_step xf_dial__client_event(struct xf_conn *conn, uint32_t events, struct xf_result *result)
{
	socklen_t len = sizeof(int);
	int err = 0;

	if (!(events & (EPOLLERR | EPOLLHUP))) {
		result->fd = conn->upstream.fd;
		return XF_STEP_WAIT;
	}
	getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &err, &len);
	return xf_step_failed(result, XF_OUTCOME_CLIENT_GONE, err);
}
