// SPDX-License-Identifier: GPL-2.0-only
/* Change many slots of a map of maps. */
#include "loader/hook/slots.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#define THREADS_MAX 32
#define SLOTS_PER_THREAD 4 /* a thread is not worth it for less */

/* What one thread does: every stride-th slot from first on. */
struct part {
	pthread_t thread;
	bool started;
	int map_fd;
	const int *fds; /* NULL: empty the slot */
	unsigned int first, n, stride;
	int err;
};

static void *part_run(void *arg)
{
	struct part *part = arg;

	for (__u32 i = part->first; i < part->n; i += part->stride) {
		if (!part->fds)
			bpf_map_delete_elem(part->map_fd, &i); /* ENOENT: empty already */
		else if (bpf_map_update_elem(part->map_fd, &i, &part->fds[i], BPF_ANY))
			part->err = -errno;
	}
	return NULL;
}

/* Fill (or with @fds NULL empty) the first @n slots one by one. Returns 0 or the last error. */
static int run_parts(int map_fd, const int *fds, unsigned int n)
{
	struct part parts[THREADS_MAX] = {};
	unsigned int stride = (n + SLOTS_PER_THREAD - 1) / SLOTS_PER_THREAD;
	int err = 0;

	if (stride > THREADS_MAX)
		stride = THREADS_MAX;
	for (unsigned int i = 0; i < stride; i++) {
		parts[i] = (struct part) {
			.map_fd = map_fd, .fds = fds, .first = i, .n = n, .stride = stride
		};
		/* The first part is ours, and whatever no thread can be had for. */
		parts[i].started =
		    i && !pthread_create(&parts[i].thread, NULL, part_run, &parts[i]);
		if (i && !parts[i].started)
			part_run(&parts[i]);
	}
	if (stride)
		part_run(&parts[0]);
	for (unsigned int i = 0; i < stride; i++) {
		if (parts[i].started)
			pthread_join(parts[i].thread, NULL);
		if (parts[i].err)
			err = parts[i].err;
	}
	return err;
}

int xf_slots_fill(int map_fd, const int *fds, unsigned int n)
{
	__u32 count = n, *keys = calloc(n ? n : 1, sizeof(*keys));
	int err;

	if (!keys)
		return -ENOMEM;
	for (unsigned int i = 0; i < n; i++)
		keys[i] = i;
	/* Kernels before 5.13 have no batches for these maps. */
	err = bpf_map_update_batch(map_fd, keys, fds, &count, NULL);
	free(keys);
	/* Before 6.8 a batch does not wait for running programs; a single change always does. */
	return run_parts(map_fd, fds, err ? n : 1);
}

void xf_slots_empty(int map_fd, unsigned int n)
{
	run_parts(map_fd, NULL, n);
}
