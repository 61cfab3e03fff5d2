/* SPDX-License-Identifier: GPL-2.0-only */
/* Which of many rules holds for one packet, found by looking at all of them. */
#ifndef XF_MATCH_H
#define XF_MATCH_H

#include "firewall/rule/rule.h"

/* A packet, as far as rules look at it. Where its source MAC is not known the worst is assumed of
 * rules that name one: those that deny match, those that allow do not. */
struct xf_match_packet {
	uint8_t family;	 /* 4 or 6 */
	uint8_t src[16]; /* IPv4 in the first four bytes */
	uint8_t dst[16];
	uint8_t proto;
	uint16_t sport, dport; /* host byte order */
	bool established;      /* ACK or RST is set */
	bool mac_known;
	uint8_t mac[6];
};

bool xf_rule_matches(const struct xf_rule *rule, const struct xf_match_packet *packet);

struct xf_match {
	struct xf_match_packet packet;
	struct xf_rule rule; /* the one that holds, of those that it has seen */
	bool any;	     /* there is one; else the policy decides */
};

/* Look at one more rule. */
void xf_match__see(struct xf_match *judge, const struct xf_rule *rule);

#endif
