// SPDX-License-Identifier: GPL-2.0-only
#include "sockmap/server/waiting.h"

#include "lib/time.h"

_Static_assert(XF_FIRST_MAX + XF_PROXY_V2_MAX <= XF_FIRST_RESERVED,
	       "a first packet and a PROXY header fit in the memory reserved for them");

void xf_waiting__enter(struct xf_conn *conn, struct xf_queue *queue)
{
	xf_waiting__leave(conn);
	conn->queue = queue;
	conn->since = xf_loop__now(conn->server->loop);
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

/* The connection other than @but that has waited longest in either queue: a new connection must not
 * be ended before one that has waited long for a dead upstream. */
static struct xf_conn *longest(struct xf_server *server, const struct xf_conn *but)
{
	struct xf_conn *first = server->first.longest, *dial = server->dials.longest;

	if (first == but)
		first = NULL;
	if (dial == but)
		dial = NULL;
	return first && (!dial || first->since <= dial->since) ? first : dial;
}

struct xf_conn *xf_waiting__surplus(const struct xf_server *server)
{
	return server->first.n >= server->opts.max_waiting ? server->first.longest : NULL;
}

/* The length of a grace period. Of many clients that come at a time all connect first, and then
 * they send. */
#define GRACE (100 * XF_MSEC)
/* The least time between two grace periods. Silent clients may keep coming, and behind them in the
 * listener's queue may be one that has sent its first packet and needs no place. */
#define GRACE_EVERY (1 * XF_NSEC)

bool xf_waiting__holds_back(struct xf_server *server)
{
	const struct xf_conn *first = longest(server, NULL);
	uint64_t now = xf_loop__now(server->loop);

	if (!first || now - first->since >= GRACE ||
	    (server->first.n < server->opts.max_waiting && xf_mover__may_admit(server->mover)))
		return false;
	if (now - server->grace_at >= GRACE_EVERY)
		server->grace_at = now;
	return now - server->grace_at < GRACE;
}

bool xf_waiting__admit(struct xf_conn *conn, struct xf_conn **victim)
{
	struct xf_server *server = conn->server;

	if (!conn->reserved)
		conn->reserved = xf_mover__admit(server->mover, conn->fd);
	*victim = conn->reserved ? NULL : longest(server, conn);
	return conn->reserved;
}
