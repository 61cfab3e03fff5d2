// SPDX-License-Identifier: GPL-2.0-only
#include "sockmap/server/record.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sockmap/server/vanished.h"

/* Set conn->local. A listener on all addresses needs a system call for that, which is made only if
 * something uses the address. */
static void set_local(struct xf_conn *conn, const struct xf_listener *listener)
{
	const struct xf_server *server = conn->server;

	conn->local = listener->address;
	if (!listener->any_address || !(server->opts.on_end || server->opts.send_proxy_v2))
		return;
	conn->local.len = sizeof(conn->local.in6);
	if (getsockname(conn->fd, &conn->local.sa, &conn->local.len))
		conn->local.len = 0;
	else
		xf_sockaddr_unmap(&conn->local);
}

struct xf_conn *xf_record__new(const struct xf_listener *listener, int fd,
			       const struct xf_addr *peer)
{
	struct xf_server *server = listener->server;
	struct xf_conn *conn = calloc(1, sizeof(*conn));

	if (!conn)
		return NULL;
	conn->server = server;
	conn->fd = fd;
	conn->client.fd = -1;
	conn->upstream.fd = -1;
	conn->peer = *peer;
	xf_sockaddr_unmap(&conn->peer);
	set_local(conn, listener);
	conn->src = conn->peer;
	conn->dst = conn->local;
	conn->accepted = xf_loop__now(server->loop);
	if (server->opts.on_end)
		clock_gettime(CLOCK_REALTIME, &conn->started);
	conn->next = server->conns;
	if (conn->next)
		conn->next->prev = conn;
	server->conns = conn;
	server->counters.accepted++;
	server->counters.active++;
	xf_vanished__begin(server);
	return conn;
}

static void count(struct xf_server_counters *counters, const struct xf_report *report)
{
	counters->active--;
	counters->outcomes[report->outcome]++;
	counters->to_upstream += report->to_upstream;
	counters->to_client += report->to_client;
	counters->engines[report->engine]++;
	counters->moves += report->moves;
}

void xf_record__finish(struct xf_conn *conn, struct xf_report *report)
{
	struct xf_server *server = conn->server;

	report->started = conn->started;
	report->duration = xf_loop__now(server->loop) - conn->accepted;
	report->client = conn->src;
	report->peer = conn->peer;
	report->local = conn->local;
	if (conn->tried)
		report->upstream = *conn->tried;
	report->route = conn->route ? conn->route->text : "";
	report->sni = conn->sni ?: "";
	report->host = conn->host ?: "";
	report->alpn = conn->alpn ?: "";
	report->route_line = conn->route ? conn->route->line : 0;
	count(&server->counters, report);
	xf_vanished__forget(conn);
	if (conn->prev)
		conn->prev->next = conn->next;
	else
		server->conns = conn->next;
	if (conn->next)
		conn->next->prev = conn->prev;
	if (server->opts.on_end)
		server->opts.on_end(report, server->opts.arg);
	if (conn->routes)
		xf_routes__put(conn->routes);
	free(conn->sni);
	free(conn->host);
	free(conn->alpn);
	free(conn);
}
