/* SPDX-License-Identifier: GPL-2.0-only */
/* One thread that moves bytes: its loop, mover and server, and the requests of other threads. */
#ifndef XF_RELAY_WORKER_H
#define XF_RELAY_WORKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "sockmap/server/server.h"

enum xf_ask {
	XF_ASK_DRAIN = 1,  /* stop accepting, and finish when the last connection has ended */
	XF_ASK_ABORT = 2,  /* after XF_ASK_DRAIN: end all connections now */
	XF_ASK_ROUTES = 4, /* use xf_worker.routes */
	XF_ASK_COUNT = 8,  /* update xf_worker.counters */
};

struct xf_worker {
	struct xf_loop *loop;
	bool owns_loop;
	struct xf_mover *mover;
	struct xf_server *server;
	struct xf_loop *owner; /* woken after each answer and at the end */
	pthread_t thread;
	bool running;  /* the thread must be joined */
	bool draining; /* used by the thread alone */

	pthread_mutex_t lock; /* protects all fields below */
	unsigned int asked;   /* XF_ASK_* that the thread has not taken yet */
	bool answering;	      /* the thread is doing what it has taken */
	struct xf_routes *routes;
	struct xf_server_counters counters;
	bool finished;
	int err; /* -errno that ended the thread, or 0 */
};

/* Make the server, which listens and does not accept yet, in @loop, or with NULL in a loop of the
 * worker's own. Returns 0 or -errno after a message. */
int xf_worker__open(struct xf_worker *worker, struct xf_loop *loop,
		    const struct xf_server_opts *opts);
/* Make the mover. Returns 0 or -errno after a message. */
int xf_worker__prepare(struct xf_worker *worker, const struct xf_mover_opts *opts);
/* With the engine auto: say after @prefix why there is no sockmap, if there is none. */
void xf_worker__say_without_sockmap(const struct xf_worker *worker, const char *prefix);
/* Begin to accept in a new thread, which wakes @owner. With @owner NULL there is no thread, and the
 * caller turns the loop. Returns 0 or -errno after a message. */
int xf_worker__start(struct xf_worker *worker, struct xf_loop *owner);

/* Ask the worker, from another thread, for XF_ASK_* in @what. XF_ASK_ROUTES takes a reference of
 * @routes for the worker to use. A worker that has finished does nothing any more. */
void xf_worker__ask(struct xf_worker *worker, unsigned int what, struct xf_routes *routes);
/* Whether the worker has done all that it was asked for. Then *@counters are of the last
 * XF_ASK_COUNT, or of the end. */
bool xf_worker__answered(struct xf_worker *worker, struct xf_server_counters *counters);
bool xf_worker__finished(struct xf_worker *worker, int *err);

/* Join the thread, which must have finished, and free everything. */
void xf_worker__close(struct xf_worker *worker);

#endif
