// SPDX-License-Identifier: GPL-2.0-only
/* The reference matcher, which tries every rule in turn and disregards speed. */
#include <string.h>

#include "tests/prog/firewall/ref_fw.h"
#include "tests/prog/logger/ref_parse.h"

#define LAYER4 (XF_RULE_SPORT | XF_RULE_DPORT | XF_RULE_PROTO | XF_RULE_ESTABLISHED)

static bool is_ip(const struct xf_record *rec)
{
	return rec->have & (XF_HAVE_IP4 | XF_HAVE_IP6);
}

static int family(const struct xf_record *rec)
{
	return rec->have & XF_HAVE_IP4 ? 4 : rec->have & XF_HAVE_IP6 ? 6 : 0;
}

/* UDP-Lite has ports, but rules for ports do not match it. */
static bool has_ports(const struct xf_record *rec)
{
	return (rec->have & XF_HAVE_PORTS) &&
	       (rec->proto == 6 || rec->proto == 17 || rec->proto == 132);
}

static bool in_prefix(const struct xf_prefix *prefix, const uint8_t *addr)
{
	for (int bit = 0; bit < prefix->len; bit++)
		if ((prefix->addr[bit / 8] ^ addr[bit / 8]) >> (7 - bit % 8) & 1)
			return false;
	return true;
}

/* @unread: the packet has too many headers, or tags if it is no IP. */
static bool matches(const struct xf_rule *rule, const struct xf_record *rec, bool unread)
{
	unsigned int has = rule->has;

	if (has & LAYER4 && unread)
		return false;
	if (has & XF_RULE_MAC && memcmp(rule->mac, rec->eth_src, 6))
		return false;
	if (has & ~XF_RULE_MAC && !is_ip(rec))
		return false;
	if (rule->family && rule->family != family(rec))
		return false;
	if (has & XF_RULE_SRC && !in_prefix(&rule->src, rec->src))
		return false;
	if (has & XF_RULE_DST && !in_prefix(&rule->dst, rec->dst))
		return false;
	if (has & XF_RULE_PROTO && rule->proto != rec->proto)
		return false;
	if (has & (XF_RULE_SPORT | XF_RULE_DPORT) && !has_ports(rec))
		return false;
	if (has & XF_RULE_SPORT && (rec->sport < rule->sport_min || rec->sport > rule->sport_max))
		return false;
	if (has & XF_RULE_DPORT && (rec->dport < rule->dport_min || rec->dport > rule->dport_max))
		return false;
	if (has & XF_RULE_ESTABLISHED)
		return rec->proto == 6 && (rec->have & XF_HAVE_TCP_FLAGS) &&
		       (rec->tcp_flags & (0x10 | 0x04));
	return true;
}

static int compare(unsigned int a, unsigned int b)
{
	return a < b ? -1 : a > b;
}

static unsigned int width(const struct xf_rule *rule, unsigned int has, uint16_t min, uint16_t max)
{
	return rule->has & has ? max - min : 65535;
}

static int compare_bit(const struct xf_rule *a, const struct xf_rule *b, unsigned int has)
{
	return compare(a->has & has, b->has & has);
}

/* Returns more than 0 when @a is the more specific one. */
static int specific(const struct xf_rule *a, const struct xf_rule *b)
{
	int order = compare(a->protect, b->protect);

	if (!order)
		order = compare(a->src.len, b->src.len);
	if (!order)
		order = compare(a->dst.len, b->dst.len);
	if (!order)
		order = compare(width(b, XF_RULE_DPORT, b->dport_min, b->dport_max),
				width(a, XF_RULE_DPORT, a->dport_min, a->dport_max));
	if (!order)
		order = compare(width(b, XF_RULE_SPORT, b->sport_min, b->sport_max),
				width(a, XF_RULE_SPORT, a->sport_min, a->sport_max));
	if (!order)
		order = compare_bit(a, b, XF_RULE_MAC);
	if (!order)
		order = compare_bit(a, b, XF_RULE_PROTO);
	if (!order)
		order = compare_bit(a, b, XF_RULE_ESTABLISHED);
	return order ? order : compare(a->deny, b->deny);
}

/* RFC 4890, 4.4.1, and all codes of errors. */
static bool exempt_icmp6(unsigned int type)
{
	static const uint8_t types[] = { 1,   2,   3,	4,   128, 129, 130, 131, 132, 133, 134,
					 135, 136, 141, 142, 143, 148, 149, 151, 152, 153 };

	return memchr(types, type, sizeof(types));
}

/* All that RFC 2236, 3376 and 4286 have. */
static bool exempt_igmp(unsigned int type)
{
	return type == 0x11 || type == 0x12 || type == 0x16 || type == 0x17 || type == 0x22 ||
	       (type >= 0x30 && type <= 0x32);
}

static bool exempt(const struct xf_record *rec)
{
	if (rec->eth_type == 0x0806)
		return true;
	if (rec->have & XF_HAVE_ICMP && rec->proto == 1)
		return rec->icmp_type == 0 || rec->icmp_type == 3 || rec->icmp_type == 11 ||
		       rec->icmp_type == 12;
	if (rec->have & XF_HAVE_ICMP && rec->proto == 2)
		return exempt_igmp(rec->icmp_type);
	if (rec->have & XF_HAVE_ICMP)
		return exempt_icmp6(rec->icmp_type);
	if (!(rec->have & XF_HAVE_PORTS) || rec->proto != 17)
		return false;
	return rec->have & XF_HAVE_IP4 ? rec->sport == 67 && rec->dport == 68 : rec->dport == 546;
}

/* Whether a rule could deny the packet behind the tags; or behind the extension headers, and be
 * more specific than the one that was found. */
static bool may_deny_unread(const struct xf_rule *rule, const struct xf_rule *found,
			    const struct xf_record *rec)
{
	struct xf_rule deny = *rule;

	deny.deny = true;
	if (!is_ip(rec))
		return rule->has != XF_RULE_MAC && !(found && found->deny);
	return rule->has & LAYER4 && (!rule->family || rule->family == family(rec)) &&
	       (!found || specific(&deny, found) > 0);
}

enum xf_fate xf_ref_fate(const struct xf_rule *rules, size_t n, bool deny_policy,
			 const uint8_t *bytes, size_t len)
{
	const struct xf_rule *best = NULL;
	struct xf_record rec;
	bool unread;

	unread = xf_ref_parse_fw(bytes, len, &rec);
	for (size_t i = 0; i < n; i++)
		if (matches(&rules[i], &rec, unread) && (!best || specific(&rules[i], best) > 0))
			best = &rules[i];
	for (size_t i = 0; i < n && unread; i++)
		if (may_deny_unread(&rules[i], best, &rec))
			return XF_FATE_POLICY_DENIED;
	if (best)
		return best->deny ? XF_FATE_DENIED : XF_FATE_ALLOWED;
	if (!deny_policy)
		return XF_FATE_POLICY_ALLOWED;
	return exempt(&rec) ? XF_FATE_EXEMPT : XF_FATE_POLICY_DENIED;
}
