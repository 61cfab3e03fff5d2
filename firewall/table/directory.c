// SPDX-License-Identifier: GPL-2.0-only
/* The directory has for each /24 the longest prefix that covers it and the lengths of the prefixes
 * inside it. While prefixes change one by one, a packet that finds a rule which does not hold is
 * looked up by all lengths. */
#include <stdlib.h>

#include "firewall/table/blocks.h"
#include "firewall/table/directory.h"
#include "firewall/rule/rule.h"

#define MANY 8192 /* prefixes that are worth a megabyte and more */
#define SHORTEST XF_FW_DIR_SHORTEST
#define LEAVES XF_FW_DIR_BLOCK_LEAVES

/* A prefix that comes or goes. */
struct change {
	struct xf_region *region;
	enum xf_fw_dir dir;
	uint32_t addr;
	unsigned int length;
	uint32_t old, id;
};

static unsigned int length_of(struct xf_region *region, enum xf_fw_dir dir, uint32_t id)
{
	const struct xf_fw_rule *rule = xf_region__entry(region, id);

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

/* The number of leaves of a prefix. */
static uint32_t count_of(unsigned int length)
{
	return length >= 24 ? 1 : 1u << (24 - length);
}

/* Cover prefixes with id wherever no longer prefix does. */
static void cover(const struct change *change, uint32_t *leaf, uint32_t n)
{
	uint32_t known = 0, known_length = 0;

	for (; n--; leaf++) {
		uint32_t old = *leaf & XF_FW_ID_MASK;

		if (old && old != known) {
			known = old;
			known_length = length_of(change->region, change->dir, old);
		}
		if (!old || known_length <= change->length)
			*leaf = (*leaf & ~XF_FW_ID_MASK) | change->id;
	}
}

static void swap(const struct change *change, uint32_t *leaf, uint32_t n)
{
	for (; n--; leaf++)
		if ((*leaf & XF_FW_ID_MASK) == change->old)
			*leaf = (*leaf & ~XF_FW_ID_MASK) | change->id;
}

static void set_inside(const struct change *change, uint32_t *leaf, uint32_t n)
{
	(void)n;
	*leaf |= inside_bit(change->length);
}

static void clear_inside(const struct change *change, uint32_t *leaf, uint32_t n)
{
	(void)n;
	*leaf &= ~inside_bit(change->length);
}

/* Let fn change the leaves of the prefix. */
static void apply(const struct change *change,
		  void (*fn)(const struct change *change, uint32_t *leaf, uint32_t n))
{
	uint32_t at = first_of(change->addr, change->length), end = at + count_of(change->length);
	uint32_t leaves[LEAVES];

	for (uint32_t n; at < end; at += n) {
		uint32_t block = at / LEAVES, first = at % LEAVES;

		n = end - at < LEAVES - first ? end - at : LEAVES - first;
		if (!xf_blocks__get(change->region, change->dir, block, leaves))
			return;
		fn(change, &leaves[first], n);
		xf_blocks__put(change->region, change->dir, block, leaves);
	}
}

/* A prefix and the id of its rule, for sorting. */
struct prefix {
	uint32_t addr, id;
	unsigned int length;
};

static int by_length(const void *a, const void *b)
{
	return (int)((const struct prefix *)a)->length - (int)((const struct prefix *)b)->length;
}

static size_t collect(struct xf_region *region, enum xf_fw_dir dir, struct prefix *prefixes,
		      size_t max)
{
	uint8_t has = dir == XF_FW_DST ? XF_RULE_DST : XF_RULE_SRC;
	size_t n = 0;

	for (uint32_t id = 1; id < region->gen->writer.fresh && n < max; id++) {
		struct xf_fw_rule *rule = xf_region__entry(region, id);

		if (!rule) {
			id |= 0xffff; /* on to the next chunk */
			continue;
		}
		if (rule->tail.kind != XF_FW_PREFIX4 || rule->tail.detail[0] != has)
			continue;
		prefixes[n].addr = rule->addr[0];
		prefixes[n].length = length_of(region, dir, id);
		prefixes[n++].id = id;
	}
	return n;
}

/* Of two rules of a prefix the one that is in the index. */
static uint32_t head_of(struct xf_region *region, enum xf_fw_dir dir, const struct prefix *prefix)
{
	uint64_t b = 1ull << (32 - prefix->length);

	return xf_index__find(region, xf_index_key4(region->gen, dir, prefix->addr, b));
}

/* All leaves of all blocks. Shorter prefixes come first, so that longer ones cover them without a
 * look at them. */
static void fill(struct xf_region *region, enum xf_fw_dir dir, uint32_t *leaf,
		 const struct prefix *prefixes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct prefix *prefix = &prefixes[i];
		uint32_t id = head_of(region, dir, prefix),
			 *at = leaf + first_of(prefix->addr, prefix->length);

		if (prefix->length > 24)
			*at |= inside_bit(prefix->length);
		else if (prefix->length >= SHORTEST)
			for (uint32_t left = count_of(prefix->length); left--; at++)
				*at = id;
	}
}

static void make(struct xf_region *region, enum xf_fw_dir dir)
{
	size_t max = 2 * region->gen->writer.count4[dir], n;
	struct prefix *prefixes = malloc(max * sizeof(*prefixes));
	uint32_t *leaf = calloc(XF_FW_DIR_LEAVES, sizeof(*leaf));

	if (prefixes && leaf) {
		n = collect(region, dir, prefixes, max);
		qsort(prefixes, n, sizeof(*prefixes), by_length);
		fill(region, dir, leaf, prefixes, n);
		xf_blocks__make(region, dir, leaf);
	}
	free(prefixes);
	free(leaf);
}

void xf_directory__insert(struct xf_region *region, enum xf_fw_dir dir, uint32_t addr,
			  unsigned int length, uint32_t id)
{
	const struct change change = { region, dir, addr, length, .id = id };

	if (!xf_blocks__have(region, dir)) {
		if (region->gen->writer.count4[dir] >= MANY)
			make(region, dir);
	} else if (length > 24) {
		apply(&change, set_inside);
	} else if (length >= SHORTEST) {
		apply(&change, cover);
	}
}

void xf_directory__replace(struct xf_region *region, enum xf_fw_dir dir, uint32_t addr,
			   unsigned int length, uint32_t old, uint32_t id)
{
	const struct change change = { region, dir, addr, length, old, id };

	if (length <= 24 && length >= SHORTEST)
		apply(&change, swap);
}

/* The first rule of the longest prefix that covers this one and that the directory knows, or 0. */
static uint32_t parent_of(struct xf_region *region, enum xf_fw_dir dir, uint32_t addr,
			  unsigned int length)
{
	uint64_t shorter =
	    region->gen->lengths4[dir] & ~0ull << (33 - length) & ~(~0ull << (33 - SHORTEST));

	for (; shorter; shorter &= shorter - 1) {
		uint64_t b = shorter & -shorter;
		uint32_t id = xf_index__find(region, xf_index_key4(region->gen, dir, addr, b));

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

	if (!(region->gen->lengths4[dir] & b))
		return false;
	addr &= ~0xffu;
	for (uint32_t offset = 0; offset < 256; offset += b)
		if (xf_index__find(region, xf_index_key4(region->gen, dir, addr + offset, b)))
			return true;
	return false;
}

void xf_directory__remove(struct xf_region *region, enum xf_fw_dir dir, uint32_t addr,
			  unsigned int length, uint32_t id)
{
	struct change change = { region, dir, addr, length, .old = id };

	if (!xf_blocks__have(region, dir) || length < SHORTEST)
		return;
	if (length <= 24) {
		change.id = parent_of(region, dir, addr, length);
		apply(&change, swap);
	} else if (!has_inside(region, dir, addr, length)) {
		apply(&change, clear_inside);
	}
}
