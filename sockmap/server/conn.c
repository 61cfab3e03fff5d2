// SPDX-License-Identifier: GPL-2.0-only
/* A connection's life outside of its phases: begin, what the routes decided, relay, report. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sockmap/relay/fds.h"
#include "lib/msg.h"
#include "sockmap/server/server_impl.h"

/* What a dual-stack socket says of an IPv4 client, said plainly. */
static void unmap(struct xf_addr *addr)
{
	struct sockaddr_in in = { .sin_family = AF_INET };

	if (addr->sa.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&addr->in6.sin6_addr))
		return;
	memcpy(&in.sin_addr, &addr->in6.sin6_addr.s6_addr[12], sizeof(in.sin_addr));
	in.sin_port = addr->in6.sin6_port;
	*addr = (struct xf_addr) { .in = in, .len = sizeof(in) };
}

/* The listener's address, unless that is all addresses: then it takes a system call to know, which
 * is spared when nobody will ask. */
static void set_local(struct xf_conn *conn)
{
	const struct xf_server *server = conn->server;

	conn->local = server->address;
	if (!server->any_address || !(server->opts.on_end || server->opts.send_proxy_v2))
		return;
	conn->local.len = sizeof(conn->local.in6);
	if (getsockname(conn->fd, &conn->local.sa, &conn->local.len))
		conn->local.len = 0;
	else
		unmap(&conn->local);
}

static struct xf_conn *make(struct xf_server *server, int fd, const struct xf_addr *peer)
{
	struct xf_conn *conn = calloc(1, sizeof(*conn));

	if (!conn)
		return NULL;
	conn->server = server;
	conn->fd = fd;
	conn->client.fd = -1;
	conn->upstream.fd = -1;
	conn->peer = *peer;
	unmap(&conn->peer);
	set_local(conn);
	conn->src = conn->peer;
	conn->dst = conn->local;
	conn->accepted = xf_loop__now(server->loop);
	if (server->opts.on_end)
		clock_gettime(CLOCK_REALTIME, &conn->started);
	conn->next = server->conns;
	if (conn->next)
		conn->next->prev = conn;
	server->conns = conn;
	return conn;
}

static void warn_memory(struct xf_server *server)
{
	char text[32];
	uint64_t times;

	if (!xf_ratelimit_due(&server->rare_memory, xf_loop__now(server->loop), &times))
		return;
	xf_warn("refused a connection%s: no memory is left for it", xf_times_text(times, text));
	xf_hint("raise --memory, or set --max-connections to what it is enough for");
}

void xf_conn__new(struct xf_server *server, int fd, const struct xf_addr *peer)
{
	struct xf_conn *conn = make(server, fd, peer);
	struct xf_decision decision;

	if (!conn) {
		xf_reset(fd);
		server->counters.refused_memory++;
		warn_memory(server);
		return;
	}
	server->counters.accepted++;
	server->counters.active++;
	if (server->opts.echo) {
		xf_conn__relay(conn, -1);
		return;
	}
	conn->routes = xf_routes__get(server->opts.routes);
	xf_routes__decide(conn->routes, &conn->peer, NULL, 0, false, &decision);
	if (decision.kind == XF_DECIDE_MORE)
		xf_first__begin(conn);
	else
		xf_conn__decided(conn, &decision, NULL, 0);
}

/* ---- decided ---- */

/* A header of ours, and what the client sent so far less what was for us. */
static bool make_prefix(struct xf_conn *conn, const uint8_t *data, size_t len)
{
	uint8_t header[XF_PROXY_V2_MAX];

	if (conn->server->opts.send_proxy_v2)
		conn->uncounted = xf_proxy_v2_write(header, &conn->src, &conn->dst);
	conn->prefix_len = conn->uncounted + len;
	if (!conn->prefix_len)
		return true;
	conn->prefix = malloc(conn->prefix_len);
	if (!conn->prefix)
		return false;
	memcpy(conn->prefix, header, conn->uncounted);
	if (len)
		memcpy(conn->prefix + conn->uncounted, data, len);
	return true;
}

static void dial(struct xf_conn *conn, const struct xf_decision *decision, const uint8_t *data,
		 size_t len)
{
	if (!make_prefix(conn, len ? data + decision->skip : NULL, len - decision->skip)) {
		xf_conn__failed(conn, ENOMEM);
		return;
	}
	free(conn->data);
	conn->data = NULL;
	if (decision->kind == XF_DECIDE_DIAL) {
		conn->upstreams = &conn->dst;
		conn->n_upstreams = 1;
	} else {
		conn->upstreams = conn->route->upstreams;
		conn->n_upstreams = conn->route->n_upstreams;
	}
	xf_dial__begin(conn);
}

void xf_conn__decided(struct xf_conn *conn, const struct xf_decision *decision, const uint8_t *data,
		      size_t len)
{
	conn->route = decision->route;
	if (decision->has_proxy && decision->proxy.src.len) {
		conn->src = decision->proxy.src;
		conn->dst = decision->proxy.dst;
	}
	switch (decision->kind) {
	case XF_DECIDE_ROUTE:
	case XF_DECIDE_DIAL:
		dial(conn, decision, data, len);
		break;
	case XF_DECIDE_REJECT:
		xf_conn__end(conn, XF_OUTCOME_REJECTED, 0);
		break;
	case XF_DECIDE_BAD_TOKEN:
		xf_conn__end(conn, XF_OUTCOME_BAD_TOKEN, 0);
		break;
	case XF_DECIDE_BAD_PROXY:
		xf_conn__end(conn, XF_OUTCOME_BAD_PROXY, 0);
		break;
	case XF_DECIDE_NO_ROUTE:
	case XF_DECIDE_MORE: /* never asked for with this answer */
		xf_conn__end(conn, XF_OUTCOME_NO_ROUTE, 0);
		break;
	}
}

/* ---- the end ---- */

static void count(struct xf_server_counters *counters, const struct xf_report *report)
{
	counters->active--;
	counters->outcomes[report->outcome]++;
	counters->to_upstream += report->to_upstream;
	counters->to_client += report->to_client;
	counters->engines[report->engine]++;
	counters->moves += report->moves;
}

/* Fill in what all ends have in common, tell, and free. */
static void finish(struct xf_conn *conn, struct xf_report *report)
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
	report->route_line = conn->route ? conn->route->line : 0;
	count(&server->counters, report);
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
	free(conn);
}

void xf_conn__end(struct xf_conn *conn, enum xf_outcome outcome, int err)
{
	struct xf_loop *loop = conn->server->loop;
	struct xf_report report = { .outcome = outcome, .error = err };

	xf_waiting__leave(conn);
	xf_loop__disarm(loop, &conn->timer);
	xf_loop__close(loop, &conn->upstream);
	xf_loop__del(loop, &conn->client);
	xf_reset(conn->fd);
	free(conn->data);
	free(conn->prefix);
	xf_mover__dismiss(conn->server->mover, conn->reserved);
	finish(conn, &report);
}

static void warn_failed(struct xf_server *server, int err)
{
	char text[32];
	uint64_t times;

	if (xf_ratelimit_due(&server->rare_failed, xf_loop__now(server->loop), &times))
		xf_warn("cannot serve a connection%s: %s", xf_times_text(times, text),
			strerror(err));
}

void xf_conn__failed(struct xf_conn *conn, int err)
{
	if (err == ENOMEM || err == ENOBUFS) {
		warn_memory(conn->server);
		xf_conn__end(conn, XF_OUTCOME_MEMORY, err);
		return;
	}
	if (err == EMFILE || err == ENFILE)
		xf_out_of_fds(conn->server, err);
	else
		warn_failed(conn->server, err);
	xf_conn__end(conn, XF_OUTCOME_ERROR, err);
}

void xf_conn__abort(struct xf_conn *conn, enum xf_outcome outcome)
{
	if (conn->phase != XF_PHASE_RELAY)
		xf_conn__end(conn, outcome, 0);
	else if (outcome <= XF_OUTCOME_ERROR)
		xf_relay__abort(conn->relay, (enum xf_end)outcome);
	else
		xf_relay__abort(conn->relay, XF_END_ERROR);
}

/* ---- the relay ---- */

static void on_relay_end(struct xf_relay *relay, enum xf_end end, void *arg)
{
	struct xf_conn *conn = arg;
	struct xf_report report = { .outcome = (enum xf_outcome)end };
	struct xf_relay_stats stats;

	if (end == XF_END_MEMORY)
		warn_memory(conn->server);
	xf_relay__stats(relay, &stats);
	report.to_upstream = stats.to_upstream;
	report.to_client = stats.to_client;
	report.moves = stats.moves;
	if (stats.to_upstream || stats.to_client)
		report.engine = stats.engine;
	finish(conn, &report);
}

void xf_conn__relay(struct xf_conn *conn, int upstream)
{
	struct xf_server *server = conn->server;
	struct xf_relay_opts opts = {
		.client = conn->fd,
		.upstream = upstream,
		.prefix = conn->prefix,
		.prefix_len = conn->prefix_len,
		.uncounted = conn->uncounted,
		.reserved = conn->reserved,
		.idle = server->opts.idle,
		.on_end = on_relay_end,
		.arg = conn,
	};
	int err;

	xf_waiting__leave(conn);
	xf_loop__disarm(server->loop, &conn->timer);
	xf_loop__del(server->loop, &conn->client);
	conn->reserved = 0;
	err = xf_relay__new(server->mover, &opts, &conn->relay);
	if (!err) {
		conn->phase = XF_PHASE_RELAY;
		return;
	}
	if (upstream >= 0)
		xf_reset(upstream);
	xf_conn__failed(conn, -err);
}
