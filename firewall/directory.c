// SPDX-License-Identifier: GPL-2.0-only
/* For each /24 the longest prefix that covers it and the lengths of those inside it. While entries
 * are changed one by one, packets that meet a rule which does not hold look at all lengths. */
#include <stdlib.h>

#include "firewall/directory.h"
#include "firewall/rule.h"

#define MANY 8192 /* prefixes that are worth 64 MiB */
#define SHORTEST XF_FW_DIR_SHORTEST
#define DIR_LINES (XF_FW_DIR_ENTRIES * sizeof(uint32_t) / XF_FW_LINE)

static uint32_t *entries(struct xf_region *region, enum xf_fw_dir dir)
{
	return region->set->dir[dir] ? xf_region__table(region, XF_FW_SLOT_DIR + dir) : NULL;
}

static unsigned int length_of(struct xf_region *region, enum xf_fw_dir dir, uint32_t id)
{
	const struct xf_fw_rule *rule = xf_region__line(region, id);

	if (!rule)
		return 0;
	return rule->rank >> (dir == XF_FW_DST ? XF_FW_RANK_DST : XF_FW_RANK_SRC) & 0xff;
}

static uint32_t inside_bit(unsigned int length)
{
	return 1u << (24 + 32 - length);
}

static uint32_t first_of(uint32_t addr, unsigned int length)
{
	return length >= 24 ? addr >> 8 : (addr & ~(~0u >> length)) >> 8;
}

/* The entries of a prefix of /24 or shorter. */
static uint32_t count_of(unsigned int length)
{
	return 1u << (24 - length);
}

/* Cover them with id wherever nothing longer does. */
static void cover(struct xf_region *region, enum xf_fw_dir dir, uint32_t *entry, uint32_t addr,
		  unsigned int length, uint32_t id)
{
	uint32_t known = 0, known_length = 0;

	entry += first_of(addr, length);
	for (uint32_t n = count_of(length); n--; entry++) {
		uint32_t old = *entry & XF_FW_ID_MASK;

		if (old && old != known) {
			known = old;
			known_length = length_of(region, dir, old);
		}
		if (!old || known_length <= length)
			xf_publish(entry, (*entry & ~XF_FW_ID_MASK) | id);
	}
}

static void swap(uint32_t *entry, uint32_t addr, unsigned int length, uint32_t old, uint32_t id)
{
	entry += first_of(addr, length);
	for (uint32_t n = count_of(length); n--; entry++)
		if ((*entry & XF_FW_ID_MASK) == old)
			xf_publish(entry, (*entry & ~XF_FW_ID_MASK) | id);
}

static void enter(struct xf_region *region, enum xf_fw_dir dir, uint32_t *entry, uint32_t addr,
		  unsigned int length, uint32_t id)
{
	if (length > 24)
		xf_publish(&entry[addr >> 8], entry[addr >> 8] | inside_bit(length));
	else if (length >= SHORTEST)
		cover(region, dir, entry, addr, length, id);
}

/* A prefix and the id of its rule, for sorting. */
struct leaf {
	uint32_t addr, id;
	unsigned int length;
};

static int by_length(const void *a, const void *b)
{
	return (int)((const struct leaf *)a)->length - (int)((const struct leaf *)b)->length;
}

static size_t collect(struct xf_region *region, enum xf_fw_dir dir, struct leaf *leaves, size_t max)
{
	uint8_t has = dir == XF_FW_DST ? XF_RULE_DST : XF_RULE_SRC;
	size_t n = 0;

	for (uint32_t id = 1; id < region->set->keep.fresh && n < max; id++) {
		struct xf_fw_rule *rule = xf_region__line(region, id);

		if (!rule) {
			id |= 0xffff; /* on to the next chunk */
			continue;
		}
		if (rule->tail.kind != XF_FW_PREFIX4 || rule->tail.detail[0] != has)
			continue;
		leaves[n].addr = rule->addr[0];
		leaves[n].length = length_of(region, dir, id);
		leaves[n++].id = id;
	}
	return n;
}

/* Of two rules of a prefix the one that is in the index. */
static uint32_t head_of(struct xf_region *region, enum xf_fw_dir dir, const struct leaf *leaf)
{
	uint64_t b = 1ull << (32 - leaf->length);

	return xf_index__find(region, xf_index_key4(region->set, dir, leaf->addr, b));
}

/* Shorter ones first, so that nothing has to be looked at before it is covered. */
static void fill(struct xf_region *region, enum xf_fw_dir dir, uint32_t *entry,
		 const struct leaf *leaves, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct leaf *leaf = &leaves[i];
		uint32_t id = head_of(region, dir, leaf),
			 *at = entry + first_of(leaf->addr, leaf->length);

		if (leaf->length > 24)
			*at |= inside_bit(leaf->length);
		else if (leaf->length >= SHORTEST)
			for (uint32_t left = count_of(leaf->length); left--; at++)
				*at = id;
	}
}

static void make(struct xf_region *region, enum xf_fw_dir dir)
{
	size_t max = 2 * region->set->keep.count4[dir], n;
	struct leaf *leaves = malloc(max * sizeof(*leaves));

	if (!leaves)
		return;
	if (!xf_region__make(region, XF_FW_SLOT_DIR + dir, DIR_LINES)) {
		n = collect(region, dir, leaves, max);
		qsort(leaves, n, sizeof(*leaves), by_length);
		fill(region, dir, xf_region__table(region, XF_FW_SLOT_DIR + dir), leaves, n);
		xf_publish(&region->set->dir[dir], region->set->slot + XF_FW_SLOT_DIR + dir);
	}
	free(leaves);
}

void xf_directory__insert(struct xf_region *region, enum xf_fw_dir dir, uint32_t addr,
			  unsigned int length, uint32_t id)
{
	uint32_t *entry = entries(region, dir);

	if (entry)
		enter(region, dir, entry, addr, length, id);
	else if (region->set->keep.count4[dir] >= MANY)
		make(region, dir);
}

void xf_directory__replace(struct xf_region *region, enum xf_fw_dir dir, uint32_t addr,
			   unsigned int length, uint32_t old, uint32_t id)
{
	uint32_t *entry = entries(region, dir);

	if (entry && length <= 24 && length >= SHORTEST)
		swap(entry, addr, length, old, id);
}

/* The first rule of the longest prefix that covers this one and that the directory knows, or 0. */
static uint32_t parent_of(struct xf_region *region, enum xf_fw_dir dir, uint32_t addr,
			  unsigned int length)
{
	uint64_t shorter =
	    region->set->lengths4[dir] & ~0ull << (33 - length) & ~(~0ull << (33 - SHORTEST));

	for (; shorter; shorter &= shorter - 1) {
		uint64_t b = shorter & -shorter;
		uint32_t id = xf_index__find(region, xf_index_key4(region->set, dir, addr, b));

		if (id)
			return id;
	}
	return 0;
}

/* Whether a /24 still has a prefix of this length. */
static bool has_inside(struct xf_region *region, enum xf_fw_dir dir, uint32_t addr,
		       unsigned int length)
{
	uint64_t b = 1ull << (32 - length);

	if (!(region->set->lengths4[dir] & b))
		return false;
	addr &= ~0xffu;
	for (uint32_t offset = 0; offset < 256; offset += b)
		if (xf_index__find(region, xf_index_key4(region->set, dir, addr + offset, b)))
			return true;
	return false;
}

void xf_directory__remove(struct xf_region *region, enum xf_fw_dir dir, uint32_t addr,
			  unsigned int length, uint32_t id)
{
	uint32_t *entry = entries(region, dir);

	if (!entry || length < SHORTEST)
		return;
	if (length <= 24)
		swap(entry, addr, length, id, parent_of(region, dir, addr, length));
	else if (!has_inside(region, dir, addr, length))
		xf_publish(&entry[addr >> 8], entry[addr >> 8] & ~inside_bit(length));
}
