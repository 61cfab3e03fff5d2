// SPDX-License-Identifier: GPL-2.0-only
/* One thread that moves bytes. */
#include "loader/relay/worker.h"

#include <string.h>

#include "lib/msg.h"
#include "sockmap/route/routes.h"

int xf_worker__open(struct xf_worker *worker, struct xf_loop *loop,
		    const struct xf_server_opts *opts)
{
	int err = 0;

	*worker = (struct xf_worker) { .loop = loop, .owns_loop = !loop };
	pthread_mutex_init(&worker->lock, NULL);
	if (!loop)
		err = xf_loop__new(&worker->loop);
	if (err)
		xf_err("cannot set up an event loop: %s", strerror(-err));
	else
		err = xf_server__new(&worker->server, worker->loop, opts);
	if (err)
		xf_worker__close(worker);
	return err;
}

int xf_worker__prepare(struct xf_worker *worker, const struct xf_mover_opts *opts)
{
	int err = xf_mover__new(&worker->mover, worker->loop, opts);

	/* For --engine sockmap the mover has printed the reason. */
	if (err && opts->engine != XF_ENGINE_SOCKMAP)
		xf_err("cannot set up what moves bytes: %s", strerror(-err));
	return err;
}

void xf_worker__say_without_sockmap(const struct xf_worker *worker, const char *prefix)
{
	const char *reason = xf_mover__unavailable_reason(worker->mover);

	if (reason)
		xf_info("%sauto goes without sockmap: %s", prefix, reason);
}

static void publish(struct xf_worker *worker)
{
	struct xf_server_counters counters;

	xf_server__counters(worker->server, &counters);
	pthread_mutex_lock(&worker->lock);
	worker->counters = counters;
	pthread_mutex_unlock(&worker->lock);
}

/* Do what other threads have asked for. */
static void answer(struct xf_worker *worker)
{
	struct xf_routes *routes;
	unsigned int asked;

	pthread_mutex_lock(&worker->lock);
	asked = worker->asked;
	routes = worker->routes;
	worker->asked = 0;
	worker->routes = NULL;
	worker->answering = asked;
	pthread_mutex_unlock(&worker->lock);
	if (!asked)
		return;
	if (routes)
		xf_server__set_routes(worker->server, routes);
	xf_routes__put(routes);
	if (asked & XF_ASK_DRAIN) {
		xf_server__drain(worker->server);
		worker->draining = true;
	}
	if (asked & XF_ASK_ABORT)
		xf_server__abort(worker->server, XF_OUTCOME_DRAIN);
	if (asked & XF_ASK_COUNT)
		publish(worker);
	pthread_mutex_lock(&worker->lock);
	worker->answering = false;
	pthread_mutex_unlock(&worker->lock);
	xf_loop__wake(worker->owner);
}

static bool is_idle(const struct xf_worker *worker)
{
	struct xf_server_counters counters;

	xf_server__counters(worker->server, &counters);
	return !counters.active;
}

static void *work(void *arg)
{
	struct xf_worker *worker = arg;
	int err = 0;

	while (!err && !(worker->draining && is_idle(worker))) {
		err = xf_loop__turn(worker->loop, -1);
		answer(worker);
	}
	if (err)
		xf_err("cannot wait for connections: %s", strerror(-err));
	publish(worker);
	pthread_mutex_lock(&worker->lock);
	worker->err = err;
	worker->finished = true;
	pthread_mutex_unlock(&worker->lock);
	xf_loop__wake(worker->owner);
	return NULL;
}

int xf_worker__start(struct xf_worker *worker, struct xf_loop *owner)
{
	int err = xf_server__start(worker->server, worker->mover);

	worker->owner = owner;
	if (err) {
		xf_err("cannot accept connections: %s", strerror(-err));
		return err;
	}
	if (!owner)
		return 0;
	err = -pthread_create(&worker->thread, NULL, work, worker);
	if (err)
		xf_err("cannot start a thread: %s", strerror(-err));
	worker->running = !err;
	return err;
}

void xf_worker__ask(struct xf_worker *worker, unsigned int what, struct xf_routes *routes)
{
	struct xf_routes *old = NULL;

	pthread_mutex_lock(&worker->lock);
	worker->asked |= what;
	if (what & XF_ASK_ROUTES) {
		old = worker->routes;
		worker->routes = xf_routes__get(routes);
	}
	pthread_mutex_unlock(&worker->lock);
	xf_routes__put(old);
	xf_loop__wake(worker->loop);
}

bool xf_worker__answered(struct xf_worker *worker, struct xf_server_counters *counters)
{
	bool answered;

	pthread_mutex_lock(&worker->lock);
	answered = worker->finished || (!worker->asked && !worker->answering);
	*counters = worker->counters;
	pthread_mutex_unlock(&worker->lock);
	return answered;
}

bool xf_worker__finished(struct xf_worker *worker, int *err)
{
	bool finished;

	pthread_mutex_lock(&worker->lock);
	finished = worker->finished;
	*err = worker->err;
	pthread_mutex_unlock(&worker->lock);
	return finished;
}

void xf_worker__close(struct xf_worker *worker)
{
	if (worker->running)
		pthread_join(worker->thread, NULL);
	xf_server__free(worker->server);
	xf_mover__free(worker->mover);
	xf_routes__put(worker->routes);
	if (worker->owns_loop)
		xf_loop__free(worker->loop);
	pthread_mutex_destroy(&worker->lock);
	*worker = (struct xf_worker) {};
}
