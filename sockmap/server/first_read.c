// SPDX-License-Identifier: GPL-2.0-only
/* Read a connection's first packet, as far as the routes want it. A client that sends nothing
 * costs a timer and no buffer; one that sends slowly delays no other connection. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "sockmap/server/server_impl.h"

#define ROOM 1024 /* to begin with: a request, or a ClientHello in a second piece */

/* Room for more behind conn->len. */
static bool grow(struct xf_conn *conn, size_t len)
{
	size_t room = conn->room ? conn->room : ROOM;
	uint8_t *data;

	while (room < len)
		room *= 2;
	if (room > XF_FIRST_MAX)
		room = XF_FIRST_MAX;
	if (room == conn->room)
		return true;
	data = realloc(conn->data, room);
	if (!data)
		return false;
	conn->data = data;
	conn->room = room;
	return true;
}

static void on_timeout(struct xf_timer *timer, uint64_t now)
{
	(void)now;
	xf_conn__end(xf_container_of(timer, struct xf_conn, timer), XF_OUTCOME_FIRST_TIMEOUT, 0);
}

static void on_client(struct xf_watch *watch, uint32_t events);

static void wait_for_more(struct xf_conn *conn)
{
	struct xf_server *server = conn->server;
	int err;

	if (conn->client.fd >= 0)
		return;
	if (!xf_waiting__admit(conn)) {
		xf_conn__failed(conn, ENOMEM);
		return;
	}
	conn->client.fn = on_client;
	conn->timer.fn = on_timeout;
	err = xf_loop__arm(server->loop, &conn->timer, conn->accepted + server->opts.first_timeout);
	if (!err)
		err = xf_loop__add(server->loop, &conn->client, conn->fd, EPOLLIN);
	if (err)
		xf_conn__failed(conn, -err);
}

/* @len bytes are at @data, which is conn->data or the scratch buffer. */
static void decide(struct xf_conn *conn, const uint8_t *data, size_t len, bool ended)
{
	struct xf_decision decision;

	xf_routes__decide(conn->routes, &conn->peer, data, len, ended, &decision);
	/* A port scan connects and closes: it has not sent a wrong secret. */
	if (ended && !len && decision.kind != XF_DECIDE_ROUTE &&
	    decision.kind != XF_DECIDE_REJECT) {
		xf_conn__end(conn, XF_OUTCOME_CLIENT_GONE, 0);
		return;
	}
	if (decision.kind != XF_DECIDE_MORE) {
		xf_waiting__leave(conn);
		xf_conn__decided(conn, &decision, data, len);
		return;
	}
	if (len >= XF_FIRST_MAX) {
		xf_conn__end(conn, XF_OUTCOME_FIRST_SIZE, 0);
		return;
	}
	if (!grow(conn, len + 1)) {
		xf_conn__failed(conn, ENOMEM);
		return;
	}
	if (!conn->len) /* it came through the scratch buffer */
		memcpy(conn->data, data, len);
	conn->len = len;
	wait_for_more(conn);
}

/* What came first goes through the scratch buffer: mostly it is all that is needed, and then it is
 * copied once, into the piece of memory that the relay takes over. */
void xf_first__read(struct xf_conn *conn)
{
	uint8_t *data = conn->len ? conn->data : conn->server->scratch;
	size_t room = conn->len ? conn->room : XF_FIRST_MAX;
	ssize_t n = recv(conn->fd, data + conn->len, room - conn->len, 0);

	if (n > 0)
		decide(conn, data, conn->len + n, false);
	else if (n == 0)
		decide(conn, data, conn->len, true);
	else if (errno == EAGAIN || errno == EINTR)
		wait_for_more(conn);
	else
		xf_conn__end(conn, XF_OUTCOME_CLIENT_GONE, errno);
}

static void on_client(struct xf_watch *watch, uint32_t events)
{
	(void)events;
	xf_first__read(xf_container_of(watch, struct xf_conn, client));
}

void xf_first__begin(struct xf_conn *conn)
{
	xf_waiting__make_place(conn->server);
	xf_waiting__enter(conn, &conn->server->first);
	xf_first__read(conn); /* often it is there already */
}
