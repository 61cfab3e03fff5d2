// SPDX-License-Identifier: GPL-2.0-only
/* The slots of the map of maps. Each change of it takes one of the kernel's grace periods, some 16
 * ms, and changes by several threads share one. Before 6.8 a look-up from user space took one as
 * well: the ids of the tables are therefore kept beside the map. */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <unistd.h>

#include "firewall/table/region.h"
#include "lib/parallel.h"

struct work {
	struct xf_store *store;
	const struct xf_slot_change *changes;
};

static int put(struct xf_store *store, uint32_t slot, int fd)
{
	uint32_t *id = &store->root->table[slot], before = *id;
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		return -errno;
	xf_publish(id, info.id);
	if (!bpf_map_update_elem(store->tables_fd, &slot, &fd, BPF_ANY))
		return 0;
	xf_publish(id, before);
	return -errno;
}

int xf_store__change_slot(struct xf_store *store, const struct xf_slot_change *change)
{
	if (change->fd >= 0)
		return put(store, change->slot, change->fd);
	if (bpf_map_delete_elem(store->tables_fd, &change->slot) && errno != ENOENT)
		return -errno;
	xf_publish(&store->root->table[change->slot], 0);
	return 0;
}

int xf_store__table(const struct xf_store *store, uint32_t slot, size_t *entries)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info), id = xf_observe(&store->root->table[slot]);
	int fd = id ? bpf_map_get_fd_by_id(id) : -1;

	if (fd < 0)
		return id ? -errno : -ENOENT;
	if (bpf_obj_get_info_by_fd(fd, &info, &size)) {
		close(fd);
		return -EIO;
	}
	*entries = info.max_entries;
	return fd;
}

static int change(void *arg, size_t i)
{
	struct work *work = arg;

	return xf_store__change_slot(work->store, &work->changes[i]);
}

int xf_store__change_slots(struct xf_store *store, const struct xf_slot_change *changes, size_t n)
{
	struct work work = { store, changes };
	int err = xf_parallel(n, change, &work);

	xf_publish(&store->root->tables, store->root->tables + 1);
	return err;
}

int xf_store__clear(struct xf_store *store, uint32_t slot)
{
	struct xf_slot_change changes[XF_FW_REGION_TABLES];
	size_t n = 0;

	for (uint32_t end = slot + XF_FW_REGION_TABLES; slot < end; slot++)
		if (store->root->table[slot])
			changes[n++] = (struct xf_slot_change) { slot, -1 };
	return xf_store__change_slots(store, changes, n);
}
