// SPDX-License-Identifier: GPL-2.0-only
/* A hash table that one process writes while packets read it: a reference appears and goes with one
 * store, and a larger table takes the place of a full one with one store. */
#include <errno.h>

#include "firewall/table/index.h"
#include "xdp-prog/fw_hash.h"

#define BUCKETS_MIN 64
#define BUCKETS_MAX (1u << 22)
/* References to a bucket at most, on average, times 8: with 4.25 three buckets in a hundred spill.
 */
#define FILL_X8 34

/* An index as it lies in memory. */
struct view {
	struct xf_fw_bucket *buckets;
	uint32_t shift;
};

struct xf_index_key xf_index_key4(const struct xf_fw_generation *gen, uint32_t dir, uint32_t addr,
				  uint64_t b)
{
	uint64_t tag = xf_fw_tag4(dir, addr, b);

	return (struct xf_index_key) { xf_fw_hash4(gen->seed, tag), tag };
}

static struct xf_index_key hashed(uint64_t hash)
{
	return (struct xf_index_key) { hash, xf_fw_tag_hashed(hash) };
}

struct xf_index_key xf_index_key6(const struct xf_fw_generation *gen, uint64_t hi, uint64_t lo,
				  uint64_t b, uint32_t level)
{
	return hashed(xf_fw_hash6(gen->seed, hi, lo, b, level));
}

struct xf_index_key xf_index_key_tuple(const struct xf_fw_generation *gen,
				       const struct xf_fw_tuple *tuple)
{
	__u64 addr[4] = { tuple->addr[0], tuple->addr[1], tuple->addr[2], tuple->addr[3] };

	if (tuple->tail.detail[0] == 4)
		return hashed(xf_fw_hash_tuple4(gen->seed, addr[0], tuple->l4, tuple->mac));
	return hashed(xf_fw_hash_tuple6(gen->seed, addr, tuple->l4, tuple->mac));
}

static uint32_t buckets_of(uint32_t shift)
{
	return 1u << (64 - shift);
}

static int view(struct xf_region *region, struct view *view)
{
	view->shift = region->gen->index >> 32;
	view->buckets = xf_region__table(region, (uint32_t)region->gen->index - region->gen->slot);
	return view->buckets ? 0 : -ENOMEM;
}

static struct xf_fw_bucket *home(const struct view *view, uint64_t hash)
{
	return &view->buckets[hash >> view->shift];
}

/* The bucket of a key and the number of its reference there. Returns false when it is not there. */
static bool locate(const struct view *view, struct xf_index_key key, struct xf_fw_bucket **bucket,
		   unsigned int *nth)
{
	uint64_t fingerprint = xf_fw_fingerprint(key.hash, view->shift);

	*bucket = home(view, key.hash);
	for (int step = 0; step < XF_FW_BUCKET_STEPS; step++, ++*bucket) {
		uint64_t found = xf_fw_candidates((*bucket)->summary, fingerprint);

		for (*nth = 0; *nth < XF_FW_BUCKET_REFS; ++*nth)
			if ((found >> (8 * *nth + 7) & 1) && (*bucket)->ref[*nth] >> 24 == key.tag)
				return true;
		if (!((*bucket)->summary >> 56))
			return false;
	}
	return false;
}

uint32_t xf_index__find(struct xf_region *region, struct xf_index_key key)
{
	struct xf_fw_bucket *bucket;
	unsigned int nth;
	struct view in;

	if (view(region, &in) || !locate(&in, key, &bucket, &nth))
		return 0;
	return bucket->ref[nth] & XF_FW_ID_MASK;
}

/* Returns how many buckets behind its own the reference is, or -ENOSPC. */
static int put(const struct view *view, struct xf_index_key key, uint32_t id)
{
	struct xf_fw_bucket *bucket = home(view, key.hash), *at = bucket;

	for (int step = 0; step < XF_FW_BUCKET_STEPS; step++, at++) {
		for (int i = 0; i < XF_FW_BUCKET_REFS; i++) {
			if (at->summary >> 8 * i & 0xff)
				continue;
			xf_publish(&at->ref[i], key.tag << 24 | id);
			xf_publish(&at->summary,
				   at->summary | xf_fw_fingerprint(key.hash, view->shift) << 8 * i);
			for (; bucket < at; bucket++)
				xf_publish(&bucket->summary, bucket->summary | 1ull << 56);
			return step;
		}
	}
	return -ENOSPC;
}

int xf_index__make(struct xf_region *region, uint64_t refs)
{
	uint32_t buckets = BUCKETS_MIN, shift = 64 - 6, slot;
	int err;

	while (buckets < BUCKETS_MAX && refs * 8 > (uint64_t)buckets * FILL_X8) {
		buckets *= 2;
		shift--;
	}
	err = xf_region__make(region, XF_FW_SLOT_INDEX, buckets + XF_FW_BUCKET_STEPS);
	slot = region->gen->slot + XF_FW_SLOT_INDEX;
	if (!err)
		region->gen->index = XF_FW_INDEX(slot, shift);
	return err;
}

/* The key of the prefix, or of the xf_fw_lengths6 in whose place it is: the tag tells which. */
static struct xf_index_key key_of_prefix6(const struct xf_fw_generation *gen,
					  const struct xf_fw_rule *rule, uint64_t tag)
{
	uint32_t level = rule->tail.detail[2];
	uint32_t length = rule->rank >> (level & 2 ? XF_FW_RANK_DST : XF_FW_RANK_SRC) & 0xff;
	struct xf_index_key key =
	    xf_index_key6(gen, rule->addr[0], rule->addr[1], 1ull << (-length & 63), level);

	if (key.tag != tag && (level & 1))
		key = xf_index_key6(gen, rule->addr[0], 0, 0, level);
	if (key.tag != tag)
		key = xf_index_key6(gen, rule->addr[0] & ~0xffffffffull, 0, 0, level & 2);
	return key;
}

static struct xf_index_key key_of_ref(struct xf_region *region, uint64_t ref)
{
	uint64_t tag = ref >> 24;
	struct xf_fw_entry *entry = xf_region__entry(region, ref & XF_FW_ID_MASK);
	struct xf_fw_tail *tail = entry ? (struct xf_fw_tail *)&entry->word[7] : NULL;
	const struct xf_fw_generation *gen = region->gen;

	if (!(tag & XF_FW_TAG_HASHED))
		return (struct xf_index_key) { xf_fw_hash4(gen->seed, tag), tag };
	if (tail && tail->kind == XF_FW_PREFIX6)
		return key_of_prefix6(gen, (struct xf_fw_rule *)entry, tag);
	if (tail && tail->kind == XF_FW_LENGTHS6) {
		struct xf_fw_lengths6 *lengths = (struct xf_fw_lengths6 *)entry;

		return xf_index_key6(gen, lengths->addr, 0, 0, lengths->level);
	}
	if (tail && tail->kind == XF_FW_TUPLE)
		return xf_index_key_tuple(gen, (struct xf_fw_tuple *)entry);
	return (struct xf_index_key) { 0, 0 };
}

/* Enter all references of one table into another. Returns how many are not in their own bucket, or
 * -errno. */
static int64_t refill(struct xf_region *region, const struct view *from, const struct view *to)
{
	uint32_t buckets = buckets_of(from->shift) + XF_FW_BUCKET_STEPS;
	int64_t spilled = 0;

	for (struct xf_fw_bucket *bucket = from->buckets; bucket < from->buckets + buckets;
	     bucket++) {
		for (int i = 0; i < XF_FW_BUCKET_REFS; i++) {
			struct xf_index_key key;
			int steps;

			if (!(bucket->summary >> 8 * i & 0xff))
				continue;
			key = key_of_ref(region, bucket->ref[i]);
			if (!key.tag)
				return -EUCLEAN;
			steps = put(to, key, bucket->ref[i] & XF_FW_ID_MASK);
			if (steps < 0)
				return steps;
			spilled += steps > 0;
		}
	}
	return spilled;
}

/* Build a table of the size that @shift says beside this one and put it in its place. */
static int resize(struct xf_region *region, uint32_t shift)
{
	uint32_t old = (uint32_t)region->gen->index - region->gen->slot;
	uint32_t slot = 2 * XF_FW_SLOT_INDEX + 1 - old;
	struct view from, to = { .shift = shift };
	int64_t spilled;
	int err;

	if (buckets_of(shift) > BUCKETS_MAX)
		return xf_store__refuse(region->store, -E2BIG, "the index of a rule set is full");
	err = view(region, &from);
	if (!err)
		err = xf_region__make(region, slot, buckets_of(shift) + XF_FW_BUCKET_STEPS);
	if (err)
		return err;
	to.buckets = xf_region__table(region, slot);
	spilled = refill(region, &from, &to);
	if (spilled < 0) {
		xf_region__drop(region, slot);
		return spilled;
	}
	region->gen->writer.spilled = spilled;
	xf_publish(&region->gen->index, XF_FW_INDEX(region->gen->slot + slot, shift));
	/* This waits until no packet reads the old table. */
	xf_region__drop(region, old);
	return 0;
}

static bool crowded(const struct xf_region *region, uint32_t buckets)
{
	const struct xf_fw_writer *writer = &region->gen->writer;

	return (writer->refs + 1) * 8 > (uint64_t)buckets * FILL_X8;
}

static bool spills(const struct xf_region *region, uint32_t shift)
{
	return region->gen->writer.spilled > buckets_of(shift) / 2;
}

int xf_index__insert(struct xf_region *region, struct xf_index_key key, uint32_t id)
{
	struct xf_fw_writer *writer = &region->gen->writer;
	uint32_t shift = region->gen->index >> 32;
	struct view in;
	int err = 0, steps = -ENOSPC;

	if (crowded(region, buckets_of(shift)))
		err = resize(region, shift - 1);
	/* A bucket that once spilled costs look-ups a second one for ever, also when its references
	 * are gone. */
	else if (spills(region, shift))
		err = resize(region, shift);
	/* The spills are not left over from references that are gone: without a larger table each
	 * insert from here on would build it anew. */
	if (!err && spills(region, region->gen->index >> 32))
		err = resize(region, (region->gen->index >> 32) - 1);
	for (int i = 0; !err && steps < 0; i++) {
		err = view(region, &in);
		if (!err)
			steps = put(&in, key, id);
		/* Twice as many buckets and still no room for one reference: the hash is to blame.
		 */
		if (!err && steps < 0)
			err = i ? -EAGAIN : resize(region, in.shift - 1);
	}
	if (err)
		return err;
	writer->refs++;
	writer->spilled += steps > 0;
	return 0;
}

void xf_index__set(struct xf_region *region, struct xf_index_key key, uint32_t id)
{
	struct xf_fw_bucket *bucket;
	unsigned int nth;
	struct view in;

	if (!view(region, &in) && locate(&in, key, &bucket, &nth))
		xf_publish(&bucket->ref[nth], key.tag << 24 | id);
}

void xf_index__remove(struct xf_region *region, struct xf_index_key key)
{
	struct xf_fw_bucket *bucket;
	unsigned int nth;
	struct view in;

	if (view(region, &in) || !locate(&in, key, &bucket, &nth))
		return;
	xf_publish(&bucket->summary, bucket->summary & ~(0xffull << 8 * nth));
	region->gen->writer.refs--;
}
