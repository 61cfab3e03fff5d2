// SPDX-License-Identifier: GPL-2.0-only
/* Whether a rule can have dropped a packet. */
#include "loader/firewall/may_have_dropped.h"

#include <string.h>

#include "firewall/rule/match.h"

#define TCP_RST 0x04
#define TCP_ACK 0x10

static struct xf_match_packet packet_of(const struct xf_record *rec)
{
	struct xf_match_packet packet = {
		.family = rec->have & XF_HAVE_IP4   ? 4
			  : rec->have & XF_HAVE_IP6 ? 6
						    : 0,
		.proto = rec->proto,
		.established =
		    rec->have & XF_HAVE_TCP_FLAGS && rec->tcp_flags & (TCP_ACK | TCP_RST),
	};

	memcpy(packet.src, rec->src, sizeof(packet.src));
	memcpy(packet.dst, rec->dst, sizeof(packet.dst));
	if (rec->have & XF_HAVE_PORTS) {
		packet.sport = rec->sport;
		packet.dport = rec->dport;
	}
	return packet;
}

bool xf_fw_may_have_dropped(const struct xf_rule *rule, const struct xf_record *rec)
{
	struct xf_match_packet packet = packet_of(rec);
	struct xf_rule without_mac = *rule;

	if (!rule->deny)
		return false;
	if (rule->has & XF_RULE_MAC && rec->have & XF_HAVE_ETH &&
	    memcmp(rule->mac, rec->eth_src, sizeof(rule->mac)))
		return false;
	without_mac.has &= ~XF_RULE_MAC;
	/* A record does not tell which fields the firewall read in a part that was cut off. */
	return rec->have & XF_TRUNCATED || xf_rule_matches(&without_mac, &packet);
}
