// SPDX-License-Identifier: GPL-2.0-only
/* Tables: made, mapped, given away; and the entries of chunks. */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "firewall/table/region.h"

#define DEFERRED_MAX 4096 /* entries that wait for a grace period before one is waited for */

int xf_store__refuse(struct xf_store *store, int err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(store->why, sizeof(store->why), format, args);
	va_end(args);
	return err;
}

static void *map_fd(int fd, size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return at == MAP_FAILED ? NULL : at;
}

int xf_store__map(struct xf_store *store)
{
	int cpus = xf_cpu_numbers();

	if (cpus < 0)
		return cpus;
	store->cpus = cpus;
	store->sharing = XF_FW_SHARING;
	store->root = map_fd(store->root_fd, sizeof(*store->root));
	if (!store->root)
		return -errno;
	store->generations =
	    map_fd(store->generations_fd, sizeof(*store->generations) * XF_FW_GENERATIONS);
	return store->generations ? 0 : -errno;
}

void xf_store__unmap(struct xf_store *store)
{
	if (store->root)
		munmap(store->root, sizeof(*store->root));
	if (store->generations)
		munmap(store->generations, sizeof(*store->generations) * XF_FW_GENERATIONS);
}

int xf_store__make_table(size_t entries)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE | BPF_F_INNER_MAP);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "xf_fw_table", sizeof(uint32_t),
				XF_FW_ENTRY_SIZE, entries, &opts);

	return fd < 0 ? -errno : fd;
}

/* The kernel returns from a change of a map of maps only when every program that could have seen
 * the old content has ended. */
int xf_store__grace(struct xf_store *store)
{
	uint32_t slot = XF_FW_SLOT_GRACE;

	if (store->grace_fd < 0)
		store->grace_fd = xf_store__make_table(1);
	if (store->grace_fd < 0)
		return store->grace_fd;
	return bpf_map_update_elem(store->tables_fd, &slot, &store->grace_fd, BPF_ANY) ? -errno : 0;
}

void xf_region__attach(struct xf_region *region, struct xf_store *store, uint32_t number, bool live)
{
	memset(region, 0, sizeof(*region));
	region->store = store;
	region->gen = &store->generations[number];
	region->live = live;
	region->seen = xf_observe(&store->root->tables);
}

static void unmap(struct xf_region *region, uint32_t slot)
{
	if (region->table[slot])
		munmap(region->table[slot], region->entries[slot] * XF_FW_ENTRY_SIZE);
	if (region->table[slot] && !region->live)
		close(region->fd[slot]);
	region->table[slot] = NULL;
	region->entries[slot] = 0;
}

void xf_region__detach(struct xf_region *region)
{
	for (uint32_t slot = 0; slot < XF_FW_REGION_SLOTS; slot++)
		unmap(region, slot);
}

static int map_table(struct xf_region *region, uint32_t slot, int fd, size_t entries)
{
	unmap(region, slot);
	region->table[slot] = map_fd(fd, entries * XF_FW_ENTRY_SIZE);
	if (!region->table[slot])
		return -errno;
	region->entries[slot] = entries;
	return 0;
}

/* Returns 0, also when there is none, or -errno. */
static int map_slot(struct xf_region *region, uint32_t slot)
{
	size_t entries;
	int fd = xf_store__table(region->store, region->gen->slot + slot, &entries), err;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	err = map_table(region, slot, fd, entries);
	close(fd);
	return err;
}

int xf_region__map(struct xf_region *region)
{
	int err = 0;

	if (region->whole || !region->live)
		return 0;
	for (uint32_t slot = 0; slot < XF_FW_REGION_TABLES && !err; slot++)
		if (!region->table[slot])
			err = map_slot(region, slot);
	region->whole = !err;
	return err;
}

void *xf_region__table(struct xf_region *region, uint32_t slot)
{
	if (!region->table[slot] && region->live && !region->whole)
		map_slot(region, slot);
	return region->table[slot];
}

int xf_region__install(struct xf_region *region)
{
	struct xf_slot_change changes[XF_FW_REGION_SLOTS];
	size_t n = 0;

	for (uint32_t slot = 0; slot < XF_FW_REGION_SLOTS; slot++)
		if (region->table[slot])
			changes[n++] =
			    (struct xf_slot_change) { region->gen->slot + slot, region->fd[slot] };
	return xf_store__change_slots(region->store, changes, n);
}

uint64_t xf_region__size(const struct xf_region *region)
{
	uint64_t entries = 0;

	for (uint32_t slot = 0; slot < XF_FW_REGION_SLOTS; slot++)
		entries += region->entries[slot];
	return entries * XF_FW_ENTRY_SIZE;
}

int xf_region__make(struct xf_region *region, uint32_t slot, size_t entries)
{
	int fd = xf_store__make_table(entries), err;
	const struct xf_slot_change change = { region->gen->slot + slot, fd };

	if (fd < 0)
		return fd;
	err = map_table(region, slot, fd, entries);
	if (!region->live) {
		region->fd[slot] = fd;
		if (err)
			close(fd);
		return err;
	}
	if (!err) {
		err = xf_store__change_slot(region->store, &change);
		if (err)
			unmap(region, slot);
	}
	region->seen = ++region->store->root->tables;
	close(fd);
	return err;
}

void xf_region__drop(struct xf_region *region, uint32_t slot)
{
	const struct xf_slot_change change = { region->gen->slot + slot, -1 };

	unmap(region, slot);
	if (!region->live)
		return;
	/* Kernels before 6.8 free a table that leaves its slot at once. */
	if (!xf_store__grace(region->store))
		xf_store__change_slot(region->store, &change);
	region->seen = ++region->store->root->tables;
}

void *xf_region__entry(struct xf_region *region, uint32_t id)
{
	uint32_t chunk = id >> 16, entry = id & 0xffff;
	struct xf_fw_entry *entries;

	if (!id || chunk >= XF_FW_CHUNKS)
		return NULL;
	entries = xf_region__table(region, chunk);
	return entries && entry < xf_chunk_entries(chunk) ? &entries[entry] : NULL;
}

static struct xf_fw_tail *tail(struct xf_region *region, uint32_t id)
{
	struct xf_fw_entry *entry = xf_region__entry(region, id);

	return entry ? (struct xf_fw_tail *)&entry->word[7] : NULL;
}

/* The first entry that was never used. */
static int alloc_fresh(struct xf_region *region, uint32_t *id)
{
	struct xf_fw_writer *writer = &region->gen->writer;
	uint32_t chunk = writer->fresh >> 16;
	int err;

	if ((writer->fresh & 0xffff) == xf_chunk_entries(chunk) || !(writer->fresh & 0xffff)) {
		if (writer->fresh)
			chunk = (writer->fresh - 1) / 65536 + 1;
		if (chunk == XF_FW_CHUNKS)
			return xf_store__refuse(region->store, -E2BIG,
						"no more than %u entries fit into a rule set",
						XF_FW_CHUNKS * XF_FW_CHUNK_ENTRIES);
		err = xf_region__make(
		    region, chunk, xf_chunk_size(chunk, region->store->cpus, region->gen->sharing));
		if (err)
			return err;
		writer->fresh = chunk << 16 | !chunk; /* id 0 is nothing */
	}
	*id = writer->fresh++;
	return 0;
}

int xf_region__alloc(struct xf_region *region, uint32_t *id)
{
	struct xf_fw_writer *writer = &region->gen->writer;
	struct xf_fw_tail *end;
	int err;

	if (!writer->free && writer->deferred_n >= DEFERRED_MAX) {
		err = xf_store__grace(region->store);
		if (err)
			return err;
		writer->free = writer->deferred;
		writer->deferred = 0;
		writer->deferred_n = 0;
		xf_region__free_counters(region);
	}
	if (!writer->free)
		return alloc_fresh(region, id);
	*id = writer->free;
	end = tail(region, *id);
	if (!end)
		return -ENOMEM;
	writer->free = end->link;
	memset(xf_region__entry(region, *id), 0, XF_FW_ENTRY_SIZE);
	return 0;
}

void xf_region__free(struct xf_region *region, uint32_t id)
{
	struct xf_fw_writer *writer = &region->gen->writer;
	uint32_t *list = region->live ? &writer->deferred : &writer->free;
	struct xf_fw_tail *end = tail(region, id), freed;
	uint64_t word;

	if (!end)
		return;
	freed = *end;
	freed.kind |= XF_FW_FREED;
	freed.link = *list;
	memcpy(&word, &freed, sizeof(word));
	/* In one store: no packet may take the link for a counter. */
	xf_publish((uint64_t *)end, word);
	*list = id;
	writer->deferred_n += region->live;
}
