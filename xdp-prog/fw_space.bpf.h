/* SPDX-License-Identifier: GPL-2.0-only */
/* Composite rules: tuples with the same masks are a tuple space, in which a packet is looked up
 * once. The tuple spaces come in the order of the best rank that each could have. */
#ifndef XF_FW_SPACE_BPF_H
#define XF_FW_SPACE_BPF_H

#include "fw_index.bpf.h"
#include "fw_match.bpf.h"
#include "fw_packet.bpf.h"

/* Of the rules of these tuples the id of the first that holds, if its rank is not below @least; or
 * 0. They are in the order of their rank. */
__noinline __u32 xf_fw_chain(__u32 slot, __u32 id, __u64 least)
{
	struct xf_fw_tuple *tuple;
	struct xf_fw_rule *rule;

	for (int i = 0; i < XF_FW_TUPLES_MAX; i++) {
		tuple = id ? xf_fw_of_id(slot, id) : NULL;
		if (!tuple)
			return 0;
		rule = xf_fw_of_id(slot, tuple->rule);
		if (!rule || rule->rank < least)
			return 0;
		if (xf_fw_in_force(rule))
			return tuple->rule;
		id = XF_READ_ONCE(tuple->next);
	}
	return 0;
}

/* The fields by which a packet is looked up. Those of IPv4 are passed as arguments; these are too
 * many for the five that a function may have. */
struct xf_fw_key {
	__u64 addr[4], l4, mac, least;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xf_fw_key);
} xf_fw_key SEC(".maps");

/* The best rule so far, and the least rank that a better one has. */
struct xf_fw_best {
	__u64 least;
	__u32 id;
};

/* Take the best rule of the tuple that has this hash and these fields, if it is better. */
static __always_inline void xf_fw_try_tuple(const struct xf_fw_generation *gen, void *table,
					    __u64 index, struct xf_fw_best *best, __u64 hash,
					    const __u64 *addr, __u64 l4, __u64 mac)
{
	__u32 id = xf_fw_find_in(table, index, hash, xf_fw_tag_hashed(hash));
	struct xf_fw_tuple *tuple = id ? xf_fw_of_id(gen->slot, id) : NULL;
	struct xf_fw_rule *rule;

	if (!tuple || xf_fw_kind(&tuple->tail) != XF_FW_TUPLE ||
	    (tuple->addr[0] ^ addr[0]) | (tuple->addr[1] ^ addr[1]) | (tuple->addr[2] ^ addr[2]) |
		(tuple->addr[3] ^ addr[3]) | (tuple->l4 ^ l4) | (tuple->mac ^ mac))
		return;
	id = xf_fw_chain(gen->slot, id, best->least);
	rule = id ? xf_fw_of_id(gen->slot, id) : NULL;
	if (!rule)
		return;
	best->least = rule->rank + 1;
	best->id = id;
}

static __always_inline __u64 xf_fw_masked_l4(const struct xf_fw_space *space, __u64 l4)
{
	return (l4 & space->l4) | (__u64)space->number << XF_FW_L4_SPACE;
}

/* The verifier goes through each of a loop's rounds, so a call looks into this many tuple spaces.
 */
#define XF_FW_STEP 16

/* The place in which a call looks, as one number: those of the generation, of its list and of the
 * first tuple space, and the fields that the packet lacks. */
#define XF_FW_AT_LIST 8 /* shifts */
#define XF_FW_AT_LACKS 16
#define XF_FW_AT_FIRST 24

static __always_inline const struct xf_fw_generation *xf_fw_generation_at(__u32 at)
{
	__u32 number = at & 0xff;

	return bpf_map_lookup_elem(&xf_fw_sets, &number);
}

static __always_inline const struct xf_fw_spaces *
xf_fw_spaces_at(const struct xf_fw_generation *gen, __u32 at)
{
	return &gen->spaces[at >> XF_FW_AT_LIST & (XF_FW_LISTS - 1)];
}

static __always_inline __u32 xf_fw_first_at(__u32 at)
{
	return at >> XF_FW_AT_FIRST & (XF_FW_SPACES - XF_FW_STEP);
}

/* The id of the best rule for an IPv4 packet with a rank of at least @least in a few tuple spaces,
 * or 0; XF_FW_UNREAD when a rule for the fields that the packet lacks could be better than the one
 * that was found: headers that are stacked or cut off must not hide a packet from such a rule. */
__noinline __u32 xf_fw_spaces4(__u32 at, __u64 both, __u64 l4, __u64 mac, __u64 least)
{
	struct xf_fw_best best = { .least = least };
	__u32 lacks = at >> XF_FW_AT_LACKS & 0xff, first = xf_fw_first_at(at), left;
	const struct xf_fw_generation *gen = xf_fw_generation_at(at);
	const struct xf_fw_spaces *spaces;
	const struct xf_fw_space *space;
	__u64 index = gen ? XF_READ_ONCE(gen->index) : 0;
	void *table = gen ? xf_fw_index_table(index) : NULL;
	__u64 addr[4] = {}, fields, from;

	if (!table)
		return 0;
	spaces = xf_fw_spaces_at(gen, at);
	space = &spaces->space4[first];
	left = spaces->n4 - first;
	for (__u32 i = 0; i < XF_FW_STEP && i < left; i++, space++) {
		if (space->best < best.least)
			break;
		if (space->needs & lacks & XF_FW_LACKS_PROTO)
			return XF_FW_UNREAD;
		if (space->needs & lacks)
			continue;
		addr[0] = both & space->addr[0];
		fields = xf_fw_masked_l4(space, l4);
		from = mac & space->mac;
		xf_fw_try_tuple(gen, table, index, &best,
				xf_fw_hash_tuple4(gen->seed, addr[0], fields, from), addr, fields,
				from);
	}
	return best.id;
}

/* The same for the IPv6 packet in xf_fw_key. */
__noinline __u32 xf_fw_spaces6(__u32 at)
{
	__u32 lacks = at >> XF_FW_AT_LACKS & 0xff, first = xf_fw_first_at(at), left, zero = 0;
	const struct xf_fw_generation *gen = xf_fw_generation_at(at);
	const struct xf_fw_key *key = bpf_map_lookup_elem(&xf_fw_key, &zero);
	const struct xf_fw_spaces *spaces;
	const struct xf_fw_space *space;
	__u64 index = gen ? XF_READ_ONCE(gen->index) : 0;
	void *table = gen ? xf_fw_index_table(index) : NULL;
	struct xf_fw_best best = {};
	__u64 addr[4], fields, from;

	if (!table || !key)
		return 0;
	best.least = key->least;
	spaces = xf_fw_spaces_at(gen, at);
	space = &spaces->space6[first];
	left = spaces->n6 - first;
	for (__u32 i = 0; i < XF_FW_STEP && i < left; i++, space++) {
		if (space->best < best.least)
			break;
		if (space->needs & lacks & XF_FW_LACKS_PROTO)
			return XF_FW_UNREAD;
		if (space->needs & lacks)
			continue;
		addr[0] = key->addr[0] & space->addr[0];
		addr[1] = key->addr[1] & space->addr[1];
		addr[2] = key->addr[2] & space->addr[2];
		addr[3] = key->addr[3] & space->addr[3];
		fields = xf_fw_masked_l4(space, key->l4);
		from = key->mac & space->mac;
		xf_fw_try_tuple(gen, table, index, &best,
				xf_fw_hash_tuple6(gen->seed, addr, fields, from), addr, fields,
				from);
	}
	return best.id;
}

static __always_inline void xf_fw_match_ip4(const struct xf_fw_generation *gen,
					    const struct xf_fw_spaces *spaces, __u32 at,
					    const struct xf_fw_packet *packet,
					    struct xf_fw_match *match)
{

	for (__u32 first = 0; first < XF_FW_SPACES; first += XF_FW_STEP) {
		if (first >= spaces->n4 || spaces->space4[first].best < match->least)
			return;
		xf_fw_take(gen, match,
			   xf_fw_spaces4(at | first << XF_FW_AT_FIRST,
					 packet->src_hi << 32 | packet->dst_hi, xf_fw_l4(packet),
					 packet->mac, match->least));
	}
}

static __always_inline void xf_fw_match_ip6(const struct xf_fw_generation *gen,
					    const struct xf_fw_spaces *spaces, __u32 at,
					    const struct xf_fw_packet *packet,
					    struct xf_fw_match *match)
{
	__u32 zero = 0;
	struct xf_fw_key *key = bpf_map_lookup_elem(&xf_fw_key, &zero);

	if (!key)
		return;
	key->addr[0] = packet->src_hi;
	key->addr[1] = packet->src_lo;
	key->addr[2] = packet->dst_hi;
	key->addr[3] = packet->dst_lo;
	key->l4 = xf_fw_l4(packet);
	key->mac = packet->mac;
	for (__u32 first = 0; first < XF_FW_SPACES; first += XF_FW_STEP) {
		if (first >= spaces->n6 || spaces->space6[first].best < match->least)
			return;
		key->least = match->least;
		xf_fw_take(gen, match, xf_fw_spaces6(at | first << XF_FW_AT_FIRST));
	}
}

/* Any other frame: only the one tuple space that needs no IP. */
static __always_inline __u32 xf_fw_match_frame(const struct xf_fw_generation *gen,
					       const struct xf_fw_spaces *spaces,
					       const struct xf_fw_packet *packet)
{
	__u64 addr[4] = {}, l4 = (__u64)spaces->frame << XF_FW_L4_SPACE;
	__u64 index = XF_READ_ONCE(gen->index);
	struct xf_fw_best best = {};
	void *table = spaces->frame ? xf_fw_index_table(index) : NULL;

	if (table)
		xf_fw_try_tuple(gen, table, index, &best,
				xf_fw_hash_tuple4(gen->seed, 0, l4, packet->mac), addr, l4,
				packet->mac);
	return best.id;
}

#endif
