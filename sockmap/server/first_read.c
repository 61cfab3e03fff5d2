// SPDX-License-Identifier: GPL-2.0-only
/* Read a connection's first packet, as far as the routes need it. A client that sends nothing costs
 * a timer and no buffer; a client that sends slowly delays no other connection. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sockmap/server/phases.h"

#define ROOM 1024 /* at first; enough for a request */

/* Make room for @len bytes at conn->data. */
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

/* Ask the routes about the @len bytes at @data, which is conn->data or the scratch buffer. */
static enum xf_step decide(struct xf_conn *conn, const uint8_t *data, size_t len, bool ended,
			   struct xf_result *result)
{
	struct xf_decision *decision = &result->decision;

	xf_routes__decide(conn->routes, &conn->peer, data, len, ended, decision);
	/* A client that closes at once, as a port scan does, has sent no wrong token. */
	if (ended && !len && decision->kind != XF_DECIDE_ROUTE &&
	    decision->kind != XF_DECIDE_REJECT)
		return xf_step_failed(result, XF_OUTCOME_CLIENT_GONE, 0);
	if (decision->kind != XF_DECIDE_MORE) {
		result->data = data;
		result->len = len;
		return XF_STEP_DECIDED;
	}
	if (len >= XF_FIRST_MAX)
		return xf_step_failed(result, XF_OUTCOME_FIRST_SIZE, 0);
	if (!grow(conn, len + 1))
		return xf_step_lacking(result, ENOMEM);
	if (!conn->len) /* @data is the scratch buffer */
		memcpy(conn->data, data, len);
	conn->len = len;
	return XF_STEP_WAIT;
}

/* The first piece is read into the scratch buffer. It mostly decides, and is then copied once, into
 * the memory that the relay takes over. */
enum xf_step xf_first__read(struct xf_conn *conn, struct xf_result *result)
{
	uint8_t *data = conn->len ? conn->data : conn->server->scratch;
	size_t room = conn->len ? conn->room : XF_FIRST_MAX;
	ssize_t n = recv(conn->fd, data + conn->len, room - conn->len, 0);

	if (n > 0)
		return decide(conn, data, conn->len + n, false, result);
	if (n == 0)
		return decide(conn, data, conn->len, true, result);
	if (errno == EAGAIN || errno == EINTR)
		return XF_STEP_WAIT;
	return xf_step_failed(result, XF_OUTCOME_CLIENT_GONE, errno);
}

/* Bytes that have come since the last read count. */
enum xf_step xf_first__timed_out(struct xf_conn *conn, struct xf_result *result)
{
	enum xf_step step = xf_first__read(conn, result);

	if (step != XF_STEP_WAIT)
		return step;
	if (!xf_routes__decide_silent(conn->routes, &conn->peer, conn->data, conn->len,
				      &result->decision))
		return xf_step_failed(result, XF_OUTCOME_FIRST_TIMEOUT, 0);
	result->data = conn->data;
	result->len = conn->len;
	return XF_STEP_DECIDED;
}
