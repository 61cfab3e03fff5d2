// SPDX-License-Identifier: GPL-2.0-only
#include "sockmap/server/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sockmap/server/conn.h"
#include "sockmap/server/listener.h"
#include "sockmap/server/server_impl.h"

const char *const xf_outcome_names[XF_OUTCOMES] = {
	[XF_OUTCOME_CLOSED] = "closed",
	[XF_OUTCOME_CLIENT_RESET] = "reset by client",
	[XF_OUTCOME_UPSTREAM_RESET] = "reset by upstream",
	[XF_OUTCOME_IDLE] = "idle",
	[XF_OUTCOME_DRAIN] = "cut off by drain",
	[XF_OUTCOME_MEMORY] = "out of memory",
	[XF_OUTCOME_ERROR] = "error",
	[XF_OUTCOME_CLIENT_LOST] = "client lost",
	[XF_OUTCOME_UPSTREAM_LOST] = "upstream lost",
	[XF_OUTCOME_REJECTED] = "rejected",
	[XF_OUTCOME_NO_ROUTE] = "no route",
	[XF_OUTCOME_AMBIGUOUS] = "ambiguous first packet",
	[XF_OUTCOME_BAD_TOKEN] = "bad token",
	[XF_OUTCOME_BAD_PROXY] = "bad proxy header",
	[XF_OUTCOME_FIRST_TIMEOUT] = "first packet too late",
	[XF_OUTCOME_FIRST_SIZE] = "first packet too large",
	[XF_OUTCOME_FIRST_CROWD] = "too many waiting",
	[XF_OUTCOME_CLIENT_GONE] = "client gone",
	[XF_OUTCOME_REFUSED] = "upstream refused",
	[XF_OUTCOME_DIAL_TIMEOUT] = "upstream silent",
};

_Static_assert((int)XF_OUTCOME_CLOSED == XF_END_CLOSED &&
		   (int)XF_OUTCOME_CLIENT_RESET == XF_END_CLIENT_RESET &&
		   (int)XF_OUTCOME_UPSTREAM_RESET == XF_END_UPSTREAM_RESET &&
		   (int)XF_OUTCOME_IDLE == XF_END_IDLE && (int)XF_OUTCOME_DRAIN == XF_END_DRAIN &&
		   (int)XF_OUTCOME_MEMORY == XF_END_MEMORY && (int)XF_OUTCOME_ERROR == XF_END_ERROR,
	       "the first outcomes are the relay's ends");

int xf_server__new(struct xf_server **result, struct xf_loop *loop,
		   const struct xf_server_opts *opts)
{
	struct xf_server *server = calloc(1, sizeof(*server));
	int err;

	if (!server)
		return -ENOMEM;
	server->loop = loop;
	server->opts = *opts;
	server->spare = -1;
	if (opts->routes)
		xf_routes__get(opts->routes);
	err = xf_listeners__open(server);
	if (err) {
		xf_server__free(server);
		return err;
	}
	*result = server;
	return 0;
}

void xf_server__address(const struct xf_server *server, unsigned int i, struct xf_addr *addr)
{
	*addr = server->listeners[i].address;
}

int xf_server__listening_fd(const struct xf_server *server, unsigned int i)
{
	return server->listeners[i].fd;
}

int xf_server__start(struct xf_server *server, struct xf_mover *mover)
{
	server->mover = mover;
	return xf_listeners__start(server);
}

void xf_server__set_routes(struct xf_server *server, struct xf_routes *routes)
{
	struct xf_routes *old = server->opts.routes;

	server->opts.routes = xf_routes__get(routes);
	xf_routes__put(old);
}

void xf_server__drain(struct xf_server *server)
{
	xf_listeners__drain(server);
}

/* A relayed connection stays in the list until its relay reports the end, later. */
void xf_server__abort(struct xf_server *server, enum xf_outcome outcome)
{
	struct xf_conn *conn = server->conns, *next;

	for (; conn; conn = next) {
		next = conn->next;
		xf_conn__abort(conn, outcome);
	}
}

void xf_server__counters(const struct xf_server *server, struct xf_server_counters *counters)
{
	*counters = server->counters;
	counters->waiting = server->first.n;
}

void xf_server__free(struct xf_server *server)
{
	if (!server)
		return;
	xf_listeners__free(server);
	xf_loop__disarm(server->loop, &server->looks);
	if (server->spare >= 0)
		close(server->spare);
	if (server->opts.routes)
		xf_routes__put(server->opts.routes);
	free(server);
}
