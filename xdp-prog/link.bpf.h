/* SPDX-License-Identifier: GPL-2.0-only */
/* The headers before that of IP: Ethernet with its tags, PPPoE, MPLS, or nothing. */
#ifndef XF_LINK_BPF_H
#define XF_LINK_BPF_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "cursor.bpf.h"
#include "headers.bpf.h"

/* Keeps what other frames need out of the way of those that begin with IP. */
#define xf_unlikely(condition) __builtin_expect(!!(condition), 0)

static __always_inline int xf_is_vlan(__u16 eth_type)
{
	return eth_type == ETH_P_8021Q || eth_type == ETH_P_8021AD;
}

/* Of the EtherTypes that may follow a tag those behind which Linux finds IP. */
static __always_inline int xf_is_tagged(__u16 eth_type)
{
	return eth_type == ETH_P_IP || eth_type == ETH_P_IPV6 || xf_is_vlan(eth_type);
}

/* IPv4 and IPv6 in a PPPoE session become the cursor's eth_type. Linux looks neither at the version
 * nor at the code, and most versions of it take one odd byte for all of PPP's protocol, whatever
 * was agreed upon. Multilink, compressed packets and MPLS are not read: IP can be in there, but not
 * in LCP, IPCP and the like. Returns whether the header is there. */
static __always_inline int xf_parse_pppoe(struct xf_cursor *cur)
{
	const struct xf_pppoe_hdr *pppoe = xf_peek(cur, sizeof(*pppoe));
	__u16 protocol;

	if (!pppoe)
		return 0;
	protocol = pppoe->protocol[0];
	if (protocol & 1) {
		xf_skip(cur, sizeof(*pppoe) - 1);
	} else {
		protocol = protocol << 8 | pppoe->protocol[1];
		xf_skip(cur, sizeof(*pppoe));
	}
	if (protocol == XF_PPP_IP)
		cur->eth_type = ETH_P_IP;
	else if (protocol == XF_PPP_IPV6)
		cur->eth_type = ETH_P_IPV6;
	else
		cur->unread = protocol < XF_PPP_CONTROL;
	return 1;
}

/* The EtherType of an IP packet, which nothing but its first byte tells; @other: of anything else.
 * 0: nothing is there. */
static __always_inline __u16 xf_ip_type(const struct xf_cursor *cur, __u16 other)
{
	const __u8 *ip = xf_peek(cur, 1);

	if (!ip)
		return 0;
	return *ip >> 4 == 4 ? ETH_P_IP : *ip >> 4 == 6 ? ETH_P_IPV6 : other;
}

/* Moves over one label. Returns whether there is another one, or 2 where it is cut off. */
static __always_inline int xf_parse_label(struct xf_cursor *cur)
{
	const __u8 *label = xf_peek(cur, 4);

	if (!label)
		return 2;
	xf_skip(cur, 4);
	return !(label[2] & XF_MPLS_BOTTOM);
}

/* The same for IP behind labels. */
static __always_inline int xf_parse_mpls(struct xf_cursor *cur)
{
	__u16 type = cur->eth_type;
	int more = xf_parse_label(cur);

	/* Not a loop, which not every compiler unrolls here. */
	if (more == 1)
		more = xf_parse_label(cur);
	if (more == 1)
		more = xf_parse_label(cur);
	if (more == 1)
		more = xf_parse_label(cur);
	cur->unread = more == 1;
	if (more)
		return 0;
	type = xf_ip_type(cur, type);
	if (!type)
		return 0;
	cur->eth_type = type;
	return 1;
}

/* An Ethernet header, all tags, and a PPPoE header or labels are shorter. */
#define XF_LINK_LEN_MASK 0x3f

/* Make one place of all that the headers before IP may have made of it: the verifier would look at
 * what follows once for each. */
static __always_inline void xf_settle(struct xf_cursor *cur, __u64 at)
{
	barrier_var(at);
	cur->at = at & XF_LINK_LEN_MASK;
	cur->pos = cur->start + cur->at;
}

/* The Ethernet header and its tags; leaves the cursor behind them. Returns whether all of them have
 * been passed. */
static __always_inline int xf_parse_link(struct xf_cursor *cur, struct xf_record *rec)
{
	struct ethhdr *eth = xf_peek(cur, sizeof(*eth));
	struct xf_vlan_hdr *vlan;
	int whole;

	if (!eth)
		return 0;
	cur->eth_type = bpf_ntohs(eth->h_proto);
	xf_skip(cur, sizeof(*eth));
	if (rec) {
		/* Both: source behind destination, here and there. */
		xf_copy_macs(rec->eth_dst, eth->h_dest);
		rec->eth_type = cur->eth_type;
		rec->have |= XF_HAVE_ETH;
	}

#pragma unroll
	for (int i = 0; i < XF_MAX_VLANS && xf_is_vlan(cur->eth_type); i++) {
		vlan = xf_peek(cur, sizeof(*vlan));
		if (!vlan)
			return 0;
		cur->eth_type = bpf_ntohs(vlan->eth_type);
		xf_skip(cur, sizeof(*vlan));
		if (rec) {
			rec->vlan[i] = bpf_ntohs(vlan->tci) & 0xfff;
			rec->vlans = i + 1;
			rec->eth_type = cur->eth_type;
		}
	}
	cur->unread = xf_is_vlan(cur->eth_type);
	whole = !cur->unread;
	if (xf_unlikely(cur->eth_type == ETH_P_PPP_SES))
		whole = xf_parse_pppoe(cur);
	else if (xf_unlikely(cur->eth_type == ETH_P_MPLS_UC || cur->eth_type == ETH_P_MPLS_MC))
		whole = xf_parse_mpls(cur);
	xf_settle(cur, xf_at(cur));
	return whole;
}

SEC(XF_LINK_MAP) const volatile __u32 xf_link = XF_LINK_ETHER;

/* An interface without a link layer. The kernel knows from elsewhere (GRE's header, tun's packet
 * information) what such a packet is: where that is a tag, two bytes of tag and an EtherType are
 * here, and it takes a tag of VLAN 0 off. So a packet that is not certainly IP is unread. The
 * length of an IPv4 header tells it from a tag; in IPv6 the tag's EtherType would be a flow label.
 */
static __always_inline int xf_parse_no_link(struct xf_cursor *cur)
{
	const __u8 *ip = xf_peek(cur, 4);
	__u16 type;

	if (!ip)
		return 0;
	type = ip[2] << 8 | ip[3];
	if (ip[0] >> 4 == 4 && (ip[0] & 0xf) >= 5)
		cur->eth_type = ETH_P_IP;
	else if (ip[0] >> 4 == 6 && (ip[0] & 0xf || ip[1] || !xf_is_tagged(type)))
		cur->eth_type = ETH_P_IPV6;
	else
		cur->unread = 1;
	return !cur->unread;
}

#endif
