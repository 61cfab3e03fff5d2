// SPDX-License-Identifier: GPL-2.0-only
#include "sockmap/server/refused.h"

#include <errno.h>
#include <string.h>

#include "lib/msg.h"

static bool is_due(struct xf_server *server, struct xf_ratelimit *ratelimit, char text[32])
{
	uint64_t times;

	if (!xf_ratelimit_due(ratelimit, xf_loop__now(server->loop), &times))
		return false;
	xf_times_text(times, text);
	return true;
}

void xf_refused__memory(struct xf_server *server)
{
	char text[32];

	if (!is_due(server, &server->warn_memory, text))
		return;
	xf_warn("refused a connection%s: no memory is left for it", text);
	xf_hint("raise --memory, or set --max-connections to what it is enough for");
}

void xf_refused__fds(struct xf_server *server, int err)
{
	char text[32];

	server->counters.refused_fds++;
	if (!is_due(server, &server->warn_fds, text))
		return;
	xf_warn("refused a connection%s: no descriptor is left: %s", text, strerror(err));
	if (err == EMFILE)
		xf_hint("raise the limit with 'ulimit -n', or set --max-connections below it");
}

void xf_refused__max(struct xf_server *server)
{
	char text[32];

	server->counters.refused_max++;
	if (is_due(server, &server->warn_max, text))
		xf_warn("refused a connection%s: --max-connections %u are open", text,
			server->opts.max_connections);
}

void xf_refused__lacking(struct xf_server *server, int err)
{
	char text[32];

	if (err == ENOMEM || err == ENOBUFS)
		xf_refused__memory(server);
	else if (err == EMFILE || err == ENFILE)
		xf_refused__fds(server, err);
	else if (is_due(server, &server->warn_failed, text))
		xf_warn("cannot serve a connection%s: %s", text, strerror(err));
}
