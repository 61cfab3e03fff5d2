// SPDX-License-Identifier: GPL-2.0-only
/* The choice of an upstream: round robin, with upstreams that failed lately at the end. */
#include "sockmap/server/upstream.h"

#include <string.h>

#include "lib/msg.h"

static bool failed_lately(const struct xf_server *server, const struct xf_addr *addr)
{
	return xf_failures__has(&server->failures, addr, xf_loop__now(server->loop));
}

/* Two rounds from the route's turn on: the first skips upstreams that failed lately, the second has
 * only the skipped ones. Upstreams beyond the 64th are never skipped. */
const struct xf_addr *xf_upstream__next(struct xf_conn *conn)
{
	unsigned int n = conn->n_upstreams;

	if (n > 1 && !conn->tries)
		conn->first_choice = conn->server->turns[conn->route->index % XF_TURNS]++ % n;
	while (conn->tries < 2 * n) {
		unsigned int i = conn->tries % n;
		bool again = conn->tries >= n;
		const struct xf_addr *addr = &conn->upstreams[(conn->first_choice + i) % n];

		conn->tries++;
		if (again && !(i < 64 && conn->skipped >> i & 1))
			continue;
		if (!again && i < 64 && n > 1 && failed_lately(conn->server, addr)) {
			conn->skipped |= 1ULL << i;
			continue;
		}
		conn->tried = addr;
		return addr;
	}
	return NULL;
}

void xf_upstream__failed(struct xf_conn *conn, int err)
{
	struct xf_server *server = conn->server;
	uint64_t times, now = xf_loop__now(server->loop);
	/* The destination of a PROXY header is the client's choice. It is not noted, so that
	 * clients cannot crowd the upstreams of the routes out of the table. */
	struct xf_ratelimit *ratelimit =
	    conn->route ? xf_failures__note(&server->failures, conn->tried, now)
			: &server->warn_named;
	char text[XF_SOCKADDR_TEXT], n[32];

	if (conn->route && server->opts.on_unreachable && xf_routes__names(conn->routes))
		server->opts.on_unreachable(server->opts.unreachable_arg);
	if (!xf_ratelimit_due(ratelimit, now, &times))
		return;
	xf_sockaddr_text(conn->tried, text);
	if (!conn->route)
		xf_warn("cannot connect to %s, named by a PROXY header: %s%s", text, strerror(err),
			xf_times_text(times, n));
	else if (conn->route->line)
		xf_warn("cannot connect to upstream %s (line %u of the routes): %s%s", text,
			conn->route->line, strerror(err), xf_times_text(times, n));
	else
		xf_warn("cannot connect to upstream %s: %s%s", text, strerror(err),
			xf_times_text(times, n));
}

void xf_upstream__worked(struct xf_conn *conn)
{
	if (conn->skipped)
		xf_failures__forget(&conn->server->failures, conn->tried);
}
