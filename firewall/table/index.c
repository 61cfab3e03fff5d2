// SPDX-License-Identifier: GPL-2.0-only
/* A hash table that one process writes while packets read it: an entry appears and goes with one
 * store, and a larger table takes the place of a full one with one store. */
#include <errno.h>

#include "firewall/table/index.h"
#include "xdp-prog/fw_hash.h"

#define BINS_MIN 64
#define BINS_MAX (1u << 22)
/* Entries to a bin at most, on average, times 8: with 4.25 three bins in a hundred spill. */
#define FILL_X8 34

/* An index as it lies in memory. */
struct view {
	struct xf_fw_bin *bins;
	uint32_t shift;
};

struct xf_index_key xf_index_key4(const struct xf_fw_set *set, uint32_t dir, uint32_t addr,
				  uint64_t b)
{
	uint64_t tag = xf_fw_tag4(dir, addr, b);

	return (struct xf_index_key) { xf_fw_hash4(set->seed, tag), tag };
}

static struct xf_index_key hashed(uint64_t hash)
{
	return (struct xf_index_key) { hash, xf_fw_tag_hashed(hash) };
}

struct xf_index_key xf_index_key6(const struct xf_fw_set *set, uint64_t hi, uint64_t lo, uint64_t b,
				  uint32_t level)
{
	return hashed(xf_fw_hash6(set->seed, hi, lo, b, level));
}

struct xf_index_key xf_index_key_tuple(const struct xf_fw_set *set, const struct xf_fw_tuple *tuple)
{
	__u64 addr[4] = { tuple->addr[0], tuple->addr[1], tuple->addr[2], tuple->addr[3] };

	if (tuple->tail.detail[0] == 4)
		return hashed(xf_fw_hash_tuple4(set->seed, addr[0], tuple->l4, tuple->mac));
	return hashed(xf_fw_hash_tuple6(set->seed, addr, tuple->l4, tuple->mac));
}

static uint32_t bins_of(uint32_t shift)
{
	return 1u << (64 - shift);
}

static int view(struct xf_region *region, struct view *view)
{
	view->shift = region->set->index >> 32;
	view->bins = xf_region__table(region, (uint32_t)region->set->index - region->set->slot);
	return view->bins ? 0 : -ENOMEM;
}

static struct xf_fw_bin *home(const struct view *view, uint64_t hash)
{
	return &view->bins[hash >> view->shift];
}

/* Where the entry is: its bin and which of the bin's. Returns false when it is not there. */
static bool locate(const struct view *view, struct xf_index_key key, struct xf_fw_bin **bin,
		   unsigned int *nth)
{
	uint64_t fingerprint = xf_fw_fingerprint(key.hash, view->shift);

	*bin = home(view, key.hash);
	for (int step = 0; step < XF_FW_BIN_STEPS; step++, ++*bin) {
		uint64_t found = xf_fw_candidates((*bin)->summary, fingerprint);

		for (*nth = 0; *nth < XF_FW_BIN_ENTRIES; ++*nth)
			if ((found >> (8 * *nth + 7) & 1) && (*bin)->entry[*nth] >> 24 == key.tag)
				return true;
		if (!((*bin)->summary >> 56))
			return false;
	}
	return false;
}

uint32_t xf_index__find(struct xf_region *region, struct xf_index_key key)
{
	struct xf_fw_bin *bin;
	unsigned int nth;
	struct view in;

	if (view(region, &in) || !locate(&in, key, &bin, &nth))
		return 0;
	return bin->entry[nth] & XF_FW_ID_MASK;
}

/* Returns how many bins it went too far, or -ENOSPC. */
static int put(const struct view *view, struct xf_index_key key, uint32_t id)
{
	struct xf_fw_bin *bin = home(view, key.hash), *at = bin;

	for (int step = 0; step < XF_FW_BIN_STEPS; step++, at++) {
		for (int i = 0; i < XF_FW_BIN_ENTRIES; i++) {
			if (at->summary >> 8 * i & 0xff)
				continue;
			at->entry[i] = key.tag << 24 | id;
			xf_publish(&at->summary,
				   at->summary | xf_fw_fingerprint(key.hash, view->shift) << 8 * i);
			for (; bin < at; bin++)
				xf_publish(&bin->summary, bin->summary | 1ull << 56);
			return step;
		}
	}
	return -ENOSPC;
}

int xf_index__make(struct xf_region *region, uint64_t entries)
{
	uint32_t bins = BINS_MIN, shift = 64 - 6, slot;
	int err;

	while (bins < BINS_MAX && entries * 8 > (uint64_t)bins * FILL_X8) {
		bins *= 2;
		shift--;
	}
	err = xf_region__make(region, XF_FW_SLOT_INDEX, bins + XF_FW_BIN_STEPS);
	slot = region->set->slot + XF_FW_SLOT_INDEX;
	if (!err)
		region->set->index = XF_FW_INDEX(slot, shift);
	return err;
}

/* The key of the prefix, or of the bucket in whose place it is: the tag tells which. */
static struct xf_index_key key_of_prefix6(const struct xf_fw_set *set,
					  const struct xf_fw_rule *rule, uint64_t tag)
{
	uint32_t level = rule->tail.detail[2];
	uint32_t length = rule->rank >> (level & 2 ? XF_FW_RANK_DST : XF_FW_RANK_SRC) & 0xff;
	struct xf_index_key key =
	    xf_index_key6(set, rule->addr[0], rule->addr[1], 1ull << (-length & 63), level);

	if (key.tag != tag && (level & 1))
		key = xf_index_key6(set, rule->addr[0], 0, 0, level);
	if (key.tag != tag)
		key = xf_index_key6(set, rule->addr[0] & ~0xffffffffull, 0, 0, level & 2);
	return key;
}

static struct xf_index_key key_of_entry(struct xf_region *region, uint64_t entry)
{
	uint64_t tag = entry >> 24;
	struct xf_fw_line *line = xf_region__line(region, entry & XF_FW_ID_MASK);
	struct xf_fw_tail *tail = line ? (struct xf_fw_tail *)&line->word[7] : NULL;
	const struct xf_fw_set *set = region->set;

	if (!(tag & XF_FW_TAG_HASHED))
		return (struct xf_index_key) { xf_fw_hash4(set->seed, tag), tag };
	if (tail && tail->kind == XF_FW_PREFIX6)
		return key_of_prefix6(set, (struct xf_fw_rule *)line, tag);
	if (tail && tail->kind == XF_FW_BUCKET) {
		struct xf_fw_bucket *bucket = (struct xf_fw_bucket *)line;

		return xf_index_key6(set, bucket->addr, 0, 0, bucket->level);
	}
	if (tail && tail->kind == XF_FW_TUPLE)
		return xf_index_key_tuple(set, (struct xf_fw_tuple *)line);
	return (struct xf_index_key) { 0, 0 };
}

/* Enter all of one table into another. Returns how many are not in their own bin, or -errno. */
static int64_t refill(struct xf_region *region, const struct view *from, const struct view *to)
{
	uint32_t bins = bins_of(from->shift) + XF_FW_BIN_STEPS;
	int64_t spilled = 0;

	for (struct xf_fw_bin *bin = from->bins; bin < from->bins + bins; bin++) {
		for (int i = 0; i < XF_FW_BIN_ENTRIES; i++) {
			struct xf_index_key key;
			int steps;

			if (!(bin->summary >> 8 * i & 0xff))
				continue;
			key = key_of_entry(region, bin->entry[i]);
			if (!key.tag)
				return -EUCLEAN;
			steps = put(to, key, bin->entry[i] & XF_FW_ID_MASK);
			if (steps < 0)
				return steps;
			spilled += steps > 0;
		}
	}
	return spilled;
}

/* Build a table with so many bins beside this one and put it in its place. */
static int resize(struct xf_region *region, uint32_t shift)
{
	uint32_t old = (uint32_t)region->set->index - region->set->slot;
	uint32_t slot = 2 * XF_FW_SLOT_INDEX + 1 - old;
	struct view from, to = { .shift = shift };
	int64_t spilled;
	int err;

	if (bins_of(shift) > BINS_MAX)
		return xf_store__refuse(region->store, -E2BIG, "the index of a rule set is full");
	err = view(region, &from);
	if (!err)
		err = xf_region__make(region, slot, bins_of(shift) + XF_FW_BIN_STEPS);
	if (err)
		return err;
	to.bins = xf_region__table(region, slot);
	spilled = refill(region, &from, &to);
	if (spilled < 0) {
		xf_region__drop(region, slot);
		return spilled;
	}
	region->set->keep.spilled = spilled;
	xf_publish(&region->set->index, XF_FW_INDEX(region->set->slot + slot, shift));
	/* Taking a table out of its slot is what packets in flight are waited for. */
	xf_region__drop(region, old);
	return 0;
}

static bool crowded(const struct xf_region *region, uint32_t bins)
{
	const struct xf_fw_keep *keep = &region->set->keep;

	return (keep->entries + 1) * 8 > (uint64_t)bins * FILL_X8;
}

static bool spills(const struct xf_region *region, uint32_t shift)
{
	return region->set->keep.spilled > bins_of(shift) / 2;
}

int xf_index__insert(struct xf_region *region, struct xf_index_key key, uint32_t id)
{
	struct xf_fw_keep *keep = &region->set->keep;
	uint32_t shift = region->set->index >> 32;
	struct view in;
	int err = 0, steps = -ENOSPC;

	if (crowded(region, bins_of(shift)))
		err = resize(region, shift - 1);
	/* Bins that once spilled cost look-ups a second one for ever, whatever is taken out. */
	else if (spills(region, shift))
		err = resize(region, shift);
	/* It is not from what was taken out: else each insert from here on would build it anew. */
	if (!err && spills(region, region->set->index >> 32))
		err = resize(region, (region->set->index >> 32) - 1);
	for (int i = 0; !err && steps < 0; i++) {
		err = view(region, &in);
		if (!err)
			steps = put(&in, key, id);
		/* Twice as many bins and still no room for one: the hash is to blame. */
		if (!err && steps < 0)
			err = i ? -EAGAIN : resize(region, in.shift - 1);
	}
	if (err)
		return err;
	keep->entries++;
	keep->spilled += steps > 0;
	return 0;
}

void xf_index__set(struct xf_region *region, struct xf_index_key key, uint32_t id)
{
	struct xf_fw_bin *bin;
	unsigned int nth;
	struct view in;

	if (!view(region, &in) && locate(&in, key, &bin, &nth))
		xf_publish(&bin->entry[nth], key.tag << 24 | id);
}

void xf_index__remove(struct xf_region *region, struct xf_index_key key)
{
	struct xf_fw_bin *bin;
	unsigned int nth;
	struct view in;

	if (view(region, &in) || !locate(&in, key, &bin, &nth))
		return;
	xf_publish(&bin->summary, bin->summary & ~(0xffull << 8 * nth));
	region->set->keep.entries--;
}
