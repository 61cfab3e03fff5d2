/* SPDX-License-Identifier: GPL-2.0-only */
/* One thread that moves bytes: a loop, a mover and a server, and how others speak to it. */
#ifndef XF_RELAY_WORKER_H
#define XF_RELAY_WORKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "sockmap/server/server.h"

enum xf_ask {
	XF_ASK_DRAIN = 1,  /* accept no more, finish when the last connection has ended */
	XF_ASK_ABORT = 2,  /* end the connections now; for one that drains */
	XF_ASK_ROUTES = 4, /* use xf_worker.routes */
	XF_ASK_COUNT = 8,  /* bring xf_worker.counters up to date */
};

struct xf_worker {
	struct xf_loop *loop;
	bool owns_loop;
	struct xf_mover *mover;
	struct xf_server *server;
	struct xf_loop *owner; /* woken after each answer and at the end */
	pthread_t thread;
	bool running;  /* there is a thread to join */
	bool draining; /* the thread's own */

	pthread_mutex_t lock; /* for all below */
	unsigned int asked;   /* XF_ASK_* that the thread has not seen yet */
	bool answering;	      /* it has seen some and is not done with them */
	struct xf_routes *routes;
	struct xf_server_counters counters;
	bool finished;
	int err; /* why it finished when nobody asked for it */
};

/* Make the server, which listens and does not accept yet, in @loop; NULL: in a loop of its own.
 * Returns 0 or -errno after a message. */
int xf_worker__open(struct xf_worker *worker, struct xf_loop *loop,
		    const struct xf_server_opts *opts);
/* Make the mover. As above. */
int xf_worker__prepare(struct xf_worker *worker, const struct xf_mover_opts *opts);
/* Begin to accept, and for that start a thread which wakes @owner; without @owner there is no
 * thread, and the caller turns the loop. As above. */
int xf_worker__start(struct xf_worker *worker, struct xf_loop *owner);

/* From another thread. The routes are those to use from now on (a reference is taken), with
 * XF_ASK_ROUTES only. A worker that has finished answers nothing more. */
void xf_worker__ask(struct xf_worker *worker, unsigned int what, struct xf_routes *routes);
/* True when nothing that was asked is open; then *@counters are those of the last XF_ASK_COUNT, or
 * of the end. */
bool xf_worker__answered(struct xf_worker *worker, struct xf_server_counters *counters);
bool xf_worker__finished(struct xf_worker *worker, int *err);

/* The thread has finished, or there is none: wait for its end, free everything. */
void xf_worker__close(struct xf_worker *worker);

#endif
