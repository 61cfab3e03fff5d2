/* SPDX-License-Identifier: GPL-2.0-only */
/* Packets that a policy of deny lets through, so that it does not cut the machine off. A rule that
 * names such a packet still drops it. */
#ifndef XF_FW_EXEMPT_BPF_H
#define XF_FW_EXEMPT_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "fw_packet.bpf.h"

/* Kernel's enum; the headers of user space do not have all of them for BPF. */
#define XF_TCP_ESTABLISHED 1 /* a UDP socket that is connected says this too */
#define XF_TCP_SYN_SENT 2
#define XF_TCP_LISTEN 10

/* <linux/icmp.h> pulls in headers that are not for the bpf target. */
#define XF_ICMP_ECHOREPLY 0
#define XF_ICMP_DEST_UNREACH 3
#define XF_ICMP_TIME_EXCEEDED 11
#define XF_ICMP_PARAMETERPROB 12

#define XF_DHCP_SERVER 67
#define XF_DHCP_CLIENT 68
#define XF_DHCP6_CLIENT 546

#define XF_BIT(n) (1ull << ((n)&63))

/* ICMPv6 that must not be dropped on its way to a host, RFC 4890, 4.4.1: errors, echo, listener
 * discovery, neighbour discovery, SEND and multicast routers; of errors also the codes of 4.4.2,
 * which normally should not be. Types 0 to 63, and from 128. */
#define XF_ICMP6_ERRORS (XF_BIT(1) | XF_BIT(2) | XF_BIT(3) | XF_BIT(4))
#define XF_ICMP6_OTHERS                                                                            \
	(XF_BIT(128 - 128) | XF_BIT(129 - 128) | XF_BIT(130 - 128) | XF_BIT(131 - 128) |           \
	 XF_BIT(132 - 128) | XF_BIT(133 - 128) | XF_BIT(134 - 128) | XF_BIT(135 - 128) |           \
	 XF_BIT(136 - 128) | XF_BIT(141 - 128) | XF_BIT(142 - 128) | XF_BIT(143 - 128) |           \
	 XF_BIT(148 - 128) | XF_BIT(149 - 128) | XF_BIT(151 - 128) | XF_BIT(152 - 128) |           \
	 XF_BIT(153 - 128))

/* The types of IGMP by which switches and routers know the groups of this machine, as above:
 * queries, reports and leaving of IGMP 1 to 3 (RFC 3376), and multicast routers (RFC 4286). DVMRP
 * and PIM, which have types of their own, are for routers. */
#define XF_IGMP                                                                                    \
	(XF_BIT(0x11) | XF_BIT(0x12) | XF_BIT(0x16) | XF_BIT(0x17) | XF_BIT(0x22) | XF_BIT(0x30) | \
	 XF_BIT(0x31) | XF_BIT(0x32))

static __always_inline int xf_fw_exempt_igmp(const struct xf_fw_packet *packet)
{
	return xf_fw_type(packet) < 64 && (XF_IGMP >> xf_fw_type(packet) & 1);
}

static __always_inline int xf_fw_exempt_icmp(const struct xf_fw_packet *packet)
{
	__u32 type = xf_fw_type(packet);

	if (packet->family == 4)
		return type == XF_ICMP_ECHOREPLY || type == XF_ICMP_DEST_UNREACH ||
		       type == XF_ICMP_TIME_EXCEEDED || type == XF_ICMP_PARAMETERPROB;
	if (type < 64)
		return XF_ICMP6_ERRORS >> type & 1;
	return type >= 128 && type < 192 && (XF_ICMP6_OTHERS >> (type & 63) & 1);
}

/* Answers of servers. RFC 951 has the port that they come from over IPv4; RFC 8415 names the
 * client's port only, and there are servers and relays that send from any. */
static __always_inline int xf_fw_exempt_dhcp(const struct xf_fw_packet *packet)
{
	__u32 ports = xf_fw_l4(packet);

	if (packet->family == 4)
		return ports == (XF_DHCP_CLIENT << XF_FW_L4_DPORT | XF_DHCP_SERVER);
	return ports >> XF_FW_L4_DPORT == XF_DHCP6_CLIENT;
}

static __always_inline void xf_fw_fill_peer(const struct xf_fw_packet *packet,
					    struct bpf_sock_tuple *tuple)
{
	__be16 sport = bpf_htons(xf_fw_l4(packet) >> XF_FW_L4_SPORT);
	__be16 dport = bpf_htons(xf_fw_l4(packet) >> XF_FW_L4_DPORT);

	if (packet->family == 4) {
		tuple->ipv4.saddr = bpf_htonl(packet->src_hi);
		tuple->ipv4.daddr = bpf_htonl(packet->dst_hi);
		tuple->ipv4.sport = sport;
		tuple->ipv4.dport = dport;
		return;
	}
	tuple->ipv6.saddr[0] = bpf_htonl(packet->src_hi >> 32);
	tuple->ipv6.saddr[1] = bpf_htonl(packet->src_hi);
	tuple->ipv6.saddr[2] = bpf_htonl(packet->src_lo >> 32);
	tuple->ipv6.saddr[3] = bpf_htonl(packet->src_lo);
	tuple->ipv6.daddr[0] = bpf_htonl(packet->dst_hi >> 32);
	tuple->ipv6.daddr[1] = bpf_htonl(packet->dst_hi);
	tuple->ipv6.daddr[2] = bpf_htonl(packet->dst_lo >> 32);
	tuple->ipv6.daddr[3] = bpf_htonl(packet->dst_lo);
	tuple->ipv6.sport = sport;
	tuple->ipv6.dport = dport;
}

/* Whether this packet belongs to a TCP connection of this machine: of any state, but no listener.
 * One that would open a connection belongs to none, but where both ends open it: a SYN for a socket
 * in TIME_WAIT is for the listener. */
static __always_inline int xf_fw_own_tcp(struct xdp_md *ctx, const struct xf_fw_packet *packet,
					 struct bpf_sock_tuple *tuple)
{
	struct bpf_sock *sk;
	int own;

	/* The verifier wants to know the size. */
	if (packet->family == 4)
		sk = bpf_skc_lookup_tcp(ctx, tuple, sizeof(tuple->ipv4), BPF_F_CURRENT_NETNS, 0);
	else
		sk = bpf_skc_lookup_tcp(ctx, tuple, sizeof(tuple->ipv6), BPF_F_CURRENT_NETNS, 0);
	if (!sk)
		return 0;
	own = xf_fw_l4(packet) & XF_FW_L4_ESTABLISHED ? sk->state != XF_TCP_LISTEN
						      : sk->state == XF_TCP_SYN_SENT;
	bpf_sk_release(sk);
	return own;
}

/* Whether this packet is for a UDP socket that is connected to its sender. */
static __always_inline int xf_fw_own_udp(struct xdp_md *ctx, const struct xf_fw_packet *packet,
					 struct bpf_sock_tuple *tuple)
{
	struct bpf_sock *sk;
	int own;

	if (packet->family == 4)
		sk = bpf_sk_lookup_udp(ctx, tuple, sizeof(tuple->ipv4), BPF_F_CURRENT_NETNS, 0);
	else
		sk = bpf_sk_lookup_udp(ctx, tuple, sizeof(tuple->ipv6), BPF_F_CURRENT_NETNS, 0);
	if (!sk)
		return 0;
	own = sk->state == XF_TCP_ESTABLISHED;
	bpf_sk_release(sk);
	return own;
}

/* Whether this packet of TCP or UDP is for a socket that knows its sender. */
static __always_inline int xf_fw_own(struct xdp_md *ctx, const struct xf_fw_packet *packet,
				     void *scratch)
{
	struct bpf_sock_tuple *tuple = scratch;

	xf_fw_fill_peer(packet, tuple);
	if (xf_fw_proto(packet) == IPPROTO_TCP)
		return xf_fw_own_tcp(ctx, packet, tuple);
	return xf_fw_own_udp(ctx, packet, tuple);
}

/* Whether a packet that no rule matches passes although the policy is deny. @scratch has room for a
 * struct bpf_sock_tuple. */
static __always_inline int xf_fw_exempt(struct xdp_md *ctx, const struct xf_fw_packet *packet,
					void *scratch)
{
	if (!packet->family)
		return packet->at == ETH_P_ARP;
	if (xf_fw_proto(packet) == (packet->family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6))
		return xf_fw_exempt_icmp(packet);
	if (packet->family == 4 && xf_fw_proto(packet) == IPPROTO_IGMP)
		return xf_fw_exempt_igmp(packet);
	if (xf_fw_lacks(packet) & XF_FW_LACKS_PORTS)
		return 0;
	if (xf_fw_proto(packet) == IPPROTO_UDP && xf_fw_exempt_dhcp(packet))
		return 1;
	if (xf_fw_proto(packet) == IPPROTO_TCP || xf_fw_proto(packet) == IPPROTO_UDP)
		return xf_fw_own(ctx, packet, scratch);
	return 0;
}

#endif
