// SPDX-License-Identifier: GPL-2.0-only
/* The rule that decides about one packet. */
#include "firewall/rule/match.h"

#include <netinet/in.h>
#include <string.h>

static bool has_prefix(const uint8_t addr[16], const struct xf_prefix *prefix)
{
	unsigned int bytes = prefix->len / 8, bits = prefix->len % 8;

	if (memcmp(addr, prefix->addr, bytes))
		return false;
	return !bits || !((addr[bytes] ^ prefix->addr[bytes]) >> (8 - bits));
}

static bool has_ports(uint8_t proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP;
}

static bool is_between(uint16_t port, uint16_t min, uint16_t max)
{
	return port >= min && port <= max;
}

bool xf_rule_matches(const struct xf_rule *rule, const struct xf_match_packet *packet)
{
	unsigned int has = rule->has;

	if (rule->family && rule->family != packet->family)
		return false;
	if (has & XF_RULE_SRC && !has_prefix(packet->src, &rule->src))
		return false;
	if (has & XF_RULE_DST && !has_prefix(packet->dst, &rule->dst))
		return false;
	if (has & XF_RULE_PROTO && rule->proto != packet->proto)
		return false;
	if (has & (XF_RULE_SPORT | XF_RULE_DPORT) && !has_ports(packet->proto))
		return false;
	if (has & XF_RULE_SPORT && !is_between(packet->sport, rule->sport_min, rule->sport_max))
		return false;
	if (has & XF_RULE_DPORT && !is_between(packet->dport, rule->dport_min, rule->dport_max))
		return false;
	if (has & XF_RULE_ESTABLISHED && (packet->proto != IPPROTO_TCP || !packet->established))
		return false;
	if (!(has & XF_RULE_MAC))
		return true;
	return packet->mac_known ? !memcmp(rule->mac, packet->mac, sizeof(rule->mac)) : rule->deny;
}

void xf_match__see(struct xf_match *match, const struct xf_rule *rule)
{
	if (!xf_rule_matches(rule, &match->packet))
		return;
	if (match->any && xf_rule_rank(rule) <= xf_rule_rank(&match->rule))
		return;
	match->any = true;
	match->rule = *rule;
}
