/* SPDX-License-Identifier: GPL-2.0-only */
/* Bytes to what rules are about. Reads what parse.bpf.h reads, in the same way, but makes no record
 * of it: addresses first, the rest only when it is asked for. */
#ifndef XF_FW_PARSE_BPF_H
#define XF_FW_PARSE_BPF_H

#include "fw_abi.h"
#define XF_EXT_OF_LINUX
#include "parse.bpf.h"

#define XF_FW_NO_TYPE 0xff /* reserved in both */

/* Fields in host byte order. */
struct xf_fw_packet {
	struct xf_cursor rest; /* of the packet, behind what has been read */
	__u64 src_hi, src_lo;  /* IPv4 in src_hi */
	__u64 dst_hi, dst_lo;
	__u64 mac;	/* source, as in xf_fw_tuple */
	__u64 l4;	/* XF_FW_L4_* */
	__u16 eth_type; /* behind the tags, network byte order */
	__u8 family;	/* 4, 6, or 0: no IP, or not readable */
	__u8 proto;
	__u8 tagged; /* more VLAN tags than are looked through: what is behind is not known */
	__u8 type;   /* of ICMP and ICMPv6, or XF_FW_NO_TYPE where it is not there */
	__u32 lacks; /* enum xf_fw_lacks */
};

static __always_inline __u64 xf_fw_word(const void *at)
{
	const __be32 *half = at;

	return (__u64)bpf_ntohl(half[0]) << 32 | bpf_ntohl(half[1]);
}

static __always_inline __u64 xf_fw_mac(const void *at)
{
	const __be16 *part = at;

	return (__u64)bpf_ntohs(part[0]) << 32 | (__u64)bpf_ntohs(part[1]) << 16 |
	       bpf_ntohs(part[2]);
}

static __always_inline int xf_fw_is_vlan(__be16 eth_type)
{
	return eth_type == bpf_htons(ETH_P_8021Q) || eth_type == bpf_htons(ETH_P_8021AD);
}

static __always_inline void xf_fw_skip_vlans(struct xf_fw_packet *packet)
{
	struct xf_vlan_hdr *vlan;

#pragma unroll
	for (int i = 0; i < XF_MAX_VLANS; i++) {
		if (!xf_fw_is_vlan(packet->eth_type))
			return;
		vlan = xf_peek(&packet->rest, sizeof(*vlan));
		if (!vlan)
			return;
		packet->eth_type = vlan->eth_type;
		packet->rest.pos += sizeof(*vlan);
	}
	packet->tagged = xf_fw_is_vlan(packet->eth_type);
}

/* An Ethernet header and all tags that are looked through are shorter. */
#define XF_FW_TAGGED_MASK 0x3f

/* The frame as far as the addresses. */
static __always_inline void xf_fw_parse_addresses(struct xf_fw_packet *packet)
{
	struct ethhdr *eth = xf_peek(&packet->rest, sizeof(*eth));
	struct xf_ip4_hdr *ip4;
	struct xf_ip6_hdr *ip6;
	__u64 at;

	if (!eth)
		return;
	packet->mac = xf_fw_mac(eth->h_source);
	packet->eth_type = eth->h_proto;
	packet->rest.pos += sizeof(*eth);
	if (xf_fw_is_vlan(packet->eth_type))
		xf_fw_skip_vlans(packet);
	/* One place for all that the tags may have made of it: the verifier would look at what
	 * follows once for each. */
	at = packet->rest.pos - (void *)eth;
	barrier_var(at);
	packet->rest.pos = (void *)eth + (at & XF_FW_TAGGED_MASK);
	if (packet->eth_type == bpf_htons(ETH_P_IP)) {
		ip4 = xf_peek(&packet->rest, sizeof(*ip4));
		if (!ip4 || ip4->version_ihl >> 4 != 4)
			return;
		packet->family = 4;
		packet->src_hi = bpf_ntohl(*(__be32 *)ip4->src);
		packet->dst_hi = bpf_ntohl(*(__be32 *)ip4->dst);
	} else if (packet->eth_type == bpf_htons(ETH_P_IPV6)) {
		ip6 = xf_peek(&packet->rest, sizeof(*ip6));
		if (!ip6 || ip6->version_class >> 4 != 6)
			return;
		packet->family = 6;
		packet->src_hi = xf_fw_word(ip6->src);
		packet->src_lo = xf_fw_word(ip6->src + 8);
		packet->dst_hi = xf_fw_word(ip6->dst);
		packet->dst_lo = xf_fw_word(ip6->dst + 8);
	}
}

/* Of a first fragment layer 4 may be in the second one, which rules see nothing of: until it has
 * been read whatever it could be is lacking (RFC 1858, 3; RFC 7112). A number and no branch: the
 * verifier would follow both from there on. */
static __always_inline void xf_fw_note_first(struct xf_fw_packet *packet, __u32 more_fragments)
{
	packet->lacks |= (more_fragments & 1) * XF_FW_LACKS_PROTO;
}

/* Move over an IPv4 header. Returns 0 when layer 4 is not there. */
static __always_inline int xf_fw_skip_ip4(struct xf_fw_packet *packet)
{
	struct xf_ip4_hdr *ip = xf_peek(&packet->rest, sizeof(*ip));
	__u32 hdr_len, tot_len;

	if (!ip)
		return 0;
	packet->proto = ip->proto;
	hdr_len = (ip->version_ihl & 0xf) * 4;
	if (hdr_len < sizeof(*ip) || !xf_peek(&packet->rest, hdr_len) ||
	    ip->frag & bpf_htons(0x1fff))
		return 0;
	xf_fw_note_first(packet, bpf_ntohs(ip->frag) >> 13);
	packet->rest.pos += hdr_len;
	tot_len = bpf_ntohs(ip->tot_len) ?: 0x10000 + 60;
	packet->rest.dgram = tot_len > hdr_len ? tot_len - hdr_len : 0;
	return 1;
}

/* Move over extension headers, as xf_parse_ip6() does. Where they do not end in what is there, or
 * what ends them is behind the datagram, layer 4 is anything. */
static __always_inline int xf_fw_skip_ip6(struct xf_fw_packet *packet)
{
	struct xf_ip6_hdr *ip = xf_peek(&packet->rest, sizeof(*ip));
	struct xf_ext_rule rule;
	struct xf_ext_hdr *ext;
	__u32 payload;
	__u64 more;

	if (!ip)
		return 0;
	packet->proto = ip->next;
	packet->rest.pos += sizeof(*ip);
	payload = bpf_ntohs(ip->payload_len) ?: 0x10000 + 40;
	for (int i = 0; i < XF_MAX_EXT_HDRS; i++) {
		barrier();
		rule = xf_ext_rules[packet->proto];
		if (!rule.unit)
			break;
		ext = xf_peek(&packet->rest, sizeof(*ext));
		if (!ext)
			goto unread;
		if (packet->proto == IPPROTO_FRAGMENT && ext->frag_off & bpf_htons(0xfff8)) {
			packet->proto = ext->next;
			return 0;
		}
		/* The mask of a fragment header is 0. */
		xf_fw_note_first(packet, bpf_ntohs(ext->frag_off) & ~rule.len_mask);
		more = (ext->len & rule.len_mask) * rule.unit;
		barrier_var(more);
		packet->rest.pos += sizeof(*ext) + (more & XF_EXT_LEN_MASK);
		if (!xf_peek(&packet->rest, 0))
			goto unread;
		packet->proto = ext->next;
	}
	more = packet->rest.pos - (void *)(ip + 1);
	if (xf_ext_rules[packet->proto].unit || more > payload)
		goto unread;
	packet->rest.dgram = payload - more;
	return 1;
unread:
	packet->lacks |= XF_FW_LACKS_PROTO;
	return 0;
}

#define XF_FW_L4_READ 14 /* bytes of layer 4 at most: TCP up to its flags */

static __always_inline void xf_fw_parse_l4(struct xf_fw_packet *packet)
{
	int has_ports = packet->proto == IPPROTO_TCP || packet->proto == IPPROTO_UDP ||
			packet->proto == IPPROTO_SCTP;
	__u8 *l4 = xf_peek(&packet->rest, 4);

	if (!has_ports)
		packet->lacks &= ~XF_FW_LACKS_PROTO;
	if (!l4 || packet->rest.dgram < 4) {
		l4 = xf_peek(&packet->rest, 2);
		if (l4 && packet->rest.dgram >= 2)
			packet->type = l4[0];
		return;
	}
	packet->type = l4[0];
	if (!has_ports)
		return;
	packet->l4 |= (__u64)bpf_ntohs(((__be16 *)l4)[0]) << XF_FW_L4_SPORT |
		      (__u64)bpf_ntohs(((__be16 *)l4)[1]) << XF_FW_L4_DPORT;
	packet->lacks &= ~XF_FW_LACKS_PORTS;
	if (packet->proto != IPPROTO_TCP) {
		packet->lacks &= ~XF_FW_LACKS_PROTO;
		return;
	}
	if (packet->rest.dgram < XF_FW_L4_READ || !xf_peek(&packet->rest, XF_FW_L4_READ))
		return;
	packet->lacks &= ~(XF_FW_LACKS_FLAGS | XF_FW_LACKS_PROTO);
	if (l4[13] & 0x14) /* ACK, RST */
		packet->l4 |= XF_FW_L4_ESTABLISHED;
}

/* What is behind the addresses. */
static __always_inline void xf_fw_parse_rest(struct xf_fw_packet *packet)
{
	int more = 0;

	packet->lacks = XF_FW_LACKS_PORTS | XF_FW_LACKS_FLAGS;
	packet->type = XF_FW_NO_TYPE;
	if (packet->family == 4)
		more = xf_fw_skip_ip4(packet);
	else if (packet->family == 6)
		more = xf_fw_skip_ip6(packet);
	packet->l4 = (__u64)packet->proto << XF_FW_L4_PROTO;
	if (more)
		xf_fw_parse_l4(packet);
}

#endif
