// SPDX-License-Identifier: GPL-2.0-only
/* A rule set's maps, made and opened; and single changes of it. */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/time.h"
#include "firewall/table/table_impl.h"

static const struct space_of_map {
	const char *name;
	enum bpf_map_type type;
	uint32_t value_size, entries, flags;
} spaces_of_maps[] = {
	{ XF_FW_ROOT_MAP, BPF_MAP_TYPE_ARRAY, sizeof(struct xf_fw_root), 1, BPF_F_MMAPABLE },
	{ XF_FW_SETS_MAP, BPF_MAP_TYPE_ARRAY, sizeof(struct xf_fw_set), XF_FW_SETS,
	  BPF_F_MMAPABLE },
	{ XF_FW_TABLES_MAP, BPF_MAP_TYPE_ARRAY_OF_MAPS, sizeof(uint32_t), XF_FW_SLOTS, 0 },
	{ XF_FW_COUNTS_MAP, BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(struct xf_fw_counts), 1, 0 },
};
#define MAPS (sizeof(spaces_of_maps) / sizeof(spaces_of_maps[0]))

static struct xf_table *alloc_table(void)
{
	struct xf_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	for (size_t i = 0; i < MAPS; i++)
		table->maps[i] = (struct xf_table_map) { spaces_of_maps[i].name, -1 };
	table->store.grace_fd = -1;
	return table;
}

void xf_table__close(struct xf_table *table)
{
	if (!table)
		return;
	xf_region__detach(&table->region);
	xf_store__unmap(&table->store);
	for (size_t i = 0; i < MAPS; i++)
		if (table->maps[i].fd >= 0)
			close(table->maps[i].fd);
	if (table->store.grace_fd >= 0)
		close(table->store.grace_fd);
	free(table);
}

static int map_store(struct xf_table *table)
{
	struct xf_store *store = &table->store;

	store->root_fd = table->maps[0].fd;
	store->sets_fd = table->maps[1].fd;
	store->tables_fd = table->maps[2].fd;
	store->counts_fd = table->maps[3].fd;
	return xf_store__map(store);
}

static int create_maps(struct xf_table *table)
{
	int inner;

	for (size_t i = 0; i < MAPS; i++) {
		const struct space_of_map *map = &spaces_of_maps[i];
		LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = map->flags);

		if (map->type == BPF_MAP_TYPE_ARRAY_OF_MAPS) {
			inner = xf_store__make_table(1);
			if (inner < 0)
				return inner;
			opts.inner_map_fd = inner;
			table->store.grace_fd = inner;
		}
		table->maps[i].fd = bpf_map_create(map->type, map->name, sizeof(uint32_t),
						   map->value_size, map->entries, &opts);
		if (table->maps[i].fd < 0)
			return -errno;
	}
	return 0;
}

int xf_table__create(struct xf_table **out, bool deny)
{
	struct xf_table *table = alloc_table();
	struct xf_region region;
	int err;

	if (!table)
		return -ENOMEM;
	err = create_maps(table);
	if (!err)
		err = map_store(table);
	if (!err) {
		/* Set 0 holds, which is all zero and has no tables. */
		table->store.root->magic = XF_FW_ABI_MAGIC;
		table->store.root->version = XF_FW_ABI_VERSION;
		table->store.root->state = XF_FW_STATE(0, XF_FW_NO_SET, 0);
		err = xf_table__new_set(table, deny, 0, &region);
	}
	if (!err)
		err = xf_table__switch(table, &region);
	if (err) {
		xf_table__close(table);
		return err;
	}
	*out = table;
	return 0;
}

static int take_map(struct xf_table_map *to, const struct space_of_map *want,
		    const struct xf_table_map *maps, size_t count)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);

	for (size_t i = 0; i < count; i++) {
		if (strcmp(maps[i].name, want->name))
			continue;
		to->fd = fcntl(maps[i].fd, F_DUPFD_CLOEXEC, 0);
		if (to->fd < 0 || bpf_obj_get_info_by_fd(to->fd, &info, &size))
			return -errno;
		return info.type == want->type && info.value_size == want->value_size &&
			       info.max_entries == want->entries
			   ? 0
			   : -EPROTO;
	}
	return -EPROTO;
}

static bool known_root(const struct xf_fw_root *root)
{
	uint32_t fallback = XF_FW_STATE_FALLBACK(root->state);

	return root->magic == XF_FW_ABI_MAGIC && root->version == XF_FW_ABI_VERSION &&
	       XF_FW_STATE_SET(root->state) < XF_FW_SETS &&
	       (fallback < XF_FW_SETS || fallback == XF_FW_NO_SET);
}

int xf_table__open(struct xf_table **out, const struct xf_table_map *maps, size_t count)
{
	struct xf_table *table = alloc_table();
	int err = 0;

	if (!table)
		return -ENOMEM;
	for (size_t i = 0; i < MAPS && !err; i++)
		err = take_map(&table->maps[i], &spaces_of_maps[i], maps, count);
	if (!err)
		err = map_store(table);
	if (!err && !known_root(table->store.root))
		err = -EPROTO;
	if (err) {
		xf_table__close(table);
		return err;
	}
	table->number = XF_FW_NO_SET;
	xf_table__refresh(table, xf_now_ns(CLOCK_BOOTTIME));
	*out = table;
	return 0;
}

size_t xf_table__maps(const struct xf_table *table, const struct xf_table_map **maps)
{
	*maps = table->maps;
	return MAPS;
}

const char *xf_table__why(const struct xf_table *table)
{
	return table->store.why;
}

int xf_table__add(struct xf_table *table, const struct xf_rule *rule, uint64_t now)
{
	int err = xf_table__begin(table, now);

	if (err)
		return err;
	err = xf_set__add(&table->region, rule, now);
	/* Two keys with one hash: with other seeds they have two. */
	for (int i = 0; err == -EAGAIN && i < XF_SEED_TRIES; i++) {
		err = xf_table__rebuild(table, now);
		if (!err)
			err = xf_set__add(&table->region, rule, now);
	}
	xf_table__end(table);
	return err;
}

int xf_table__del(struct xf_table *table, const struct xf_rule *rule, uint64_t now)
{
	int err = xf_table__begin(table, now);

	if (err)
		return err;
	err = xf_set__del(&table->region, rule, now);
	xf_table__end(table);
	return err;
}

size_t xf_table__expire(struct xf_table *table, uint64_t now)
{
	size_t n;

	if (xf_table__begin(table, now))
		return 0;
	n = xf_set__expire(&table->region, now, table->region.set->writer.fresh);
	xf_table__end(table);
	return n;
}

bool xf_table__denies(const struct xf_table *table)
{
	return table->region.set->deny;
}

int xf_table__set_policy(struct xf_table *table, bool deny)
{
	int err = xf_table__settle(table, xf_now_ns(CLOCK_BOOTTIME));

	if (!err)
		xf_publish(&table->region.set->deny, deny);
	return err;
}
