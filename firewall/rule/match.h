/* SPDX-License-Identifier: GPL-2.0-only */
/* The rule that decides about one packet, found by a linear search. */
#ifndef XF_MATCH_H
#define XF_MATCH_H

#include "firewall/rule/rule.h"

/* A packet's fields that rules match. Where its source MAC is not known the worst is assumed of
 * rules that name one: rules that deny match, rules that allow do not. */
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
	struct xf_rule rule; /* the one that decides, of those seen so far */
	bool any;	     /* there is one; else the policy decides */
};

/* Look at one more rule. */
void xf_match__see(struct xf_match *match, const struct xf_rule *rule);

#endif
