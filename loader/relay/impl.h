/* SPDX-License-Identifier: GPL-2.0-only */
/* The state of a run of echo or forward: run.c begins and ends it, control.c has the main thread's
 * loop. The main thread moves no bytes: it has the signals, the access log, the counters and new
 * routes, none of which can hold up a connection. */
#ifndef XF_RELAY_IMPL_H
#define XF_RELAY_IMPL_H

#include "loader/relay/access_log.h"
#include "loader/relay/drop_privileges.h"
#include "loader/relay/reload_helper.h"
#include "loader/relay/resolver.h"
#include "loader/relay/args.h"
#include "loader/relay/worker.h"
#include "sockmap/relay/budget.h"

struct xf_relay_main {
	const struct xf_relay_args *args;
	struct xf_user user;
	struct xf_budget budget;
	struct xf_routes *routes;	 /* for new connections; NULL for echo */
	struct xf_reload_helper *helper; /* with --routes */
	/* NULL: no routes had a name among their upstreams. Workers read it. */
	_Atomic(struct xf_resolver *) resolver;
	bool reloaded;	      /* the routes that are being resolved are new rules */
	struct xf_loop *loop; /* the main thread's */
	struct xf_access *access;
	struct xf_worker *workers;
	unsigned int n; /* open workers */
	unsigned int max_connections;
	struct xf_watch signals;
	struct xf_timer stats, deadline;
	bool counting;	    /* the workers were asked for their counters */
	unsigned int stops; /* signals that asked for the end */
};

/* Block SIGHUP and SIGUSR1 for the process. The other signals are blocked later, so that they can
 * end what takes long before a run. */
void xf_relay__block_early(void);
/* Watch for signals and the time for counters. Returns 0 or -errno after a message. */
int xf_relay__control(struct xf_relay_main *run);
/* Look up the names of run->routes in a thread, if there are any. Returns 0 or -errno after a
 * message. */
int xf_relay__resolve(struct xf_relay_main *run, struct xf_routes *routes);
/* An upstream of routes with names could not be connected to; @run is a struct xf_relay_main. */
void xf_relay__unreachable(void *run);
/* Turn the main loop until all workers have finished. Returns 0, or -errno of a worker that
 * failed. */
int xf_relay__turn_until_end(struct xf_relay_main *run);
/* Whether no upstream of @routes is the relay itself. Prints a message if one is. */
bool xf_relay__no_loop(const struct xf_relay_main *run, const struct xf_routes *routes);
/* Sum up the counters that the workers were last asked for. False: a worker has not answered
 * yet. */
bool xf_relay__totals(struct xf_relay_main *run, struct xf_access_totals *totals);

#endif
