// SPDX-License-Identifier: GPL-2.0-only
/* The layout of a directory in its table. Where a packet may be reading, a change is one store, or
 * a new copy elsewhere in the table: entries that are left behind are given up when the table is
 * full and its contents move to another one. */
#include <string.h>

#include "firewall/table/blocks.h"

#define LEAVES XF_FW_DIR_BLOCK_LEAVES
#define BLOCKS (XF_FW_DIR_LEAVES / LEAVES)
#define ROOT_ENTRIES (BLOCKS * sizeof(uint32_t) / XF_FW_ENTRY_SIZE)
#define PAGE_ENTRIES (LEAVES * sizeof(uint32_t) / XF_FW_ENTRY_SIZE)
#define SPARE_ENTRIES 16384

/* The table, or NULL. */
static struct xf_fw_entry *table_of(struct xf_region *region, enum xf_fw_dir dir)
{
	uint32_t slot = region->gen->dir[dir];

	return slot ? xf_region__table(region, slot - region->gen->slot) : NULL;
}

bool xf_blocks__have(struct xf_region *region, enum xf_fw_dir dir)
{
	return table_of(region, dir);
}

static uint32_t *root_of(struct xf_fw_entry *table)
{
	return (uint32_t *)table;
}

static size_t size_of(uint32_t root)
{
	return root >> 24 == XF_FW_DIR_PAGE ? PAGE_ENTRIES : root >> 24 == XF_FW_DIR_RANGES;
}

/* The leaves of a block. */
static void decode(struct xf_fw_entry *table, uint32_t root, uint32_t leaves[LEAVES])
{
	struct xf_fw_entry *entry = &table[root & XF_FW_ID_MASK];
	const struct xf_fw_ranges *ranges = (const struct xf_fw_ranges *)entry;
	unsigned int range = 0;

	switch (root >> 24) {
	case XF_FW_DIR_PAGE:
		memcpy(leaves, entry, LEAVES * sizeof(*leaves));
		break;
	case XF_FW_DIR_RANGES:
		for (unsigned int i = 0; i < LEAVES; i++) {
			while (range < XF_FW_DIR_STARTS && ranges->start[range] == i)
				range++;
			leaves[i] = ranges->leaf[range];
		}
		break;
	default:
		for (unsigned int i = 0; i < LEAVES; i++)
			leaves[i] = root;
	}
}

/* The most compact kind for these leaves; as ranges they are in *ranges. */
static uint32_t encode(const uint32_t leaves[LEAVES], struct xf_fw_ranges *ranges)
{
	unsigned int n = 0;

	memset(ranges, 0, sizeof(*ranges));
	memset(ranges->start, XF_FW_DIR_NO_START, sizeof(ranges->start));
	ranges->leaf[0] = leaves[0];
	for (unsigned int i = 1; i < LEAVES; i++) {
		if (leaves[i] == leaves[i - 1])
			continue;
		if (n == XF_FW_DIR_STARTS)
			return XF_FW_DIR_PAGE;
		ranges->start[n++] = i;
		ranges->leaf[n] = leaves[i];
	}
	return n || leaves[0] >> 24 ? XF_FW_DIR_RANGES : XF_FW_DIR_WHOLE;
}

static void store_each(uint32_t *to, const uint32_t *from, size_t n)
{
	for (; n--; to++, from++)
		if (*to != *from)
			xf_publish(to, *from);
}

/* Change the block where it is, if each packet then sees the old leaves or the new ones. Returns
 * false if not. */
static bool store_in_place(struct xf_region *region, struct xf_fw_entry *entry, uint32_t kind,
			   const uint32_t leaves[LEAVES], const struct xf_fw_ranges *ranges)
{
	struct xf_fw_ranges *old = (struct xf_fw_ranges *)entry;

	if (kind == XF_FW_DIR_PAGE) {
		store_each((uint32_t *)entry, leaves, LEAVES);
		return true;
	}
	if (!memcmp(old->start, ranges->start, sizeof(old->start))) {
		store_each(old->leaf, ranges->leaf, XF_FW_DIR_STARTS + 1);
		return true;
	}
	if (!region->live)
		*old = *ranges;
	return !region->live;
}

/* Write leaves behind the entries in use. Returns their word of the root. */
static uint32_t append(struct xf_fw_entry *table, uint32_t *fresh, uint32_t kind,
		       const uint32_t leaves[LEAVES], const struct xf_fw_ranges *ranges)
{
	uint32_t at = *fresh;

	if (kind == XF_FW_DIR_WHOLE)
		return leaves[0];
	if (kind == XF_FW_DIR_PAGE)
		memcpy(&table[at], leaves, LEAVES * sizeof(*leaves));
	else
		memcpy(&table[at], ranges, sizeof(*ranges));
	*fresh += size_of(kind << 24);
	return kind << 24 | at;
}

/* Drop the directory; look-ups go on without one. */
static void give_up(struct xf_region *region, enum xf_fw_dir dir)
{
	uint32_t slot = region->gen->dir[dir] - region->gen->slot;

	xf_publish(&region->gen->dir[dir], 0);
	xf_region__drop(region, slot);
}

/* Copy the entries in use to a table with room for as many again. */
static int grow(struct xf_region *region, enum xf_fw_dir dir)
{
	struct xf_fw_entry *from = table_of(region, dir), *to;
	uint32_t old = region->gen->dir[dir] - region->gen->slot;
	uint32_t slot = 2 * (XF_FW_SLOT_DIR + 2 * dir) + 1 - old, fresh = ROOT_ENTRIES;
	size_t used = 0;
	int err;

	for (uint32_t i = 0; i < BLOCKS; i++)
		used += size_of(root_of(from)[i]);
	err = xf_region__make(region, slot, ROOT_ENTRIES + 2 * used + SPARE_ENTRIES);
	if (err)
		return err;
	to = xf_region__table(region, slot);
	for (uint32_t i = 0; i < BLOCKS; i++) {
		uint32_t root = root_of(from)[i], size = size_of(root);

		memcpy(&to[fresh], &from[root & XF_FW_ID_MASK], size * XF_FW_ENTRY_SIZE);
		root_of(to)[i] = size ? (root & ~XF_FW_ID_MASK) | fresh : root;
		fresh += size;
	}
	region->gen->writer.dir_fresh[dir] = fresh;
	xf_publish(&region->gen->dir[dir], region->gen->slot + slot);
	xf_region__drop(region, old);
	return 0;
}

bool xf_blocks__get(struct xf_region *region, enum xf_fw_dir dir, uint32_t block,
		    uint32_t leaves[LEAVES])
{
	struct xf_fw_entry *table = table_of(region, dir);

	if (table)
		decode(table, root_of(table)[block], leaves);
	return table;
}

static bool full(struct xf_region *region, enum xf_fw_dir dir)
{
	uint32_t slot = region->gen->dir[dir] - region->gen->slot;

	return region->gen->writer.dir_fresh[dir] + PAGE_ENTRIES > region->entries[slot];
}

void xf_blocks__put(struct xf_region *region, enum xf_fw_dir dir, uint32_t block,
		    const uint32_t leaves[LEAVES])
{
	struct xf_fw_entry *table = table_of(region, dir);
	uint32_t root = root_of(table)[block];
	struct xf_fw_ranges ranges;
	uint32_t kind = encode(leaves, &ranges);

	if (kind && kind == root >> 24 &&
	    store_in_place(region, &table[root & XF_FW_ID_MASK], kind, leaves, &ranges))
		return;
	if (full(region, dir) && grow(region, dir)) {
		give_up(region, dir);
		return;
	}
	table = table_of(region, dir);
	xf_publish(&root_of(table)[block],
		   append(table, &region->gen->writer.dir_fresh[dir], kind, leaves, &ranges));
}

static size_t entries_for(const uint32_t *leaf)
{
	struct xf_fw_ranges ranges;
	size_t entries = 0;

	for (uint32_t i = 0; i < BLOCKS; i++, leaf += LEAVES)
		entries += size_of(encode(leaf, &ranges) << 24);
	return entries;
}

void xf_blocks__make(struct xf_region *region, enum xf_fw_dir dir, const uint32_t *leaf)
{
	uint32_t slot = XF_FW_SLOT_DIR + 2 * dir, fresh = ROOT_ENTRIES;
	struct xf_fw_ranges ranges;
	struct xf_fw_entry *table;

	if (xf_region__make(region, slot, ROOT_ENTRIES + 2 * entries_for(leaf) + SPARE_ENTRIES))
		return;
	table = xf_region__table(region, slot);
	for (uint32_t i = 0; i < BLOCKS; i++, leaf += LEAVES)
		root_of(table)[i] = append(table, &fresh, encode(leaf, &ranges), leaf, &ranges);
	region->gen->writer.dir_fresh[dir] = fresh;
	xf_publish(&region->gen->dir[dir], region->gen->slot + slot);
}
