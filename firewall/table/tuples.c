// SPDX-License-Identifier: GPL-2.0-only
/* Ranges of ports to groups, rules to tuples and their tuple spaces. */
#include <string.h>

#include "firewall/table/tuples.h"
#include "firewall/table/words.h"

size_t xf_ports_cut(uint16_t min, uint16_t max, struct xf_ports ports[XF_PORTS_MAX])
{
	uint32_t at = min;
	size_t n = 0;

	while (at <= max) {
		uint32_t size = at ? at & -at : 65536;

		while (at + size - 1 > max)
			size /= 2;
		ports[n++] = (struct xf_ports) { at, -size };
		at += size;
	}
	return n;
}

/* The upper bits of a word. */
static uint64_t upper(unsigned int bits)
{
	return bits ? ~0ull << (64 - bits) : 0;
}

/* IPv6: two words of an address. */
static void put_prefix6(const struct xf_prefix *prefix, __u64 *addr, __u64 *mask)
{
	unsigned int length = prefix->len;

	mask[0] = upper(length < 64 ? length : 64);
	mask[1] = upper(length < 64 ? 0 : length - 64);
	addr[0] = xf_from_bytes(prefix->addr, 8) & mask[0];
	addr[1] = xf_from_bytes(prefix->addr + 8, 8) & mask[1];
}

static void put_addresses(const struct xf_rule *rule, struct xf_cut *cut)
{
	__u64 *addr = cut->tuple.addr, *mask = cut->space.addr;

	if (rule->family == 6) {
		put_prefix6(&rule->src, addr, mask);
		put_prefix6(&rule->dst, addr + 2, mask + 2);
	} else if (rule->family == 4) {
		mask[0] = (upper(rule->src.len) >> 32 << 32) | upper(rule->dst.len) >> 32;
		addr[0] =
		    (xf_from_bytes(rule->src.addr, 4) << 32 | xf_from_bytes(rule->dst.addr, 4)) &
		    mask[0];
	}
}

/* Everything but the ports. */
static void put_fields(const struct xf_rule *rule, struct xf_cut *cut)
{
	struct xf_fw_space *space = &cut->space;

	memset(cut, 0, sizeof(*cut));
	cut->tuple.tail.kind = XF_FW_TUPLE;
	cut->tuple.tail.detail[0] = rule->family;
	put_addresses(rule, cut);
	if (rule->has & XF_RULE_PROTO) {
		space->l4 |= 0xffull << XF_FW_L4_PROTO;
		cut->tuple.l4 |= (uint64_t)rule->proto << XF_FW_L4_PROTO;
	}
	if (rule->has & XF_RULE_ESTABLISHED) {
		space->l4 |= XF_FW_L4_ESTABLISHED;
		cut->tuple.l4 |= XF_FW_L4_ESTABLISHED;
		space->needs |= XF_FW_LACKS_FLAGS;
	}
	if (rule->has & XF_RULE_MAC) {
		space->mac = ~0ull >> 16;
		cut->tuple.mac = xf_from_bytes(rule->mac, 6);
	}
	if (rule->has & (XF_RULE_SPORT | XF_RULE_DPORT))
		space->needs |= XF_FW_LACKS_PORTS;
	if (rule->has & ~(XF_RULE_SRC | XF_RULE_DST | XF_RULE_MAC))
		space->needs |= XF_FW_LACKS_PROTO;
}

/* No rule with a tuple of this many ports is narrower than the tuple. */
static uint64_t best_port_specificity(uint16_t mask)
{
	uint16_t others = ~mask;

	return 65535 - others;
}

static void put_ports(struct xf_cut *cut, struct xf_ports sport, struct xf_ports dport,
		      uint64_t rank)
{
	uint64_t ports = 0x1ffffull << XF_FW_RANK_SPORT | 0x1ffffull << XF_FW_RANK_DPORT;

	cut->tuple.l4 |= (uint64_t)sport.first << XF_FW_L4_SPORT | (uint64_t)dport.first
								       << XF_FW_L4_DPORT;
	cut->space.l4 |= (uint64_t)sport.mask << XF_FW_L4_SPORT | (uint64_t)dport.mask
								      << XF_FW_L4_DPORT;
	cut->space.best = (rank & ~ports) | XF_FW_RANK_DENY |
			  best_port_specificity(sport.mask) << XF_FW_RANK_SPORT |
			  best_port_specificity(dport.mask) << XF_FW_RANK_DPORT;
}

static size_t cut_ports(bool named, uint16_t min, uint16_t max, struct xf_ports *ports)
{
	return named ? xf_ports_cut(min, max, ports) : xf_ports_cut(0, 65535, ports);
}

size_t xf_rule_cut(const struct xf_rule *rule, struct xf_cut cuts[XF_CUTS_MAX])
{
	struct xf_ports sports[XF_PORTS_MAX], dports[XF_PORTS_MAX];
	size_t n_sports, n_dports, n = 0;
	uint64_t rank = xf_rule_rank(rule);

	n_sports = cut_ports(rule->has & XF_RULE_SPORT, rule->sport_min, rule->sport_max, sports);
	n_dports = cut_ports(rule->has & XF_RULE_DPORT, rule->dport_min, rule->dport_max, dports);
	for (size_t i = 0; i < n_sports; i++) {
		for (size_t j = 0; j < n_dports; j++, n++) {
			put_fields(rule, &cuts[n]);
			put_ports(&cuts[n], sports[i], dports[j], rank);
		}
	}
	return n;
}

void xf_rule_uncut(const struct xf_fw_tuple *tuple, struct xf_rule *rule)
{
	if (rule->family == 6) {
		xf_to_bytes(tuple->addr[0], rule->src.addr, 8);
		xf_to_bytes(tuple->addr[1], rule->src.addr + 8, 8);
		xf_to_bytes(tuple->addr[2], rule->dst.addr, 8);
		xf_to_bytes(tuple->addr[3], rule->dst.addr + 8, 8);
	} else if (rule->family == 4) {
		xf_to_bytes(tuple->addr[0] >> 32, rule->src.addr, 4);
		xf_to_bytes(tuple->addr[0], rule->dst.addr, 4);
	}
}
