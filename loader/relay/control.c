// SPDX-License-Identifier: GPL-2.0-only
/* The main thread of echo and forward, while the workers move bytes. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/time.h"
#include "lib/msg.h"
#include "lib/signals.h"
#include "loader/relay/impl.h"
#include "loader/relay/service.h"
#include "sockmap/route/routes.h"

void xf_relay__block_early(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGUSR1);
	sigprocmask(SIG_BLOCK, &signals, NULL);
}

static void ask_all(struct xf_relay_main *run, unsigned int what, struct xf_routes *routes)
{
	for (unsigned int i = 0; i < run->n; i++)
		xf_worker__ask(&run->workers[i], what, routes);
}

/* ---- the end ---- */

static void on_deadline(struct xf_timer *timer, uint64_t now)
{
	struct xf_relay_main *run = xf_container_of(timer, struct xf_relay_main, deadline);

	(void)now;
	ask_all(run, XF_ASK_ABORT, NULL);
}

static void drain(struct xf_relay_main *run)
{
	ask_all(run, XF_ASK_DRAIN, NULL);
	if (run->args->drain)
		xf_info("accepting no more; running connections have %llu s to finish, a second "
			"signal ends them at once",
			(unsigned long long)((run->args->drain + XF_NSEC - 1) / XF_NSEC));
	if (xf_loop__arm(run->loop, &run->deadline, xf_loop__now(run->loop) + run->args->drain))
		ask_all(run, XF_ASK_ABORT, NULL);
}

static void stop(struct xf_relay_main *run)
{
	xf_service__stopping();
	if (run->stops++)
		ask_all(run, XF_ASK_ABORT, NULL);
	else
		drain(run);
}

/* ---- new routes ---- */

bool xf_relay__no_loop(const struct xf_relay_main *run, const struct xf_routes *routes)
{
	char text[XF_SOCKADDR_TEXT];

	for (unsigned int i = 0; routes && i < xf_routes__upstreams(routes); i++) {
		const struct xf_addr *addr = xf_routes__upstream(routes, i);

		if (!xf_server__is_own(run->workers[0].server, addr))
			continue;
		xf_err("%s: this relay listens on its upstream %s itself, and each connection "
		       "would go round for ever",
		       run->args->routes ?: "--to", xf_sockaddr_text(addr, text));
		return false;
	}
	return true;
}

static void keep_old(const struct xf_relay_main *run)
{
	xf_warn("%s: the old rules stay in use", run->args->routes);
}

/* Give @routes to the workers. */
static void use(struct xf_relay_main *run, struct xf_routes *routes)
{
	ask_all(run, XF_ASK_ROUTES, routes);
	xf_routes__put(run->routes);
	run->routes = routes;
}

void xf_relay__unreachable(void *arg)
{
	struct xf_relay_main *run = arg;
	struct xf_resolver *resolver = run->resolver;

	if (resolver)
		xf_resolver__hurry(resolver);
}

int xf_relay__resolve(struct xf_relay_main *run, struct xf_routes *routes)
{
	struct xf_resolver *resolver;
	int err;

	if (!routes || !xf_routes__names(routes))
		return 0;
	err = xf_resolver__start(&resolver, routes, run->args->resolve, run->loop);
	if (!err)
		run->resolver = resolver;
	return err;
}

/* Use routes that have new addresses. */
static void take_resolved(struct xf_relay_main *run)
{
	struct xf_routes *routes = run->resolver ? xf_resolver__take(run->resolver) : NULL;

	if (!routes)
		return;
	if (!xf_relay__no_loop(run, routes)) {
		xf_routes__put(routes);
		if (run->reloaded)
			keep_old(run);
		return;
	}
	use(run, routes);
	if (run->reloaded)
		xf_info("%s: new connections use the new rules", run->args->routes);
	else
		xf_debug("the names among the upstreams were looked up");
	run->reloaded = false;
}

static void on_routes(struct xf_routes *routes, void *arg)
{
	struct xf_relay_main *run = arg;
	struct xf_resolver *resolver = run->resolver;
	int err = 0;

	if (!run->stops)
		xf_service__ready();
	if (!routes || !xf_relay__no_loop(run, routes)) {
		xf_routes__put(routes);
		keep_old(run);
		return;
	}
	if (resolver)
		xf_resolver__set(resolver, routes);
	else
		err = xf_relay__resolve(run, routes);
	run->reloaded = xf_routes__names(routes);
	if (err)
		keep_old(run);
	if (run->reloaded) {
		xf_routes__put(routes);
		return;
	}
	use(run, routes);
	xf_info("%s: new connections use the new rules", run->args->routes);
}

/* A SIGHUP with nothing to read again or open anew means that the terminal is gone. */
static void hang_up(struct xf_relay_main *run)
{
	if (run->args->write || run->helper)
		xf_service__reloading();
	if (run->args->write)
		xf_access__reopen(run->access);
	if (run->args->write && !run->helper)
		xf_service__ready();
	if (run->helper)
		xf_reload_helper__ask(run->helper, run->loop, on_routes, run);
	else if (!run->args->write && xf_signals_hangup_ends())
		stop(run);
}

static void count(struct xf_relay_main *run)
{
	ask_all(run, XF_ASK_COUNT, NULL);
	run->counting = true;
}

static void on_signal(struct xf_watch *watch, uint32_t events)
{
	struct xf_relay_main *run = xf_container_of(watch, struct xf_relay_main, signals);
	enum xf_signal signal;

	(void)events;
	while ((signal = xf_signals_read(watch->fd)) != XF_SIGNAL_NONE) {
		if (signal == XF_SIGNAL_COUNTERS)
			count(run);
		else if (signal == XF_SIGNAL_HANGUP)
			hang_up(run);
		else
			stop(run);
	}
}

/* ---- counters ---- */

bool xf_relay__totals(struct xf_relay_main *run, struct xf_access_totals *totals)
{
	struct xf_server_counters counters;

	*totals = (struct xf_access_totals) { .echo = run->args->echo, .log = true };
	for (unsigned int i = 0; i < run->n; i++) {
		if (!xf_worker__answered(&run->workers[i], &counters))
			return false;
		xf_access_totals_add(totals, &counters);
	}
	totals->lost_lines = xf_access__lost(run->access);
	return true;
}

static void on_stats(struct xf_timer *timer, uint64_t now)
{
	struct xf_relay_main *run = xf_container_of(timer, struct xf_relay_main, stats);

	count(run);
	xf_loop__arm(run->loop, timer, now + run->args->stats);
}

/* Print the counters once all workers have answered; else a later turn does. */
static void print_stats(struct xf_relay_main *run)
{
	struct xf_access_totals totals;
	char text[XF_ACCESS_TOTALS_TEXT];

	if (!xf_relay__totals(run, &totals))
		return;
	totals.now = true;
	run->counting = false;
	xf_result("%s", xf_access_totals_text(&totals, xf_outcome_names, text, sizeof(text)));
}

/* ---- the loop ---- */

int xf_relay__control(struct xf_relay_main *run)
{
	int fd = xf_signals_open(), err = fd < 0 ? fd : 0;

	run->signals.fn = on_signal;
	run->stats.fn = on_stats;
	run->deadline.fn = on_deadline;
	if (!err) {
		err = xf_loop__add(run->loop, &run->signals, fd, EPOLLIN);
		if (err)
			close(fd);
	}
	if (!err && run->args->stats)
		err = xf_loop__arm(run->loop, &run->stats,
				   xf_loop__now(run->loop) + run->args->stats);
	if (err)
		xf_err("cannot set up signals and timers: %s", strerror(-err));
	return err;
}

/* Whether all workers have finished. The error of one makes the others finish. */
static bool all_finished(struct xf_relay_main *run, int *err)
{
	bool all = true;

	for (unsigned int i = 0; i < run->n; i++) {
		int failed = 0;

		if (!xf_worker__finished(&run->workers[i], &failed))
			all = false;
		if (failed && !*err) {
			*err = failed;
			ask_all(run, XF_ASK_DRAIN | XF_ASK_ABORT, NULL);
		}
	}
	return all;
}

int xf_relay__turn_until_end(struct xf_relay_main *run)
{
	int err = 0;

	while (!all_finished(run, &err)) {
		int failed = xf_loop__turn(run->loop, -1);

		if (failed && !err) {
			xf_err("cannot wait for signals: %s", strerror(-failed));
			return failed;
		}
		xf_access__tend(run->access);
		take_resolved(run);
		if (run->counting)
			print_stats(run);
	}
	return err;
}
