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
#include "firewall/table/ruleset_impl.h"

static const struct space_of_map {
	const char *name;
	enum bpf_map_type type;
	uint32_t value_size, entries, flags;
} spaces_of_maps[] = {
	{ XF_FW_ROOT_MAP, BPF_MAP_TYPE_ARRAY, sizeof(struct xf_fw_root), 1, BPF_F_MMAPABLE },
	{ XF_FW_GENERATIONS_MAP, BPF_MAP_TYPE_ARRAY, sizeof(struct xf_fw_generation),
	  XF_FW_GENERATIONS, BPF_F_MMAPABLE },
	{ XF_FW_TABLES_MAP, BPF_MAP_TYPE_ARRAY_OF_MAPS, sizeof(uint32_t), XF_FW_SLOTS, 0 },
	{ XF_FW_COUNTS_MAP, BPF_MAP_TYPE_PERCPU_ARRAY, sizeof(struct xf_fw_counts), 1, 0 },
};
#define MAPS (sizeof(spaces_of_maps) / sizeof(spaces_of_maps[0]))

static struct xf_ruleset *alloc_table(void)
{
	struct xf_ruleset *ruleset = calloc(1, sizeof(*ruleset));

	if (!ruleset)
		return NULL;
	for (size_t i = 0; i < MAPS; i++)
		ruleset->maps[i] = (struct xf_ruleset_map) { spaces_of_maps[i].name, -1 };
	ruleset->store.grace_fd = -1;
	return ruleset;
}

void xf_ruleset__close(struct xf_ruleset *ruleset)
{
	if (!ruleset)
		return;
	xf_region__detach(&ruleset->region);
	xf_store__unmap(&ruleset->store);
	for (size_t i = 0; i < MAPS; i++)
		if (ruleset->maps[i].fd >= 0)
			close(ruleset->maps[i].fd);
	if (ruleset->store.grace_fd >= 0)
		close(ruleset->store.grace_fd);
	free(ruleset);
}

static int map_store(struct xf_ruleset *ruleset)
{
	struct xf_store *store = &ruleset->store;

	store->root_fd = ruleset->maps[0].fd;
	store->generations_fd = ruleset->maps[1].fd;
	store->tables_fd = ruleset->maps[2].fd;
	store->counts_fd = ruleset->maps[3].fd;
	return xf_store__map(store);
}

static int create_maps(struct xf_ruleset *ruleset)
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
			ruleset->store.grace_fd = inner;
		}
		ruleset->maps[i].fd = bpf_map_create(map->type, map->name, sizeof(uint32_t),
						     map->value_size, map->entries, &opts);
		if (ruleset->maps[i].fd < 0)
			return -errno;
	}
	return 0;
}

int xf_ruleset__create(struct xf_ruleset **out, bool deny)
{
	struct xf_ruleset *ruleset = alloc_table();
	struct xf_region region;
	int err;

	if (!ruleset)
		return -ENOMEM;
	err = create_maps(ruleset);
	if (!err)
		err = map_store(ruleset);
	if (!err) {
		/* Set 0 holds, which is all zero and has no tables. */
		ruleset->store.root->magic = XF_FW_ABI_MAGIC;
		ruleset->store.root->version = XF_FW_ABI_VERSION;
		ruleset->store.root->state = XF_FW_STATE(0, XF_FW_NO_GENERATION, 0);
		err = xf_ruleset__new_generation(ruleset, deny, 0, &region);
	}
	if (!err)
		err = xf_ruleset__switch(ruleset, &region);
	if (err) {
		xf_ruleset__close(ruleset);
		return err;
	}
	*out = ruleset;
	return 0;
}

static int take_map(struct xf_ruleset_map *to, const struct space_of_map *want,
		    const struct xf_ruleset_map *maps, size_t count)
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
	       XF_FW_STATE_GENERATION(root->state) < XF_FW_GENERATIONS &&
	       (fallback < XF_FW_GENERATIONS || fallback == XF_FW_NO_GENERATION);
}

int xf_ruleset__open(struct xf_ruleset **out, const struct xf_ruleset_map *maps, size_t count)
{
	struct xf_ruleset *ruleset = alloc_table();
	int err = 0;

	if (!ruleset)
		return -ENOMEM;
	for (size_t i = 0; i < MAPS && !err; i++)
		err = take_map(&ruleset->maps[i], &spaces_of_maps[i], maps, count);
	if (!err)
		err = map_store(ruleset);
	if (!err && !known_root(ruleset->store.root))
		err = -EPROTO;
	if (err) {
		xf_ruleset__close(ruleset);
		return err;
	}
	ruleset->number = XF_FW_NO_GENERATION;
	xf_ruleset__refresh(ruleset, xf_now_ns(CLOCK_BOOTTIME));
	*out = ruleset;
	return 0;
}

size_t xf_ruleset__maps(const struct xf_ruleset *ruleset, const struct xf_ruleset_map **maps)
{
	*maps = ruleset->maps;
	return MAPS;
}

const char *xf_ruleset__why(const struct xf_ruleset *ruleset)
{
	return ruleset->store.why;
}

int xf_ruleset__add(struct xf_ruleset *ruleset, const struct xf_rule *rule, uint64_t now)
{
	int err = xf_ruleset__begin(ruleset, now);

	if (err)
		return err;
	err = xf_generation__add(&ruleset->region, rule, now);
	/* Two keys with one hash: with other seeds they have two. */
	for (int i = 0; err == -EAGAIN && i < XF_SEED_TRIES; i++) {
		err = xf_ruleset__rebuild(ruleset, now);
		if (!err)
			err = xf_generation__add(&ruleset->region, rule, now);
	}
	xf_ruleset__end(ruleset);
	return err;
}

int xf_ruleset__del(struct xf_ruleset *ruleset, const struct xf_rule *rule, uint64_t now)
{
	int err = xf_ruleset__begin(ruleset, now);

	if (err)
		return err;
	err = xf_generation__del(&ruleset->region, rule, now);
	xf_ruleset__end(ruleset);
	return err;
}

size_t xf_ruleset__expire(struct xf_ruleset *ruleset, uint64_t now)
{
	size_t n;

	if (xf_ruleset__begin(ruleset, now))
		return 0;
	n = xf_generation__expire(&ruleset->region, now, ruleset->region.gen->writer.fresh);
	xf_ruleset__end(ruleset);
	return n;
}

bool xf_ruleset__denies(const struct xf_ruleset *ruleset)
{
	return ruleset->region.gen->deny;
}

int xf_ruleset__set_policy(struct xf_ruleset *ruleset, bool deny)
{
	int err = xf_ruleset__settle(ruleset, xf_now_ns(CLOCK_BOOTTIME));

	if (!err)
		xf_publish(&ruleset->region.gen->deny, deny);
	return err;
}
