/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules that name a single prefix: the longest one that covers an address.
 *
 * Nearly always the longest prefix that is found holds. When it has expired or is being taken out,
 * a second search goes through every length again and reads the rules themselves. */
#ifndef XF_FW_PREFIX_BPF_H
#define XF_FW_PREFIX_BPF_H

#include "fw_index.bpf.h"

/* Of the rules of a prefix from @id on the first that holds, or 0: there are two at most. */
__noinline __u32 xf_fw_first_holding(__u32 slot, __u32 id)
{
	for (int i = 0; i < 2; i++) {
		struct xf_fw_rule *rule = id ? xf_fw_of_id(slot, id) : NULL;

		if (!rule)
			return 0;
		if (xf_fw_in_force(rule))
			return id;
		id = XF_READ_ONCE(rule->next);
	}
	return 0;
}

/* The longest of the @lengths. */
__noinline __u32 xf_fw_probe4(__u64 index, __u64 seed, __u32 dir, __u32 addr, __u64 lengths)
{
	void *table = xf_fw_index_table(index);

	if (!table)
		return 0;
	for (int i = 0; i <= 32; i++) {
		__u64 b = lengths & -lengths, tag = xf_fw_tag4(dir, addr, b);
		__u32 id;

		if (!b)
			break;
		id = xf_fw_find_in(table, index, xf_fw_hash4(&seed, tag), tag);
		if (id)
			return id;
		lengths ^= b;
	}
	return 0;
}

/* The longest one that holds. */
__noinline __u32 xf_fw_search4(__u32 number, __u32 dir, __u32 addr)
{
	const struct xf_fw_generation *gen = bpf_map_lookup_elem(&xf_fw_sets, &number);
	__u64 lengths, index;
	__u32 id;

	if (!gen)
		return 0;
	lengths = XF_READ_ONCE(gen->lengths4[dir & 1]);
	index = XF_READ_ONCE(gen->index);
	for (int i = 0; i <= 32; i++) {
		__u64 b = lengths & -lengths, tag = xf_fw_tag4(dir, addr, b);

		if (!b)
			break;
		id = xf_fw_find(index, xf_fw_hash4(gen->seed, tag), tag);
		id = xf_fw_first_holding(gen->slot, id);
		if (id)
			return id;
		lengths ^= b;
	}
	return 0;
}

/* The number of starts in a word that are not behind this leaf: bit 7 of each such byte stays. */
static __always_inline __u64 xf_fw_starts_up_to(__u64 starts, __u64 leaf)
{
	__u64 behind = (leaf | 0x80) * 0x0101010101010101ull - starts;

	return ((behind & 0x8080808080808080ull) >> 7) * 0x0101010101010101ull >> 56;
}

/* A directory's leaf for an address. */
static __always_inline __u32 xf_fw_dir_leaf(void *table, __u32 addr)
{
	__u32 block = addr >> 15, nth = addr >> 8 & 127, at = block >> 4, root;
	struct xf_fw_entry *entry = bpf_map_lookup_elem(table, &at);

	if (!entry)
		return 0;
	root = XF_READ_ONCE(((__u32 *)entry)[block & 15]);
	at = root & XF_FW_ID_MASK;
	if (root >> 24 == XF_FW_DIR_WHOLE)
		return root;
	if (root >> 24 == XF_FW_DIR_PAGE)
		at += nth >> 4;
	entry = bpf_map_lookup_elem(table, &at);
	if (!entry)
		return 0;
	if (root >> 24 == XF_FW_DIR_RANGES)
		nth = 3 + xf_fw_starts_up_to(entry->word[0], nth) +
		      xf_fw_starts_up_to((__u32)entry->word[1] | 0x8080808000000000ull, nth);
	return XF_READ_ONCE(((__u32 *)entry)[nth & 15]);
}

/* The longest one, whether it holds or not. */
static __always_inline __u32 xf_fw_longest4(const struct xf_fw_generation *gen, __u32 dir,
					    __u32 addr)
{
	__u64 lengths =
	    XF_READ_ONCE(gen->lengths4[dir]) & XF_READ_ONCE(gen->lengths4_at[dir][addr >> 24]);
	__u32 slot = XF_READ_ONCE(gen->dir[dir]), found, covering = 0, id;
	void *table = slot ? bpf_map_lookup_elem(&xf_fw_tables, &slot) : NULL;

	if (table) {
		found = xf_fw_dir_leaf(table, addr);
		covering = found & XF_FW_ID_MASK;
		if (covering)
			lengths = found >> 24;
		else
			lengths = (lengths & ~0ull << (33 - XF_FW_DIR_SHORTEST)) | found >> 24;
	}
	if (!lengths)
		return covering;
	id = xf_fw_probe4(XF_READ_ONCE(gen->index), gen->seed[0], dir, addr, lengths);
	return id ? id : covering;
}

/* How long a rule's only prefix is: the other length is 0. */
static __always_inline __u32 xf_fw_length6(const struct xf_fw_rule *rule)
{
	return (rule->rank >> XF_FW_RANK_SRC | rule->rank >> XF_FW_RANK_DST) & 0xff;
}

static __always_inline int xf_fw_is_prefix6(const struct xf_fw_rule *rule, __u64 hi, __u64 lo,
					    __u64 b, __u32 level)
{
	return xf_fw_kind(&rule->tail) == XF_FW_PREFIX6 && rule->tail.detail[2] == level &&
	       rule->addr[0] == hi && rule->addr[1] == lo &&
	       b == 1ull << (-xf_fw_length6(rule) & 63);
}

static __always_inline int xf_fw_covers6(const struct xf_fw_rule *rule, __u64 hi, __u64 lo,
					 __u32 level)
{
	__u32 length = xf_fw_length6(rule);
	__u64 mask = -(1ull << (-length & 63));

	if ((rule->tail.detail[2] ^ level) & 2)
		return 0;
	if (length > 64)
		return rule->addr[0] == hi && rule->addr[1] == (lo & mask);
	return rule->addr[0] == (hi & mask);
}

/* The id of the prefix whose lowest bit is @b in the word that @level names. */
static __always_inline __u32 xf_fw_find6(const struct xf_fw_generation *gen, void *table,
					 __u64 index, __u64 hi, __u64 lo, __u64 b, __u32 level)
{
	__u64 lower = -(__u64)(level & 1), hash; /* all bits, or none */
	struct xf_fw_rule *rule;
	__u32 id;

	hi &= lower | -b;
	lo &= lower & -b;
	hash = xf_fw_hash6(gen->seed, hi, lo, b, level);
	id = xf_fw_find_in(table, index, hash, xf_fw_tag_hashed(hash));
	if (!id)
		return 0;
	rule = xf_fw_of_id(gen->slot, id);
	return rule && xf_fw_is_prefix6(rule, hi, lo, b, level) ? id : 0;
}

/* The longest of the @lengths in one word. */
__noinline __u32 xf_fw_probe6(__u32 number, __u32 level, __u64 hi, __u64 lo, __u64 lengths)
{
	const struct xf_fw_generation *gen = bpf_map_lookup_elem(&xf_fw_sets, &number);
	__u64 index = gen ? XF_READ_ONCE(gen->index) : 0;
	void *table = gen ? xf_fw_index_table(index) : NULL;

	if (!table)
		return 0;
	for (int i = 0; i < 64; i++) {
		__u64 b = lengths & -lengths;
		__u32 id;

		if (!b)
			break;
		id = xf_fw_find6(gen, table, index, hi, lo, b, level);
		if (id)
			return id;
		lengths ^= b;
	}
	return 0;
}

/* The longest of the @lengths in one word that holds. */
__noinline __u32 xf_fw_search6(__u32 number, __u32 level, __u64 hi, __u64 lo, __u64 lengths)
{
	const struct xf_fw_generation *gen = bpf_map_lookup_elem(&xf_fw_sets, &number);
	__u64 index = gen ? XF_READ_ONCE(gen->index) : 0;
	void *table = gen ? xf_fw_index_table(index) : NULL;

	if (!table)
		return 0;
	for (int i = 0; i < 64; i++) {
		__u64 b = lengths & -lengths;
		__u32 id;

		if (!b)
			break;
		id = xf_fw_find6(gen, table, index, hi, lo, b, level);
		id = xf_fw_first_holding(gen->slot, id);
		if (id)
			return id;
		lengths ^= b;
	}
	return 0;
}

/* The id that the index has for the /64 (bit 0 of level set) or the /32: that of its only prefix,
 * if that covers the address, or that of its xf_fw_lengths6. */
__noinline __u32 xf_fw_inside6(__u32 number, __u32 level, __u64 hi, __u64 lo)
{
	const struct xf_fw_generation *gen = bpf_map_lookup_elem(&xf_fw_sets, &number);
	__u64 whole = level & 1 ? hi : hi & 0xffffffff00000000ull, hash;
	__u64 index = gen ? XF_READ_ONCE(gen->index) : 0;
	void *table = gen ? xf_fw_index_table(index) : NULL;
	struct xf_fw_lengths6 *inner;
	__u32 id;

	if (!table)
		return 0;
	hash = xf_fw_hash6(gen->seed, whole, 0, 0, level);
	id = xf_fw_find_in(table, index, hash, xf_fw_tag_hashed(hash));
	inner = id ? xf_fw_of_id(gen->slot, id) : NULL;
	if (!inner)
		return 0;
	if (xf_fw_kind(&inner->tail) == XF_FW_PREFIX6)
		return xf_fw_covers6((void *)inner, hi, lo, level) ? id : 0;
	if (xf_fw_kind(&inner->tail) != XF_FW_LENGTHS6 || inner->addr != whole ||
	    inner->level != level)
		return 0;
	return id;
}

static __always_inline __u64 xf_fw_but_lowest(__u64 bits)
{
	return bits & (bits - 1);
}

static __always_inline int xf_fw_more_than_two(__u64 a, __u64 b)
{
	__u64 a1 = xf_fw_but_lowest(a), b1 = xf_fw_but_lowest(b);

	return (xf_fw_but_lowest(a1) | xf_fw_but_lowest(b1)) || (a && b && (a1 | b1));
}

/* Of the @lengths in the lower word the longest one. */
static __always_inline __u32 xf_fw_below64(const struct xf_fw_generation *gen, __u32 number,
					   __u32 dir, __u64 hi, __u64 lo, __u64 lengths)
{
	__u32 level = dir << 1 | 1, id;
	struct xf_fw_lengths6 *inner;

	if (xf_fw_more_than_two(lengths, 0)) {
		id = xf_fw_inside6(number, level, hi, lo);
		inner = id ? xf_fw_of_id(gen->slot, id) : NULL;
		if (!inner)
			return 0;
		if (xf_fw_kind(&inner->tail) != XF_FW_LENGTHS6)
			return id;
		lengths &= XF_READ_ONCE(inner->lengths);
	}
	return lengths ? xf_fw_probe6(number, level, hi, lo, lengths) : 0;
}

static __always_inline int xf_fw_any6(const struct xf_fw_generation *gen, __u32 dir)
{
	return (XF_READ_ONCE(gen->lengths6[dir][0]) | XF_READ_ONCE(gen->lengths6[dir][1]) |
		XF_READ_ONCE(gen->zero6[dir])) != 0;
}

/* The longest one, whether it holds or not. */
__noinline __u32 xf_fw_longest6(__u32 number, __u32 dir, __u64 hi, __u64 lo)
{
	const struct xf_fw_generation *gen = bpf_map_lookup_elem(&xf_fw_sets, &number);
	__u64 upper, lower, inside;
	struct xf_fw_lengths6 *inner;
	__u32 id = 0, at;

	if (!gen)
		return 0;
	dir &= 1;
	at = xf_fw_hash_first32(hi);
	upper = XF_READ_ONCE(gen->lengths6[dir][0]) & XF_READ_ONCE(gen->lengths6_at[dir][0][at]);
	lower = XF_READ_ONCE(gen->lengths6[dir][1]) & XF_READ_ONCE(gen->lengths6_at[dir][1][at]);
	inside = upper & 0xffffffff;
	/* Two look-ups are faster than one of the lengths first. */
	if (xf_fw_more_than_two(inside, lower)) {
		id = xf_fw_inside6(number, dir << 1, hi, lo);
		inner = id ? xf_fw_of_id(gen->slot, id) : NULL;
		if (inner && xf_fw_kind(&inner->tail) != XF_FW_LENGTHS6)
			return id;
		upper &= ~inside | (inner ? XF_READ_ONCE(inner->lengths) : 0);
		if (!inner || !XF_READ_ONCE(inner->longer))
			lower = 0;
	}
	id = lower ? xf_fw_below64(gen, number, dir, hi, lo, lower) : 0;
	if (!id && upper)
		id = xf_fw_probe6(number, dir << 1, hi, lo, upper);
	return id ? id : XF_READ_ONCE(gen->zero6[dir]);
}

/* The longest one that holds. */
__noinline __u32 xf_fw_longest_holding6(__u32 number, __u32 dir, __u64 hi, __u64 lo)
{
	const struct xf_fw_generation *gen = bpf_map_lookup_elem(&xf_fw_sets, &number);
	__u32 id;

	if (!gen)
		return 0;
	dir &= 1;
	id = xf_fw_search6(number, dir << 1 | 1, hi, lo, XF_READ_ONCE(gen->lengths6[dir][1]));
	if (!id)
		id = xf_fw_search6(number, dir << 1, hi, lo, XF_READ_ONCE(gen->lengths6[dir][0]));
	return id ? id : xf_fw_first_holding(gen->slot, XF_READ_ONCE(gen->zero6[dir]));
}

#endif
