/* SPDX-License-Identifier: GPL-2.0-only */
/* The maps of a rule set, and look-ups of the entries in them. */
#ifndef XF_FW_INDEX_BPF_H
#define XF_FW_INDEX_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "fw_abi.h"
#include "fw_hash.h"
#include "once.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xf_fw_root);
} xf_fw_root SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, XF_FW_GENERATIONS);
	__type(key, __u32);
	__type(value, struct xf_fw_generation);
} xf_fw_sets SEC(".maps");

/* Of any size. Sizes and not types, because clang only declares a struct that is named in here. */
struct xf_fw_table {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE | BPF_F_INNER_MAP);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(struct xf_fw_entry));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, XF_FW_SLOTS);
	__type(key, __u32);
	__array(values, struct xf_fw_table);
} xf_fw_tables SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xf_fw_counts);
} xf_fw_counts SEC(".maps");

/* The generation that holds now and its number, or NULL. */
static __always_inline const struct xf_fw_generation *xf_fw_current(__u32 *number)
{
	__u32 zero = 0;
	struct xf_fw_root *root = bpf_map_lookup_elem(&xf_fw_root, &zero);
	__u64 state, deadline;

	if (!root || root->version != XF_FW_ABI_VERSION)
		return NULL;
	state = XF_READ_ONCE(root->state);
	deadline = XF_FW_STATE_DEADLINE(state);
	if (deadline && bpf_ktime_get_boot_ns() > deadline)
		state >>= 4;
	*number = XF_FW_STATE_GENERATION(state);
	return bpf_map_lookup_elem(&xf_fw_sets, number);
}

/* The table of this index, or NULL. */
static __always_inline void *xf_fw_index_table(__u64 index)
{
	__u32 slot = index;

	return bpf_map_lookup_elem(&xf_fw_tables, &slot);
}

static __always_inline void *xf_fw_entry(__u32 slot, __u32 nth)
{
	void *table = bpf_map_lookup_elem(&xf_fw_tables, &slot);

	return table ? bpf_map_lookup_elem(table, &nth) : NULL;
}

/* The entry with this id; @slot is the first one of its region. */
static __always_inline void *xf_fw_of_id(__u32 slot, __u32 id)
{
	return xf_fw_entry(slot + (id >> 16), id & 0xffff);
}

/* The id at the reference with this hash and tag, or 0. A global function, as others here, so that
 * the verifier looks at it once; they take numbers only, which every kernel allows in a program
 * that replaces a dispatcher's. */
__noinline __u32 xf_fw_find(__u64 index, __u64 hash, __u64 tag)
{
	__u32 shift = (index >> 32) & 63, at = hash >> shift, slot = index;
	__u64 fingerprint = xf_fw_fingerprint(hash, shift), summary, candidates, ref;
	struct xf_fw_bucket *bucket;

	for (int step = 0; step < XF_FW_BUCKET_STEPS; step++) {
		bucket = xf_fw_entry(slot, at + step);
		if (!bucket)
			return 0;
		summary = XF_READ_ONCE(bucket->summary);
		candidates = xf_fw_candidates(summary, fingerprint);
		if (candidates) {
#pragma unroll
			for (int i = 0; i < XF_FW_BUCKET_REFS; i++) {
				if (!(candidates >> (8 * i + 7) & 1))
					continue;
				ref = XF_READ_ONCE(bucket->ref[i]);
				if (ref >> 24 == tag)
					return ref & XF_FW_ID_MASK;
			}
		}
		if (!(summary >> 56))
			return 0;
	}
	return 0;
}

/* The same where it matters most: the first candidate of the hash's own bucket, if there is any, is
 * nearly always the reference. No branches choose among candidates, since no CPU could predict
 * them. @table is the index. */
static __always_inline __u32 xf_fw_find_in(void *table, __u64 index, __u64 hash, __u64 tag)
{
	__u32 shift = (index >> 32) & 63, at = hash >> shift;
	struct xf_fw_entry *bucket = bpf_map_lookup_elem(table, &at);
	__u64 summary, candidates, ref;

	if (!bucket)
		return 0;
	summary = XF_READ_ONCE(bucket->word[0]);
	candidates = xf_fw_candidates(summary, xf_fw_fingerprint(hash, shift));
	if (candidates) {
		ref = XF_READ_ONCE(bucket->word[(xf_fw_first_candidate(candidates) + 1) & 7]);
		if (ref >> 24 == tag)
			return ref & XF_FW_ID_MASK;
	} else if (!(summary >> 56)) {
		return 0;
	}
	return xf_fw_find(index, hash, tag);
}

/* The kind of an entry, also of one that was freed after the packet found it. */
static __always_inline __u32 xf_fw_kind(const struct xf_fw_tail *tail)
{
	return XF_READ_ONCE(tail->kind) & ~XF_FW_FREED;
}

static __always_inline int xf_fw_in_force(const struct xf_fw_rule *rule)
{
	__u64 expires = XF_READ_ONCE(rule->expires);

	return expires == XF_FW_FOREVER || (expires && expires > bpf_ktime_get_boot_ns());
}

#endif
