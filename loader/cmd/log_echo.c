// SPDX-License-Identifier: GPL-2.0-only
/* log --echo: the echo server inside a session. */
#include "loader/cmd/log_echo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/msg.h"
#include "loader/relay/args.h"
#include "loader/relay/connection_limit.h"
#include "loader/relay/worker.h"
#include "loader/log/session.h"
#include "sockmap/relay/budget.h"

struct xf_log_echo {
	struct xf_worker worker; /* without a thread */
	struct xf_budget budget;
};

static void say_ready(const struct xf_worker *worker)
{
	char text[XF_SOCKADDR_TEXT];
	struct xf_addr addr;

	xf_worker__say_without_sockmap(worker, "echo: ");
	xf_server__address(worker->server, 0, &addr);
	xf_info("echo: listening on %s", xf_sockaddr_text(&addr, text));
}

/* Open a server with the defaults of 'xdpfun-load echo'. */
static int open_echo(struct xf_log_echo *echo, const struct xf_addr *listen, struct xf_loop *loop,
		     unsigned int others)
{
	struct xf_relay_args defaults;
	struct xf_server_opts server = { .listens = listen, .n_listens = 1, .echo = true };
	struct xf_mover_opts mover = { .budget = &echo->budget, .hasty = true };
	int err;

	xf_relay_args__init(&defaults, true);
	xf_relay_args__budget(&defaults, &echo->budget);
	server.max_connections = xf_relay_limit(0, true, 1, others);
	server.max_waiting = defaults.max_waiting;
	server.keepalive = defaults.keepalive;
	server.first_timeout = defaults.first_timeout;
	server.dial_timeout = defaults.dial_timeout;
	mover.max_relays = server.max_connections;
	err = xf_worker__open(&echo->worker, loop, &server);
	if (err)
		return err;
	err = xf_worker__prepare(&echo->worker, &mover);
	if (!err)
		err = xf_worker__start(&echo->worker, NULL);
	if (err)
		xf_worker__close(&echo->worker);
	return err;
}

int xf_log_echo__start(struct xf_log_echo **out, const struct xf_addr *listen,
		       struct xf_session *session, unsigned int others)
{
	struct xf_log_echo *echo = calloc(1, sizeof(*echo));
	int err = echo ? open_echo(echo, listen, xf_session__loop(session), others) : -ENOMEM;

	if (err) {
		free(echo);
		return err;
	}
	say_ready(&echo->worker);
	*out = echo;
	return 0;
}

void xf_log_echo__end(struct xf_log_echo *echo)
{
	struct xf_access_totals totals = { .echo = true };
	struct xf_server_counters counters;
	char text[XF_ACCESS_TOTALS_TEXT];
	int err;

	if (!echo)
		return;
	xf_server__drain(echo->worker.server);
	xf_server__abort(echo->worker.server, XF_OUTCOME_DRAIN);
	do {
		err = xf_loop__turn(echo->worker.loop, 0);
		xf_server__counters(echo->worker.server, &counters);
	} while (counters.active && !err);
	xf_access_totals_add(&totals, &counters);
	xf_result("echo: %s", xf_access_totals_text(&totals, xf_outcome_names, text, sizeof(text)));
	xf_worker__close(&echo->worker);
	free(echo);
}
