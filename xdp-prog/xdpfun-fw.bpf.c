// SPDX-License-Identifier: GPL-2.0-only
/* The firewall: of the rules that match a packet the most specific one drops or passes it, and the
 * policy when there is none. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <xdp/xdp_helpers.h>

#include "fw_abi.h"
#include "fw_exempt.bpf.h"
#include "fw_index.bpf.h"
#include "fw_log.bpf.h"
#include "fw_match.bpf.h"
#include "fw_packet.bpf.h"
#include "fw_prefix.bpf.h"
#include "fw_space.bpf.h"

struct {
	__uint(priority, 20);
	__uint(XDP_PASS, 1);
} XDP_RUN_CONFIG(xdpfun_fw);

SEC(XF_FW_ABI_MAP) const volatile struct xf_abi xf_fw_abi = { XF_FW_ABI_MAGIC, XF_FW_ABI_VERSION };

static __always_inline void xf_fw_match_prefix4(const struct xf_fw_generation *gen, __u32 number,
						struct xf_fw_match *match, __u32 dir, __u32 addr)
{
	__u32 id = xf_fw_longest4(gen, dir, addr);
	struct xf_fw_rule *rule = id ? xf_fw_of_id(gen->slot, id) : NULL;

	if (!rule)
		return;
	if (xf_fw_in_force(rule))
		xf_fw_take_rule(match, rule, id);
	else
		xf_fw_take(gen, match, xf_fw_search4(number, dir, addr));
}

static __always_inline void xf_fw_match_prefix6(const struct xf_fw_generation *gen, __u32 number,
						struct xf_fw_match *match, __u32 dir, __u64 hi,
						__u64 lo)
{
	__u32 id = xf_fw_longest6(number, dir, hi, lo);
	struct xf_fw_rule *rule = id ? xf_fw_of_id(gen->slot, id) : NULL;

	if (!rule)
		return;
	if (xf_fw_in_force(rule))
		xf_fw_take_rule(match, rule, id);
	else
		xf_fw_take(gen, match, xf_fw_longest_holding6(number, dir, hi, lo));
}

/* Whether a rule for destinations alone could rank higher: no such rule beats one that names a
 * source. */
static __always_inline int xf_fw_dst_may_win(const struct xf_fw_match *match)
{
	return match->least <= 1ull << XF_FW_RANK_SRC;
}

static __always_inline void xf_fw_match_prefixes(const struct xf_fw_generation *gen, __u32 number,
						 const struct xf_fw_packet *packet,
						 struct xf_fw_match *match)
{
	if (packet->family == 4) {
		if (XF_READ_ONCE(gen->lengths4[XF_FW_SRC]))
			xf_fw_match_prefix4(gen, number, match, XF_FW_SRC, packet->src_hi);
		if (XF_READ_ONCE(gen->lengths4[XF_FW_DST]) && xf_fw_dst_may_win(match))
			xf_fw_match_prefix4(gen, number, match, XF_FW_DST, packet->dst_hi);
	} else if (packet->family == 6) {
		if (xf_fw_any6(gen, XF_FW_SRC))
			xf_fw_match_prefix6(gen, number, match, XF_FW_SRC, packet->src_hi,
					    packet->src_lo);
		if (xf_fw_any6(gen, XF_FW_DST) && xf_fw_dst_may_win(match))
			xf_fw_match_prefix6(gen, number, match, XF_FW_DST, packet->dst_hi,
					    packet->dst_lo);
	}
}

static __always_inline int xf_fw_denied(const struct xf_fw_match *match)
{
	return match->rule && match->rule->rank & XF_FW_RANK_DENY;
}

/* Whether a rule could be about what is behind the tags: any but one that names a MAC only. */
static __always_inline int xf_fw_any_behind_tags(const struct xf_fw_generation *gen,
						 const struct xf_fw_spaces *spaces)
{
	__u32 frame = !!spaces->frame;

	return XF_READ_ONCE(gen->lengths4[XF_FW_SRC]) || XF_READ_ONCE(gen->lengths4[XF_FW_DST]) ||
	       xf_fw_any6(gen, XF_FW_SRC) || xf_fw_any6(gen, XF_FW_DST) || spaces->n4 > frame ||
	       spaces->n6 > frame;
}

/* The composite rules. Headers that only these and a policy of deny look at are read here. */
static __always_inline void xf_fw_match_composites(struct xdp_md *ctx,
						   const struct xf_fw_generation *gen, __u32 number,
						   struct xf_fw_packet *packet,
						   struct xf_fw_match *match)
{
	__u32 list = XF_READ_ONCE(gen->current) & (XF_FW_LISTS - 1);
	const struct xf_fw_spaces *spaces = &gen->spaces[list];
	__u32 n;

	if (!packet->family) {
		xf_fw_take(gen, match, xf_fw_match_frame(gen, spaces, packet));
		if (packet->at > 0xffff && !xf_fw_denied(match) &&
		    xf_fw_any_behind_tags(gen, spaces))
			xf_fw_take_unread(match);
		return;
	}
	n = packet->family == 4 ? spaces->n4 : spaces->n6;
	if (!n && (!match->deny || match->rule))
		return;
	xf_fw_parse_rest(ctx, gen, packet);
	barrier_var(n); /* else the compiler parses 0 and other numbers in two places */
	if (!n)
		return;
	number |= list << XF_FW_AT_LIST | xf_fw_lacks(packet) << XF_FW_AT_LACKS;
	if (packet->family == 4)
		xf_fw_match_ip4(gen, spaces, number, packet, match);
	else
		xf_fw_match_ip6(gen, spaces, number, packet, match);
}

static __always_inline void xf_fw_count(struct xf_fw_total *total, __u32 len)
{
	total->packets++;
	total->bytes += len;
}

static __always_inline void xf_fw_count_atomic(struct xf_fw_total *total, __u32 len)
{
	__sync_fetch_and_add(&total->packets, 1);
	__sync_fetch_and_add(&total->bytes, len);
}

/* Count where the group of this CPU does. */
static __always_inline void xf_fw_count_in_group(const struct xf_fw_generation *gen,
						 const struct xf_fw_match *match, __u32 len)
{
	__u32 group = bpf_get_smp_processor_id() >> (gen->sharing & 31);
	__u32 chunk = match->id >> 16, nth = match->id & 0xffff;
	__u32 entries = 1u << XF_FW_CHUNK_SHIFT(chunk);
	struct xf_fw_total *line;

	if (!group) {
		xf_fw_count_atomic(&match->rule->hits, len);
		return;
	}
	line = xf_fw_entry(gen->slot + chunk,
			   entries + ((group - 1) * entries + nth) / XF_FW_LINE_TOTALS);
	if (!line)
		return;
	/* The compiler would add to it before it is known not to be NULL. */
	barrier_var(line);
	xf_fw_count_atomic(&line[nth % XF_FW_LINE_TOTALS], len);
}

static __always_inline void xf_fw_count_rule(const struct xf_fw_generation *gen,
					     const struct xf_fw_match *match,
					     struct xf_fw_counts *counts, __u32 len)
{
	__u64 region = gen->slot / XF_FW_REGION_SLOTS % XF_FW_REGIONS;
	__u64 tail = XF_READ_ONCE(*(__u64 *)&match->rule->tail), nth = tail >> 32;

	/* The end of an entry that was freed meanwhile has no counter any more. */
	if (nth && nth < XF_FW_COUNTERS && !(tail & XF_FW_FREED)) {
		/* The compiler knows the bound, but the verifier saw it of a copy. */
		barrier_var(nth);
		nth %= XF_FW_COUNTERS;
		xf_fw_count(&counts->rule[region][nth], len);
	} else {
		xf_fw_count_in_group(gen, match, len);
	}
}

/* A rule's verdict. */
static __always_inline int xf_fw_obey(const struct xf_fw_generation *gen,
				      const struct xf_fw_match *match, struct xf_fw_counts *counts,
				      __u32 len)
{
	xf_fw_count_rule(gen, match, counts, len);
	if (match->rule->rank & XF_FW_RANK_DENY) {
		xf_fw_count(&counts->totals.denied, len);
		return XDP_DROP;
	}
	xf_fw_count(&counts->totals.allowed, len);
	return XDP_PASS;
}

/* The verdict where no rule matches. */
static __always_inline int xf_fw_policy(struct xdp_md *ctx, const struct xf_fw_packet *packet,
					const struct xf_fw_match *match,
					struct xf_fw_counts *counts, __u32 len)
{
	struct xf_fw_totals *totals = &counts->totals;
	__u32 deny = match->deny;

	/* Without this the compiler divides all paths by the policy, and the verifier has twice as
	 * many to look at. */
	barrier_var(deny);
	if (!deny) {
		xf_fw_count(&totals->policy_allowed, len);
		return XDP_PASS;
	}
	if (xf_fw_exempt(ctx, packet, counts->scratch)) {
		xf_fw_count(&totals->exempt, len);
		return XDP_PASS;
	}
	xf_fw_count(&totals->policy_denied, len);
	return XDP_DROP;
}

/* The verdict; match->id becomes the reason of a drop. */
static __always_inline int xf_fw_verdict(struct xdp_md *ctx, const struct xf_fw_generation *gen,
					 const struct xf_fw_packet *packet,
					 struct xf_fw_match *match)
{
	__u32 len = packet->len, zero = 0;
	struct xf_fw_counts *counts = bpf_map_lookup_elem(&xf_fw_counts, &zero);

	if (!counts)
		return XDP_PASS; /* cannot be */
	if (match->id == XF_FW_UNREAD) {
		xf_fw_count(&counts->totals.policy_denied, len);
		return XDP_DROP;
	}
	if (match->rule)
		return xf_fw_obey(gen, match, counts, len);
	match->id = XF_FW_POLICY;
	return xf_fw_policy(ctx, packet, match, counts, len);
}

SEC("xdp")
int xdpfun_fw(struct xdp_md *ctx)
{
	struct xf_fw_packet packet = {};
	struct xf_fw_match match = {};
	const struct xf_fw_generation *gen;
	__u32 number;
	int verdict;

	gen = xf_fw_current(&number);
	if (!gen)
		return XDP_PASS;
	match.deny = XF_READ_ONCE(gen->deny);
	xf_fw_parse_addresses(ctx, &packet);
	xf_fw_match_prefixes(gen, number, &packet, &match);
	xf_fw_match_composites(ctx, gen, number, &packet, &match);
	verdict = xf_fw_verdict(ctx, gen, &packet, &match);
	if (verdict == XDP_DROP)
		xf_fw_log(ctx, gen, match.id);
	return verdict;
}

char _license[] SEC("license") = "GPL";
