// SPDX-License-Identifier: GPL-2.0-only
/* Many slots at once. Each change of a map of maps takes one of the kernel's grace periods, some 16
 * ms, and those of threads are the same ones. */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <stdatomic.h>

#include "firewall/region.h"

#define THREADS 32

struct work {
	const struct xf_store *store;
	const struct xf_slot_change *changes;
	size_t n;
	atomic_size_t next;
	atomic_int err;
};

static int change(const struct xf_store *store, const struct xf_slot_change *change)
{
	if (change->fd >= 0)
		return bpf_map_update_elem(store->tables_fd, &change->slot, &change->fd, BPF_ANY)
			   ? -errno
			   : 0;
	if (bpf_map_delete_elem(store->tables_fd, &change->slot) && errno != ENOENT)
		return -errno;
	return 0;
}

static void *work_on(void *arg)
{
	struct work *work = arg;
	size_t i;

	while ((i = atomic_fetch_add(&work->next, 1)) < work->n) {
		int err = change(work->store, &work->changes[i]);

		if (err)
			work->err = err;
	}
	return NULL;
}

int xf_store__change_slots(struct xf_store *store, const struct xf_slot_change *changes, size_t n)
{
	struct work work = { .store = store, .changes = changes, .n = n };
	pthread_t thread[THREADS];
	size_t threads = 0;

	/* This thread works too, and alone when there can be no others. */
	while (threads < THREADS && threads + 1 < n &&
	       !pthread_create(&thread[threads], NULL, work_on, &work))
		threads++;
	work_on(&work);
	while (threads)
		pthread_join(thread[--threads], NULL);
	store->root->tables++;
	return work.err;
}

int xf_store__clear(struct xf_store *store, uint32_t slot)
{
	struct xf_slot_change changes[XF_FW_REGION_SLOTS];
	size_t n = 0;
	uint32_t id;

	for (uint32_t end = slot + XF_FW_REGION_SLOTS - 1; slot < end; slot++)
		if (!bpf_map_lookup_elem(store->tables_fd, &slot, &id))
			changes[n++] = (struct xf_slot_change) { slot, -1 };
	return xf_store__change_slots(store, changes, n);
}
