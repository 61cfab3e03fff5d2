// SPDX-License-Identifier: GPL-2.0-only
/* How a directory lies in its table. What a packet may be reading is changed by one store, or
 * written anew elsewhere: lines that are left behind are given up when the table is full and its
 * contents move to another one. */
#include <string.h>

#include "firewall/table/blocks.h"

#define ENTRIES XF_FW_DIR_BLOCK_ENTRIES
#define BLOCKS (XF_FW_DIR_ENTRIES / ENTRIES)
#define ROOT_LINES (BLOCKS * sizeof(uint32_t) / XF_FW_LINE)
#define PAGE_LINES (ENTRIES * sizeof(uint32_t) / XF_FW_LINE)
#define SPARE_LINES 16384

/* The table, or NULL. */
static struct xf_fw_line *lines_of(struct xf_region *region, enum xf_fw_dir dir)
{
	uint32_t slot = region->set->dir[dir];

	return slot ? xf_region__table(region, slot - region->set->slot) : NULL;
}

bool xf_blocks__have(struct xf_region *region, enum xf_fw_dir dir)
{
	return lines_of(region, dir);
}

static uint32_t *root_of(struct xf_fw_line *lines)
{
	return (uint32_t *)lines;
}

static size_t size_of(uint32_t root)
{
	return root >> 24 == XF_FW_DIR_PAGE ? PAGE_LINES : root >> 24 == XF_FW_DIR_RANGES;
}

/* What the entries of a block are. */
static void decode(struct xf_fw_line *lines, uint32_t root, uint32_t entries[ENTRIES])
{
	struct xf_fw_line *line = &lines[root & XF_FW_ID_MASK];
	const struct xf_fw_ranges *ranges = (const struct xf_fw_ranges *)line;
	unsigned int range = 0;

	switch (root >> 24) {
	case XF_FW_DIR_PAGE:
		memcpy(entries, line, ENTRIES * sizeof(*entries));
		break;
	case XF_FW_DIR_RANGES:
		for (unsigned int i = 0; i < ENTRIES; i++) {
			while (range < XF_FW_DIR_STARTS && ranges->start[range] == i)
				range++;
			entries[i] = ranges->entry[range];
		}
		break;
	default:
		for (unsigned int i = 0; i < ENTRIES; i++)
			entries[i] = root;
	}
}

/* How these entries can be written: as ranges if there are few, in *ranges. */
static uint32_t encode(const uint32_t entries[ENTRIES], struct xf_fw_ranges *ranges)
{
	unsigned int n = 0;

	memset(ranges, 0, sizeof(*ranges));
	memset(ranges->start, XF_FW_DIR_NO_START, sizeof(ranges->start));
	ranges->entry[0] = entries[0];
	for (unsigned int i = 1; i < ENTRIES; i++) {
		if (entries[i] == entries[i - 1])
			continue;
		if (n == XF_FW_DIR_STARTS)
			return XF_FW_DIR_PAGE;
		ranges->start[n++] = i;
		ranges->entry[n] = entries[i];
	}
	return n || entries[0] >> 24 ? XF_FW_DIR_RANGES : XF_FW_DIR_WHOLE;
}

static void store_each(uint32_t *to, const uint32_t *from, size_t n)
{
	for (; n--; to++, from++)
		if (*to != *from)
			xf_publish(to, *from);
}

/* Change what is there, where packets may watch. Returns false where they may not. */
static bool store_in_place(struct xf_region *region, struct xf_fw_line *line, uint32_t kind,
			   const uint32_t entries[ENTRIES], const struct xf_fw_ranges *ranges)
{
	struct xf_fw_ranges *old = (struct xf_fw_ranges *)line;

	if (kind == XF_FW_DIR_PAGE) {
		store_each((uint32_t *)line, entries, ENTRIES);
		return true;
	}
	if (!memcmp(old->start, ranges->start, sizeof(old->start))) {
		store_each(old->entry, ranges->entry, XF_FW_DIR_STARTS + 1);
		return true;
	}
	if (!region->live)
		*old = *ranges;
	return !region->live;
}

/* Write entries behind what is there. Returns what the root says of them. */
static uint32_t append(struct xf_fw_line *lines, uint32_t *fresh, uint32_t kind,
		       const uint32_t entries[ENTRIES], const struct xf_fw_ranges *ranges)
{
	uint32_t at = *fresh;

	if (kind == XF_FW_DIR_WHOLE)
		return entries[0];
	if (kind == XF_FW_DIR_PAGE)
		memcpy(&lines[at], entries, ENTRIES * sizeof(*entries));
	else
		memcpy(&lines[at], ranges, sizeof(*ranges));
	*fresh += size_of(kind << 24);
	return kind << 24 | at;
}

/* Look-ups go on without. */
static void give_up(struct xf_region *region, enum xf_fw_dir dir)
{
	uint32_t slot = region->set->dir[dir] - region->set->slot;

	xf_publish(&region->set->dir[dir], 0);
	xf_region__drop(region, slot);
}

/* Copy what is in use to a table with room for as much again. */
static int grow(struct xf_region *region, enum xf_fw_dir dir)
{
	struct xf_fw_line *from = lines_of(region, dir), *to;
	uint32_t old = region->set->dir[dir] - region->set->slot;
	uint32_t slot = 2 * (XF_FW_SLOT_DIR + 2 * dir) + 1 - old, fresh = ROOT_LINES;
	size_t used = 0;
	int err;

	for (uint32_t i = 0; i < BLOCKS; i++)
		used += size_of(root_of(from)[i]);
	err = xf_region__make(region, slot, ROOT_LINES + 2 * used + SPARE_LINES);
	if (err)
		return err;
	to = xf_region__table(region, slot);
	for (uint32_t i = 0; i < BLOCKS; i++) {
		uint32_t root = root_of(from)[i], size = size_of(root);

		memcpy(&to[fresh], &from[root & XF_FW_ID_MASK], size * XF_FW_LINE);
		root_of(to)[i] = size ? (root & ~XF_FW_ID_MASK) | fresh : root;
		fresh += size;
	}
	region->set->keep.dir_fresh[dir] = fresh;
	xf_publish(&region->set->dir[dir], region->set->slot + slot);
	xf_region__drop(region, old);
	return 0;
}

bool xf_blocks__get(struct xf_region *region, enum xf_fw_dir dir, uint32_t block,
		    uint32_t entries[ENTRIES])
{
	struct xf_fw_line *lines = lines_of(region, dir);

	if (lines)
		decode(lines, root_of(lines)[block], entries);
	return lines;
}

static bool full(struct xf_region *region, enum xf_fw_dir dir)
{
	uint32_t slot = region->set->dir[dir] - region->set->slot;

	return region->set->keep.dir_fresh[dir] + PAGE_LINES > region->lines[slot];
}

void xf_blocks__put(struct xf_region *region, enum xf_fw_dir dir, uint32_t block,
		    const uint32_t entries[ENTRIES])
{
	struct xf_fw_line *lines = lines_of(region, dir);
	uint32_t root = root_of(lines)[block];
	struct xf_fw_ranges ranges;
	uint32_t kind = encode(entries, &ranges);

	if (kind && kind == root >> 24 &&
	    store_in_place(region, &lines[root & XF_FW_ID_MASK], kind, entries, &ranges))
		return;
	if (full(region, dir) && grow(region, dir)) {
		give_up(region, dir);
		return;
	}
	lines = lines_of(region, dir);
	xf_publish(&root_of(lines)[block],
		   append(lines, &region->set->keep.dir_fresh[dir], kind, entries, &ranges));
}

static size_t lines_for(const uint32_t *entry)
{
	struct xf_fw_ranges ranges;
	size_t lines = 0;

	for (uint32_t i = 0; i < BLOCKS; i++, entry += ENTRIES)
		lines += size_of(encode(entry, &ranges) << 24);
	return lines;
}

void xf_blocks__make(struct xf_region *region, enum xf_fw_dir dir, const uint32_t *entry)
{
	uint32_t slot = XF_FW_SLOT_DIR + 2 * dir, fresh = ROOT_LINES;
	struct xf_fw_ranges ranges;
	struct xf_fw_line *lines;

	if (xf_region__make(region, slot, ROOT_LINES + 2 * lines_for(entry) + SPARE_LINES))
		return;
	lines = xf_region__table(region, slot);
	for (uint32_t i = 0; i < BLOCKS; i++, entry += ENTRIES)
		root_of(lines)[i] = append(lines, &fresh, encode(entry, &ranges), entry, &ranges);
	region->set->keep.dir_fresh[dir] = fresh;
	xf_publish(&region->set->dir[dir], region->set->slot + slot);
}
