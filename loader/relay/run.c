// SPDX-License-Identifier: GPL-2.0-only
/* The beginning and the end of one run of echo or forward. */
#include "loader/relay/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/exit_status.h"
#include "lib/msg.h"
#include "lib/signals.h"
#include "lib/strbuf.h"
#include "loader/relay/impl.h"
#include "loader/relay/connection_limit.h"
#include "loader/relay/routes_file.h"
#include "loader/relay/service.h"
#include "sockmap/route/routes.h"

#define MESSAGE_MS 1000 /* the time-out of stderr while there are no connections */

static const xf_access_fn formats[] = { xf_access_text, xf_access_json };

/* ---- the beginning ---- */

static int read_routes(struct xf_relay_main *run)
{
	const struct xf_relay_args *args = run->args;
	int err;

	if (args->echo)
		return 0;
	if (args->routes)
		return xf_routes_file__load(args->routes, &run->routes);
	err = xf_routes__single(&run->routes, args->to, args->n_to);
	if (err)
		xf_err("cannot keep the upstreams: %s", strerror(-err));
	return err;
}

static int open_main(struct xf_relay_main *run)
{
	const struct xf_relay_args *args = run->args;
	int err = xf_loop__new(&run->loop);

	if (err) {
		xf_err("cannot set up an event loop: %s", strerror(-err));
		return err;
	}
	err = xf_relay__control(run);
	if (!err)
		err = xf_access__open(&run->access, run->loop, formats[args->format], args->echo,
				      args->write);
	return err;
}

/* The share of one worker in a number for all. The kernel gives a connection to a worker by its
 * addresses, whether or not that one has room. */
static unsigned int share(const struct xf_relay_main *run, unsigned int number)
{
	return (number + run->args->threads - 1) / run->args->threads;
}

static struct xf_server_opts server_opts(const struct xf_relay_main *run)
{
	const struct xf_relay_args *args = run->args;

	return (struct xf_server_opts) {
		.listens = args->listens,
		.n_listens = args->n_listens,
		.n_passed = args->n_passed,
		.reuseport = args->threads > 1,
		.echo = args->echo,
		.routes = run->routes,
		.idle = args->idle,
		.keepalive = args->keepalive,
		.max_connections = share(run, run->max_connections),
		.max_waiting = share(run, args->max_waiting),
		.first_timeout = args->first_timeout,
		.dial_timeout = args->dial_timeout,
		.send_proxy_v2 = args->send_proxy_v2,
		.on_unreachable = xf_relay__unreachable,
		.unreachable_arg = (void *)run,
		.on_end = xf_access__add,
		.arg = run->access,
	};
}

/* Give the file of a listening UNIX socket to the user that the process becomes, whose group may
 * connect by its mode. */
static int give_file(const struct xf_relay_main *run, const struct xf_addr *addr)
{
	const char *path = addr->un.path;

	if (addr->sa.sa_family != AF_UNIX || path[0] != '/' || geteuid() ||
	    !lchown(path, run->user.uid, run->user.gid))
		return 0;
	xf_err("cannot give %s to the user %s: %s", path, run->user.name, strerror(errno));
	return -errno;
}

/* All workers listen on the addresses of the first, so that the kernel chooses a port for port 0
 * once. They share its UNIX sockets. */
static int open_workers(struct xf_relay_main *run)
{
	struct xf_server_opts opts = server_opts(run);
	struct xf_addr listens[XF_STRS_MAX];
	int shared[XF_STRS_MAX], err = 0;
	mode_t mask = umask(0777 & ~run->args->socket_mode);
	unsigned int own = opts.n_listens - opts.n_passed;

	for (unsigned int i = 0; i < opts.n_listens; i++)
		shared[i] = i < own ? -1 : run->args->passed[i - own];
	opts.shared = shared;

	run->workers = calloc(run->args->threads, sizeof(*run->workers));
	if (!run->workers) {
		xf_err("cannot set up %u threads: %s", run->args->threads, strerror(ENOMEM));
		return -ENOMEM;
	}
	while (!err && run->n < run->args->threads) {
		err = xf_worker__open(&run->workers[run->n], NULL, &opts);
		run->n += !err;
		for (unsigned int i = 0; run->n == 1 && i < opts.n_listens && !err; i++) {
			xf_server__address(run->workers[0].server, i, &listens[i]);
			if (i >= own || listens[i].sa.sa_family != AF_UNIX)
				continue;
			shared[i] = xf_server__listening_fd(run->workers[0].server, i);
			err = give_file(run, &listens[i]);
		}
		opts.listens = listens;
		opts.joins = true;
	}
	umask(mask);
	return err;
}

static int load(struct xf_relay_main *run)
{
	struct xf_mover_opts opts = {
		.engine = run->args->engine,
		.budget = &run->budget,
		.movers = run->args->threads,
		.max_relays = share(run, run->max_connections),
		.hasty = run->args->echo,
		.poll_ns = run->args->busy_poll * 1000ULL,
		.rotate_bytes = run->args->rotate_bytes,
	};
	int err = 0;

	xf_relay_args__budget(run->args, &run->budget);
	for (unsigned int i = 0; i < run->n && !err; i++)
		err = xf_worker__prepare(&run->workers[i], &opts);
	return err;
}

static int drop(struct xf_relay_main *run)
{
	char text[XF_CAPS_TEXT];
	uint64_t keep = 0;
	int err;

	for (unsigned int i = 0; i < run->n; i++)
		keep |= xf_mover__caps(run->workers[i].mover);
	err = xf_drop_privileges(&run->user, keep);
	if (!err)
		xf_info("going on as user %s, capabilities kept: %s", run->user.name,
			xf_caps_text(xf_caps_permitted(), text));
	return err;
}

static const char *size_text(uint64_t bytes, char out[32])
{
	static const char units[] = "KMG";
	int unit = -1;

	for (; unit < 2 && bytes % 1024 == 0; unit++)
		bytes /= 1024;
	snprintf(out, 32, "%llu%.*s", (unsigned long long)bytes, unit >= 0,
		 unit >= 0 ? units + unit : "");
	return out;
}

/* The message comes last, since scripts that wait for it connect then. */
static void say_ready(const struct xf_relay_main *run)
{
	struct xf_strbuf listens = XF_STRBUF(XF_STRS_MAX * XF_SOCKADDR_TEXT);
	char text[XF_SOCKADDR_TEXT], memory[32];
	struct xf_addr addr;

	if (run->args->engine == XF_ENGINE_AUTO)
		xf_worker__say_without_sockmap(&run->workers[0], "");
	for (unsigned int i = 0; i < run->args->n_listens; i++) {
		xf_server__address(run->workers[0].server, i, &addr);
		xf_strbuf__add(&listens, "%s%s", i ? ", " : "", xf_sockaddr_text(&addr, text));
	}
	xf_info("listening on %s, engine %s, memory %s, at most %u connections, %u thread%s",
		listens.at, xf_engine_names[run->args->engine],
		size_text(run->args->memory, memory), run->max_connections, run->n,
		run->n > 1 ? "s" : "");
}

static int start(struct xf_relay_main *run)
{
	int err = xf_relay__resolve(run, run->routes);

	for (unsigned int i = 0; i < run->n && !err; i++)
		err = xf_worker__start(&run->workers[i], run->loop);
	if (!err) {
		say_ready(run);
		xf_service__ready();
	}
	return err;
}

static int prepare(struct xf_relay_main *run)
{
	int err = xf_user__find(&run->user, run->args->user);

	if (!err)
		err = read_routes(run); /* may block on the file */
	if (!err && run->routes)
		err = xf_resolver__first(&run->routes);
	xf_signals_block();
	run->max_connections =
	    xf_relay_limit(run->args->max_connections, run->args->echo, run->args->threads, 0);
	/* The helper starts now, while there is next to nothing for it to inherit. */
	if (!err && run->args->routes)
		err = xf_reload_helper__start(&run->helper, run->args->routes, &run->user);
	if (!err)
		err = open_main(run);
	if (!err)
		err = open_workers(run);
	if (!err && !xf_relay__no_loop(run, run->routes))
		err = -EINVAL;
	if (!err)
		err = load(run);
	if (!err)
		xf_msg_timeout(MESSAGE_MS); /* opens stderr, which a dropped user may not */
	if (!err)
		err = drop(run);
	return err;
}

/* ---- the end ---- */

static void say_totals(struct xf_relay_main *run)
{
	struct xf_access_totals totals;
	char text[XF_ACCESS_TOTALS_TEXT];
	uint64_t cut;

	xf_access__finish(run->access);
	xf_relay__totals(run, &totals);
	cut = totals.counters.outcomes[XF_OUTCOME_DRAIN];
	if (cut)
		xf_warn("%llu connection%s had not finished and %s cut off",
			(unsigned long long)cut, cut > 1 ? "s" : "", cut > 1 ? "were" : "was");
	xf_result("%s", xf_access_totals_text(&totals, xf_outcome_names, text, sizeof(text)));
}

static void release(struct xf_relay_main *run)
{
	for (unsigned int i = 0; i < run->n; i++)
		xf_worker__close(&run->workers[i]);
	free(run->workers);
	xf_access__free(run->access);
	xf_resolver__stop(run->resolver);
	xf_reload_helper__stop(run->helper);
	xf_loop__close(run->loop, &run->signals);
	xf_loop__free(run->loop);
	xf_routes__put(run->routes);
}

int xf_relay_run(const struct xf_relay_args *args)
{
	struct xf_relay_main run = { .args = args, .signals.fd = -1 };
	int err;

	xf_relay__block_early();
	err = prepare(&run);
	/* From here on a message that waits would hold up connections. */
	if (!err) {
		xf_msg_timeout(0);
		err = start(&run);
	}
	if (!err) {
		err = xf_relay__turn_until_end(&run);
		xf_msg_timeout(MESSAGE_MS);
		say_totals(&run);
	}
	/* After an error a worker still has connections, which the exit of the process ends. */
	if (!err)
		release(&run);
	return err ? XF_EXIT_FAILED : XF_EXIT_OK;
}
