// SPDX-License-Identifier: GPL-2.0-only
/* Connections that wait, for their first packet or for an upstream: what their clients send meanwhile
 * is reserved, and who has waited longest makes room for those who come. */
#include "server_impl.h"

void xf_waiting__enter(struct xf_conn *conn, struct xf_queue *queue)
{
	xf_waiting__leave(conn);
	conn->queue = queue;
	conn->longer = queue->shortest;
	if (conn->longer)
		conn->longer->shorter = conn;
	else
		queue->longest = conn;
	queue->shortest = conn;
	queue->n++;
}

void xf_waiting__leave(struct xf_conn *conn)
{
	struct xf_queue *queue = conn->queue;

	if (!queue)
		return;
	if (conn->longer)
		conn->longer->shorter = conn->shorter;
	else
		queue->longest = conn->shorter;
	if (conn->shorter)
		conn->shorter->longer = conn->longer;
	else
		queue->shortest = conn->longer;
	conn->longer = conn->shorter = NULL;
	conn->queue = NULL;
	queue->n--;
}

/* Of both queues: who has just come must not go before one that has waited long for a dead upstream. */
static struct xf_conn *longest(struct xf_server *server, const struct xf_conn *but)
{
	struct xf_conn *first = server->first.longest, *dial = server->dials.longest;

	if (first == but)
		first = NULL;
	if (dial == but)
		dial = NULL;
	return first && (!dial || first->accepted <= dial->accepted) ? first : dial;
}

/* Who has come with many others at a time may have sent already, and is only not yet heard. */
#define GRACE (50 * XF_MSEC)

bool xf_waiting__is_crowded(struct xf_server *server)
{
	const struct xf_conn *first = longest(server, NULL);

	return first && xf_loop__now(server->loop) - first->accepted < GRACE &&
	       (server->first.n >= server->opts.max_waiting || !xf_mover__may_admit(server->mover));
}

bool xf_waiting__admit(struct xf_conn *conn)
{
	struct xf_server *server = conn->server;
	struct xf_conn *other;

	while (!conn->reserved) {
		conn->reserved = xf_mover__admit(server->mover, conn->fd);
		if (conn->reserved)
			break;
		other = longest(server, conn);
		if (!other)
			return false;
		xf_conn__end(other, XF_OUTCOME_FIRST_CROWD, 0);
	}
	return true;
}
