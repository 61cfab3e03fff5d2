// SPDX-License-Identifier: GPL-2.0-only
/* Theory of operation
 *
 * A connection has up to three phases. XF_PHASE_FIRST reads its first packet (first_read.c), unless
 * the routes decide without one. XF_PHASE_DIAL connects to an upstream (dial.c). XF_PHASE_RELAY
 * moves bytes (sockmap/relay) until on_relay_end(). An echo has the last one only.
 *
 * A step of the first two phases returns WAIT, DECIDED or FAILED and calls nothing of this file.
 * proceed() acts on the result: WAIT registers the events and the deadline that call for the next
 * step, DECIDED begins the next phase, FAILED ends and reports the connection. A phase registers no
 * event; dial.c closes a socket that failed, which takes it out of the loop.
 *
 * A connection that waits needs memory for what its client may send, and a place among those that
 * wait. When there is none, waiting.c names the connection that has waited longest. make_way()
 * reads it once more, which may let it go on, and ends it if it would still wait. */
#include "sockmap/server/conn.h"

#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "sockmap/relay/fds.h"
#include "sockmap/server/phases.h"
#include "sockmap/server/record.h"
#include "sockmap/server/refused.h"
#include "sockmap/server/waiting.h"

/* ---- the end ---- */

/* End a connection that has no relay. */
static void end(struct xf_conn *conn, const struct xf_result *result)
{
	struct xf_server *server = conn->server;
	struct xf_report report = { .outcome = result->outcome, .error = result->error };

	if (result->lacking)
		xf_refused__lacking(server, result->error);
	xf_waiting__leave(conn);
	xf_loop__disarm(server->loop, &conn->timer);
	xf_loop__close(server->loop, &conn->upstream);
	xf_loop__del(server->loop, &conn->client);
	xf_reset(conn->fd);
	free(conn->data);
	free(conn->prefix);
	xf_mover__dismiss(server->mover, conn->reserved);
	xf_record__finish(conn, &report);
}

void xf_conn__abort(struct xf_conn *conn, enum xf_outcome outcome)
{
	struct xf_result result;

	if (conn->phase != XF_PHASE_RELAY) {
		xf_step_failed(&result, outcome, 0);
		end(conn, &result);
	} else if (outcome <= XF_OUTCOME_ERROR) {
		xf_relay__abort(conn->relay, (enum xf_end)outcome);
	} else {
		xf_relay__abort(conn->relay, XF_END_ERROR);
	}
}

/* ---- the relay ---- */

/* Errors of a socket whose peer has not answered keepalive or retransmissions. */
static bool has_vanished(int err)
{
	return err == ETIMEDOUT || err == EHOSTUNREACH || err == ENETUNREACH;
}

static void on_relay_end(struct xf_relay *relay, enum xf_end end, void *arg)
{
	struct xf_conn *conn = arg;
	struct xf_report report = { .outcome = (enum xf_outcome)end };
	struct xf_relay_stats stats;

	if (end == XF_END_MEMORY)
		xf_refused__memory(conn->server);
	xf_relay__stats(relay, &stats);
	if (conn->lost)
		report.outcome = conn->lost;
	else if (end == XF_END_CLIENT_RESET && has_vanished(stats.error))
		report.outcome = XF_OUTCOME_CLIENT_LOST;
	else if (end == XF_END_UPSTREAM_RESET && has_vanished(stats.error))
		report.outcome = XF_OUTCOME_UPSTREAM_LOST;
	report.to_upstream = stats.to_upstream;
	report.to_client = stats.to_client;
	report.moves = stats.moves;
	if (stats.to_upstream || stats.to_client)
		report.engine = stats.engine;
	xf_record__finish(conn, &report);
}

/* Give both sockets to a relay; @upstream is -1 for an echo. WAIT: the relay runs. */
static enum xf_step start_relay(struct xf_conn *conn, int upstream, struct xf_result *result)
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
	xf_loop__del(server->loop, &conn->upstream);
	xf_loop__del(server->loop, &conn->client);
	conn->reserved = 0;
	err = xf_relay__new(server->mover, &opts, &conn->relay);
	if (!err) {
		conn->phase = XF_PHASE_RELAY;
		conn->upstream_fd = upstream;
		return XF_STEP_WAIT;
	}
	if (upstream >= 0)
		xf_reset(upstream);
	return xf_step_lacking(result, -err);
}

/* ---- the decision of the routes ---- */

/* Make the first bytes for the upstream: our PROXY header, and the bytes that the client has sent
 * for it. */
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

static enum xf_step begin_dial(struct xf_conn *conn, struct xf_result *result)
{
	const struct xf_decision *decision = &result->decision;
	size_t len = result->len - decision->skip;

	if (decision->kind == XF_DECIDE_DIAL && xf_server__is_own(conn->server, &conn->dst))
		return xf_step_failed(result, XF_OUTCOME_REFUSED, ELOOP);
	if (!make_prefix(conn, len ? result->data + decision->skip : NULL, len))
		return xf_step_lacking(result, ENOMEM);
	free(conn->data);
	conn->data = NULL;
	if (decision->kind == XF_DECIDE_DIAL) {
		conn->upstreams = &conn->dst;
		conn->n_upstreams = 1;
	} else {
		conn->upstreams = conn->route->upstreams;
		conn->n_upstreams = conn->route->n_upstreams;
	}
	conn->phase = XF_PHASE_DIAL;
	return xf_dial__begin(conn, result);
}

static enum xf_step follow_decision(struct xf_conn *conn, struct xf_result *result)
{
	const struct xf_decision *decision = &result->decision;

	xf_waiting__leave(conn);
	conn->route = decision->route;
	/* Without memory the log goes without the name. */
	if (decision->sni[0])
		conn->sni = strdup(decision->sni);
	if (decision->host[0])
		conn->host = strdup(decision->host);
	if (decision->alpn[0])
		conn->alpn = strdup(decision->alpn);
	if (decision->has_proxy && decision->proxy.src.len) {
		conn->src = decision->proxy.src;
		conn->dst = decision->proxy.dst;
	}
	switch (decision->kind) {
	case XF_DECIDE_ROUTE:
	case XF_DECIDE_DIAL:
		return begin_dial(conn, result);
	case XF_DECIDE_REJECT:
		return xf_step_failed(result, XF_OUTCOME_REJECTED, 0);
	case XF_DECIDE_AMBIGUOUS:
		return xf_step_failed(result, XF_OUTCOME_AMBIGUOUS, 0);
	case XF_DECIDE_BAD_TOKEN:
		return xf_step_failed(result, XF_OUTCOME_BAD_TOKEN, 0);
	case XF_DECIDE_BAD_PROXY:
		return xf_step_failed(result, XF_OUTCOME_BAD_PROXY, 0);
	case XF_DECIDE_NO_ROUTE:
	case XF_DECIDE_MORE: /* not a decision */
		break;
	}
	return xf_step_failed(result, XF_OUTCOME_NO_ROUTE, 0);
}

/* ---- steps ---- */

static void proceed(struct xf_conn *conn, enum xf_step step, struct xf_result *result);

/* End a waiting connection for want of room. One of many that came at a time may have sent its
 * first packet already: it is read once and served if that decides. A second read would let a
 * client that dribbles stay for ever. @conn has its memory, so no other connection makes way for it
 * in turn. */
static void make_way(struct xf_conn *conn)
{
	enum xf_step step = XF_STEP_WAIT;
	struct xf_result result;

	if (conn->phase == XF_PHASE_FIRST)
		step = xf_first__read(conn, &result);
	if (step == XF_STEP_WAIT)
		step = xf_step_failed(&result, XF_OUTCOME_FIRST_CROWD, 0);
	proceed(conn, step, &result);
}

/* Reserve memory for what the client may send while @conn waits. False: there is none. */
static bool admit(struct xf_conn *conn)
{
	struct xf_conn *victim;

	while (!xf_waiting__admit(conn, &victim)) {
		if (!victim)
			return false;
		make_way(victim);
	}
	return true;
}

static int wait_for_client(struct xf_conn *conn)
{
	struct xf_server *server = conn->server;
	uint64_t until = conn->accepted + server->opts.first_timeout;
	int err;

	if (conn->client.fd >= 0)
		return 0;
	if (!admit(conn))
		return -ENOMEM;
	err = xf_loop__arm(server->loop, &conn->timer, until);
	return err ? err : xf_loop__add(server->loop, &conn->client, conn->fd, EPOLLIN);
}

/* The client is watched for its end alone. */
static int wait_for_upstream(struct xf_conn *conn, int upstream)
{
	struct xf_server *server = conn->server;
	struct xf_loop *loop = server->loop;
	uint64_t until = xf_loop__now(loop) + server->opts.dial_timeout;
	int err;

	if (conn->upstream.fd == upstream)
		return 0;
	if (!admit(conn)) {
		xf_reset(upstream);
		return -ENOMEM;
	}
	if (!conn->queue)
		xf_waiting__enter(conn, &server->dials);
	err = xf_loop__arm(loop, &conn->timer, until);
	if (!err && conn->client.fd < 0)
		err = xf_loop__add(loop, &conn->client, conn->fd, 0);
	else if (!err)
		err = xf_loop__mod(loop, &conn->client, 0);
	if (!err)
		err = xf_loop__add(loop, &conn->upstream, upstream, EPOLLOUT);
	if (err)
		xf_reset(upstream);
	return err;
}

static enum xf_step wait_for_events(struct xf_conn *conn, struct xf_result *result)
{
	int err = conn->phase == XF_PHASE_FIRST ? wait_for_client(conn)
						: wait_for_upstream(conn, result->fd);

	return err ? xf_step_lacking(result, -err) : XF_STEP_WAIT;
}

/* Act on the result of a step. The phase may change up to two times. */
static void proceed(struct xf_conn *conn, enum xf_step step, struct xf_result *result)
{
	if (step == XF_STEP_DECIDED && conn->phase == XF_PHASE_FIRST)
		step = follow_decision(conn, result);
	if (step == XF_STEP_WAIT)
		step = wait_for_events(conn, result);
	if (step == XF_STEP_DECIDED)
		step = start_relay(conn, result->fd, result);
	if (step == XF_STEP_FAILED)
		end(conn, result);
}

static void on_client(struct xf_watch *watch, uint32_t events)
{
	struct xf_conn *conn = xf_container_of(watch, struct xf_conn, client);
	struct xf_result result;
	enum xf_step step;

	if (conn->phase == XF_PHASE_FIRST)
		step = xf_first__read(conn, &result);
	else
		step = xf_dial__client_event(conn, events, &result);
	proceed(conn, step, &result);
}

static void on_upstream(struct xf_watch *watch, uint32_t events)
{
	struct xf_conn *conn = xf_container_of(watch, struct xf_conn, upstream);
	struct xf_result result;

	(void)events;
	proceed(conn, xf_dial__answered(conn, &result), &result);
}

static void on_deadline(struct xf_timer *timer, uint64_t now)
{
	struct xf_conn *conn = xf_container_of(timer, struct xf_conn, timer);
	struct xf_result result;
	enum xf_step step;

	(void)now;
	if (conn->phase == XF_PHASE_FIRST)
		step = xf_first__timed_out(conn, &result);
	else
		step = xf_dial__timed_out(conn, &result);
	proceed(conn, step, &result);
}

/* ---- the beginning ---- */

/* The first step of a connection. */
static enum xf_step begin(struct xf_conn *conn, struct xf_result *result)
{
	struct xf_server *server = conn->server;
	struct xf_conn *victim;

	if (server->opts.echo) { /* no first packet and no upstream */
		conn->phase = XF_PHASE_DIAL;
		result->fd = -1;
		return XF_STEP_DECIDED;
	}
	conn->routes = xf_routes__get(server->opts.routes);
	xf_routes__decide(conn->routes, &conn->peer, NULL, 0, false, &result->decision);
	if (result->decision.kind != XF_DECIDE_MORE)
		return XF_STEP_DECIDED;
	while ((victim = xf_waiting__surplus(server)))
		make_way(victim);
	xf_waiting__enter(conn, &server->first);
	return xf_first__read(conn, result); /* the packet is often there already */
}

void xf_conn__new(const struct xf_listener *listener, int fd, const struct xf_addr *peer)
{
	struct xf_server *server = listener->server;
	struct xf_conn *conn = xf_record__new(listener, fd, peer);
	struct xf_result result = {};

	if (!conn) {
		xf_reset(fd);
		server->counters.refused_memory++;
		xf_refused__memory(server);
		return;
	}
	conn->client.fn = on_client;
	conn->upstream.fn = on_upstream;
	conn->timer.fn = on_deadline;
	proceed(conn, begin(conn, &result), &result);
}
