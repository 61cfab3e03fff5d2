// SPDX-License-Identifier: GPL-2.0-only
#include "firewall/rule/protocols.h"

#include <netinet/in.h>

const struct xf_rule_protocol xf_rule_protocols[] = {
	{ "tcp", IPPROTO_TCP },	  { "udp", IPPROTO_UDP },	{ "sctp", IPPROTO_SCTP },
	{ "icmp", IPPROTO_ICMP }, { "icmpv6", IPPROTO_ICMPV6 }, {},
};
