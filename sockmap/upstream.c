// SPDX-License-Identifier: GPL-2.0-only
/* Which upstream of a route is dialled: in turn, those that failed lately last. */
#include <errno.h>
#include <string.h>

#include "lib/msg.h"
#include "server_impl.h"

#define AVOID (5 * XF_NSEC)

/* FNV-1a over what makes addresses differ. */
static unsigned int hash(const struct xf_addr *addr)
{
	const uint8_t *bytes = (const uint8_t *)addr;
	uint32_t h = 2166136261u;

	for (socklen_t i = 0; i < addr->len; i++)
		h = (h ^ bytes[i]) * 16777619u;
	return (h ^ h >> 16) % XF_FAILURES;
}

/* The entry of @addr, or NULL when it never failed or was forgotten. */
static struct xf_failure *find(struct xf_server *server, const struct xf_addr *addr)
{
	struct xf_failure *failure = &server->failures[hash(addr)];

	return failure->addr.len && xf_sockaddr_equal(&failure->addr, addr) ? failure : NULL;
}

static bool failed_lately(struct xf_server *server, const struct xf_addr *addr)
{
	const struct xf_failure *failure = find(server, addr);

	return failure && xf_loop__now(server->loop) < failure->until;
}

/* Two rounds from where the route's turn is: first those that did not fail lately, then those that
 * were skipped. Beyond the 64th nothing is skipped. */
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

static struct xf_failure *note(struct xf_server *server, const struct xf_addr *addr)
{
	struct xf_failure *failure = find(server, addr);

	if (!failure) {
		failure = &server->failures[hash(addr)];
		*failure = (struct xf_failure){ .addr = *addr };
	}
	failure->until = xf_loop__now(server->loop) + AVOID;
	return failure;
}

void xf_upstream__failed(struct xf_conn *conn, int err)
{
	struct xf_server *server = conn->server;
	/* Where PROXY headers want to go is the clients' choice: not noted, lest they crowd out the
	 * upstreams of the routes. */
	struct xf_rare *rare =
	    conn->route ? &note(server, conn->tried)->warning : &server->rare_named;
	char text[XF_SOCKADDR_TEXT], n[32];
	uint64_t times;

	if (!xf_rare_due(rare, xf_loop__now(server->loop), &times))
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
	struct xf_failure *failure;

	if (!conn->skipped)
		return;
	failure = find(conn->server, conn->tried);
	if (failure)
		failure->until = 0;
}
