// SPDX-License-Identifier: GPL-2.0-only
/* Runs calls that wait in the kernel by several threads at once. */
#include "lib/parallel.h"

#include <pthread.h>
#include <stdatomic.h>

#define THREADS_MAX 32

struct work {
	int (*fn)(void *arg, size_t i);
	void *arg;
	size_t n;
	atomic_size_t next;
	atomic_int err;
};

static void *work_on(void *arg)
{
	struct work *work = arg;
	size_t i;

	while ((i = atomic_fetch_add(&work->next, 1)) < work->n) {
		int err = work->fn(work->arg, i);

		if (err)
			work->err = err;
	}
	return NULL;
}

int xf_parallel(size_t n, int (*fn)(void *arg, size_t i), void *arg)
{
	struct work work = { .fn = fn, .arg = arg, .n = n };
	pthread_t thread[THREADS_MAX];
	size_t threads = 0;

	/* This thread works too, alone when no thread can be made. */
	while (threads < THREADS_MAX && threads + 1 < n &&
	       !pthread_create(&thread[threads], NULL, work_on, &work))
		threads++;
	work_on(&work);
	while (threads)
		pthread_join(thread[--threads], NULL);
	return work.err;
}
