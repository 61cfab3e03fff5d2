/* SPDX-License-Identifier: GPL-2.0-only */
/* The protocols that have a name in rules and in the log: X(number, name) for each. */
#ifndef XF_PROTOCOLS_H
#define XF_PROTOCOLS_H

#define XF_PROTOCOLS(X)                                                                            \
	X(6, "tcp")                                                                                \
	X(17, "udp")                                                                               \
	X(132, "sctp")                                                                             \
	X(1, "icmp")                                                                               \
	X(58, "icmpv6")                                                                            \
	X(2, "igmp")                                                                               \
	X(47, "gre")                                                                               \
	X(50, "esp")                                                                               \
	X(51, "ah")                                                                                \
	X(89, "ospf")                                                                              \
	X(103, "pim")                                                                              \
	X(112, "vrrp")                                                                             \
	X(4, "ipip")

#endif
