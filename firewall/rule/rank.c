// SPDX-License-Identifier: GPL-2.0-only
/* The order of rules by how specific they are, and their equality. */
#include <string.h>

#include "firewall/rule/rule.h"
#include "xdp-prog/fw_abi.h"

/* 0 for all ports, 65535 for one. */
static uint64_t port_specificity(uint16_t min, uint16_t max)
{
	return 65535 - (max - min);
}

uint64_t xf_rule_rank(const struct xf_rule *rule)
{
	uint64_t rank =
	    (rule->deny ? XF_FW_RANK_DENY : 0) | (rule->protect ? XF_FW_RANK_PROTECT : 0);

	if (rule->has & XF_RULE_SRC)
		rank |= (uint64_t)rule->src.len << XF_FW_RANK_SRC;
	if (rule->has & XF_RULE_DST)
		rank |= (uint64_t)rule->dst.len << XF_FW_RANK_DST;
	if (rule->has & XF_RULE_DPORT)
		rank |= port_specificity(rule->dport_min, rule->dport_max) << XF_FW_RANK_DPORT;
	if (rule->has & XF_RULE_SPORT)
		rank |= port_specificity(rule->sport_min, rule->sport_max) << XF_FW_RANK_SPORT;
	if (rule->has & XF_RULE_MAC)
		rank |= XF_FW_RANK_MAC;
	if (rule->has & XF_RULE_PROTO)
		rank |= XF_FW_RANK_PROTO;
	if (rule->has & XF_RULE_ESTABLISHED)
		rank |= XF_FW_RANK_ESTABLISHED;
	return rank;
}

static bool same_prefix(const struct xf_prefix *a, const struct xf_prefix *b)
{
	return a->len == b->len && !memcmp(a->addr, b->addr, sizeof(a->addr));
}

bool xf_rule_equal(const struct xf_rule *a, const struct xf_rule *b)
{
	return a->deny == b->deny && a->protect == b->protect && a->has == b->has &&
	       a->family == b->family && a->proto == b->proto && same_prefix(&a->src, &b->src) &&
	       same_prefix(&a->dst, &b->dst) && a->sport_min == b->sport_min &&
	       a->sport_max == b->sport_max && a->dport_min == b->dport_min &&
	       a->dport_max == b->dport_max && !memcmp(a->mac, b->mac, sizeof(a->mac));
}
