/* SPDX-License-Identifier: GPL-2.0-only */
/* Bytes to header fields: the only place where data and data_end are compared. */
#ifndef XF_PARSE_BPF_H
#define XF_PARSE_BPF_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"

/* Not in every <linux/in6.h>. */
#define XF_IPPROTO_MH 135    /* Mobility header, RFC 6275 */
#define XF_IPPROTO_HIP 139   /* RFC 7401 */
#define XF_IPPROTO_SHIM6 140 /* RFC 5533 */

struct xf_vlan_hdr {
	__be16 tci;
	__be16 eth_type;
};

/* IPv4 over Ethernet, RFC 826. */
struct xf_arp_hdr {
	__be16 hw_type;
	__be16 proto_type;
	__u8 hw_len;
	__u8 proto_len;
	__be16 op;
	__u8 addrs[20]; /* sender MAC and IP, target MAC and IP */
};
#define XF_ARP_FIXED 8 /* bytes up to and with op */

struct xf_ip4_hdr {
	__u8 version_ihl;
	__u8 tos;
	__be16 tot_len;
	__be16 id;
	__be16 frag;
	__u8 ttl;
	__u8 proto;
	__be16 check;
	__u8 src[4];
	__u8 dst[4];
};

struct xf_ip6_hdr {
	__u8 version_class;
	__u8 class_flow[3];
	__be16 payload_len;
	__u8 next;
	__u8 hop_limit;
	__u8 src[16];
	__u8 dst[16];
};

/* An IPv6 extension header, RFC 8200; the fragment header's other fields are behind the first two
 * bytes. */
struct xf_ext_hdr {
	__u8 next;
	__u8 len;
	__be16 frag_off;
	__be32 frag_id;
};

/* The unparsed rest of the packet. */
struct xf_cursor {
	void *pos;
	void *end;
	__u32 dgram; /* layer 4: bytes that the IP header says are there; what follows is padding */
};

/* A pointer to the next @size bytes, or NULL when the packet ends before. Does not move the cursor.
 */
static __always_inline void *xf_peek(const struct xf_cursor *cur, __u32 size)
{
	return cur->pos + size > cur->end ? NULL : cur->pos;
}

/* Copy addresses in pieces that are aligned in every packet, which starts two bytes behind a
 * multiple of four (NET_IP_ALIGN) where that matters. A memcpy() from packet data goes byte by
 * byte. */
static __always_inline void xf_copy_macs(void *to, const void *from)
{
#pragma unroll
	for (int i = 0; i < 6; i++)
		((__u16 *)to)[i] = ((const __u16 *)from)[i];
}

static __always_inline void xf_copy_ip(void *to, const void *from, int words)
{
#pragma unroll
	for (int i = 0; i < words; i++)
		((__u32 *)to)[i] = ((const __u32 *)from)[i];
}

static __always_inline void xf_truncated(struct xf_record *rec)
{
	rec->have |= XF_TRUNCATED;
}

static __always_inline void xf_parse_ports(struct xf_cursor *cur, struct xf_record *rec)
{
	__be16 *ports = xf_peek(cur, 4);

	if (!ports || cur->dgram < 4)
		return xf_truncated(rec);
	rec->sport = bpf_ntohs(ports[0]);
	rec->dport = bpf_ntohs(ports[1]);
	rec->have |= XF_HAVE_PORTS;
}

static __always_inline void xf_parse_tcp(struct xf_cursor *cur, struct xf_record *rec)
{
	__u8 *tcp = xf_peek(cur, 14);

	xf_parse_ports(cur, rec);
	if (!tcp || cur->dgram < 14)
		return xf_truncated(rec);
	rec->tcp_flags = tcp[13];
	rec->have |= XF_HAVE_TCP_FLAGS;
}

static __always_inline void xf_parse_icmp(struct xf_cursor *cur, struct xf_record *rec)
{
	__u8 *icmp = xf_peek(cur, 2);

	if (!icmp || cur->dgram < 2)
		return xf_truncated(rec);
	rec->icmp_type = icmp[0];
	rec->icmp_code = icmp[1];
	rec->have |= XF_HAVE_ICMP;
}

/* The layer-4 header, for which rec->proto is set. Only the first fragment has one. */
static __always_inline void xf_parse_l4(struct xf_cursor *cur, struct xf_record *rec)
{
	if (rec->frag_off)
		return;
	switch (rec->proto) {
	case IPPROTO_TCP:
		return xf_parse_tcp(cur, rec);
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
		return xf_parse_ports(cur, rec);
	case IPPROTO_ICMP:
		if (rec->have & XF_HAVE_IP4)
			xf_parse_icmp(cur, rec);
		return;
	case IPPROTO_ICMPV6:
		if (rec->have & XF_HAVE_IP6)
			xf_parse_icmp(cur, rec);
		return;
	}
}

static __always_inline void xf_parse_ip4(struct xf_cursor *cur, struct xf_record *rec)
{
	struct xf_ip4_hdr *ip = xf_peek(cur, sizeof(*ip));
	__u32 hdr_len, tot_len;
	__u16 frag;

	if (!ip || ip->version_ihl >> 4 != 4)
		return xf_truncated(rec);
	xf_copy_ip(rec->src, ip->src, 1);
	xf_copy_ip(rec->dst, ip->dst, 1);
	rec->proto = ip->proto;
	rec->have |= XF_HAVE_IP4;

	frag = bpf_ntohs(ip->frag);
	if (frag & 0x3fff) { /* an offset, or more fragments to come */
		rec->frag_id = bpf_ntohs(ip->id);
		rec->frag_off = (frag & 0x1fff) * 8;
		rec->have |= XF_HAVE_FRAG | (frag & 0x2000 ? XF_HAVE_MORE_FRAGS : 0);
	}
	hdr_len = (ip->version_ihl & 0xf) * 4;
	if (hdr_len < sizeof(*ip) || !xf_peek(cur, hdr_len))
		return xf_truncated(rec);
	cur->pos += hdr_len;
	/* 0: longer than the field can say (BIG TCP) */
	tot_len = bpf_ntohs(ip->tot_len) ?: 0x10000 + 60;
	cur->dgram = tot_len > hdr_len ? tot_len - hdr_len : 0;
	xf_parse_l4(cur, rec);
}

static __always_inline void xf_parse_frag_hdr(const struct xf_ext_hdr *ext, struct xf_record *rec)
{
	__u16 frag = bpf_ntohs(ext->frag_off);

	rec->frag_id = bpf_ntohl(ext->frag_id);
	rec->frag_off = frag & 0xfff8;
	rec->have &= ~XF_HAVE_MORE_FRAGS; /* an outer fragment's */
	rec->have |= XF_HAVE_FRAG | (frag & 1 ? XF_HAVE_MORE_FRAGS : 0);
}

#define XF_EXT_LEN_MASK 0x7ff /* 255 units of 8 bytes are below */

/* How long an extension header is: 8 bytes and as many units as its length byte says. A table and
 * not a switch, because the verifier follows each case of a switch on its own, through all eight
 * headers. */
struct xf_ext_rule {
	__u8 unit; /* bytes; 0: not an extension header that can be skipped */
	__u8 len_mask;
};

/* The logger shows what is behind all that RFCs name as extension headers. The firewall goes by
 * what Linux does: it gives what begins with one of these to sockets for that number, whatever is
 * said to be behind; or, authenticated, to those of what is behind, of a peer that it shares a key
 * with. */
#ifdef XF_EXT_OF_LINUX
#define XF_EXT_MASK 0
#define XF_EXT_UNIT(_unit) 0
#else
#define XF_EXT_MASK 0xff
#define XF_EXT_UNIT(_unit) (_unit)
#endif

/* clang-format off */
static const struct xf_ext_rule xf_ext_rules[256] = {
	[IPPROTO_HOPOPTS] = { 8, 0xff },
	[IPPROTO_ROUTING] = { 8, 0xff },
	[IPPROTO_DSTOPTS] = { 8, 0xff },
	[XF_IPPROTO_MH] = { XF_EXT_UNIT(8), XF_EXT_MASK },
	[XF_IPPROTO_HIP] = { XF_EXT_UNIT(8), XF_EXT_MASK },
	[XF_IPPROTO_SHIM6] = { XF_EXT_UNIT(8), XF_EXT_MASK },
	[IPPROTO_AH] = { XF_EXT_UNIT(4), XF_EXT_MASK }, /* in units of 4, less 2: RFC 4302 */
	[IPPROTO_FRAGMENT] = { 8, 0x00 }, /* its second byte is reserved */
};
/* clang-format on */

static __always_inline void xf_parse_ip6(struct xf_cursor *cur, struct xf_record *rec)
{
	struct xf_ip6_hdr *ip = xf_peek(cur, sizeof(*ip));
	struct xf_ext_rule rule;
	struct xf_ext_hdr *ext;
	__u64 more;
	__u32 used;
	__u8 next;

	if (!ip || ip->version_class >> 4 != 6)
		return xf_truncated(rec);
	xf_copy_ip(rec->src, ip->src, 4);
	xf_copy_ip(rec->dst, ip->dst, 4);
	rec->proto = ip->next;
	rec->have |= XF_HAVE_IP6;
	cur->pos += sizeof(*ip);

	for (int i = 0; i < XF_MAX_EXT_HDRS; i++) {
		/* Fields go through memory here, where the verifier forgets what it learned of them
		 * on each path. */
		barrier();
		rule = xf_ext_rules[rec->proto];
		/* Behind a later fragment's header comes the middle of something. */
		if (!rule.unit || rec->frag_off)
			break;
		ext = xf_peek(cur, sizeof(*ext)); /* none is shorter */
		if (!ext)
			return xf_truncated(rec);
		if (rec->proto == IPPROTO_FRAGMENT)
			xf_parse_frag_hdr(ext, rec);
		next = ext->next;
		more = (ext->len & rule.len_mask) * rule.unit;
		/* The verifier of older kernels knows nothing of a product. The compiler does, and
		 * would drop the mask. */
		barrier_var(more);
		cur->pos += sizeof(*ext) + (more & XF_EXT_LEN_MASK);
		if (!xf_peek(cur, 0))
			return xf_truncated(rec);
		rec->proto = next;
	}
	if (xf_ext_rules[rec->proto].unit && !rec->frag_off)
		return xf_truncated(rec);
	/* 0: a jumbogram */
	cur->dgram = bpf_ntohs(ip->payload_len) ?: 0x10000 + 40;
	used = cur->pos - (void *)(ip + 1);
	cur->dgram = cur->dgram > used ? cur->dgram - used : 0;
	xf_parse_l4(cur, rec);
}

static __always_inline void xf_parse_arp(struct xf_cursor *cur, struct xf_record *rec)
{
	struct xf_arp_hdr *arp = xf_peek(cur, XF_ARP_FIXED);

	if (!arp)
		return xf_truncated(rec);
	rec->arp_op = bpf_ntohs(arp->op);
	rec->have |= XF_HAVE_ARP;
	if (arp->hw_len != ETH_ALEN || arp->proto_len != 4 ||
	    arp->proto_type != bpf_htons(ETH_P_IP))
		return;
	if (!xf_peek(cur, sizeof(*arp)))
		return xf_truncated(rec);
	__builtin_memcpy(rec->src, arp->addrs + 6, 4);
	__builtin_memcpy(rec->dst, arp->addrs + 16, 4);
	rec->have |= XF_HAVE_ARP_IP4;
}

static __always_inline int xf_is_vlan(__u16 eth_type)
{
	return eth_type == ETH_P_8021Q || eth_type == ETH_P_8021AD;
}

/* The Ethernet header and its tags; leaves the cursor behind them. Returns 0 when there is nothing
 * to parse behind. */
static __always_inline int xf_parse_eth(struct xf_cursor *cur, struct xf_record *rec)
{
	struct ethhdr *eth = xf_peek(cur, sizeof(*eth));
	struct xf_vlan_hdr *vlan;

	if (!eth) {
		xf_truncated(rec);
		return 0;
	}
	xf_copy_macs(rec->eth_dst,
		     eth->h_dest); /* both: source behind destination, here and there */
	rec->eth_type = bpf_ntohs(eth->h_proto);
	rec->have |= XF_HAVE_ETH;
	cur->pos += sizeof(*eth);

#pragma unroll
	for (int i = 0; i < XF_MAX_VLANS; i++) {
		if (!xf_is_vlan(rec->eth_type))
			return 1;
		vlan = xf_peek(cur, sizeof(*vlan));
		if (!vlan)
			break;
		rec->vlan[i] = bpf_ntohs(vlan->tci) & 0xfff;
		rec->vlans = i + 1;
		rec->eth_type = bpf_ntohs(vlan->eth_type);
		cur->pos += sizeof(*vlan);
	}
	if (!xf_is_vlan(rec->eth_type))
		return 1;
	xf_truncated(rec);
	return 0;
}

/* Frames of several buffers came with kernel 5.18, and bpf_xdp_get_buff_len with them. The call
 * costs as much as half of the parsing and few frames need it; from 6.2 on the kernel's own flags
 * can be read, through a cast that is no call in the end. All this is decided when the object is
 * loaded, so that one object serves all kernels. */
enum bpf_func_id___xf {
	BPF_FUNC_xdp_get_buff_len___xf = 188,
};

enum xdp_buff_flags___xf {
	XDP_FLAGS_HAS_FRAGS___xf = 1,
};

struct xdp_buff___xf {
	__u32 flags;
} __attribute__((preserve_access_index));

extern void *bpf_cast_to_kern_ctx(void *ctx) __ksym __weak;

static __always_inline int xf_may_have_frags(struct xdp_md *ctx)
{
	struct xdp_buff___xf *xdp;

	if (!bpf_core_enum_value_exists(enum bpf_func_id___xf, BPF_FUNC_xdp_get_buff_len___xf))
		return 0;
	if (!bpf_cast_to_kern_ctx || !bpf_core_field_exists(struct xdp_buff___xf, flags) ||
	    !bpf_core_enum_value_exists(enum xdp_buff_flags___xf, XDP_FLAGS_HAS_FRAGS___xf))
		return 1;
	xdp = bpf_cast_to_kern_ctx(ctx);
	return !!(xdp->flags &
		  bpf_core_enum_value(enum xdp_buff_flags___xf, XDP_FLAGS_HAS_FRAGS___xf));
}

/* Bytes of the whole frame. */
static __always_inline __u32 xf_frame_len(struct xdp_md *ctx)
{
	if (xf_may_have_frags(ctx))
		return bpf_xdp_get_buff_len(ctx);
	return ctx->data_end - ctx->data;
}

/* Fill in all of @rec but its time. What is not understood is left out, and the rest kept. */
static __always_inline void xf_parse(struct xdp_md *ctx, struct xf_record *rec)
{
	struct xf_cursor cur = {
		.pos = (void *)(long)ctx->data,
		.end = (void *)(long)ctx->data_end,
	};

	rec->len = xf_frame_len(ctx);
	rec->rx_queue = ctx->rx_queue_index;
	if (!xf_parse_eth(&cur, rec))
		return;
	switch (rec->eth_type) {
	case ETH_P_IP:
		return xf_parse_ip4(&cur, rec);
	case ETH_P_IPV6:
		return xf_parse_ip6(&cur, rec);
	case ETH_P_ARP:
		return xf_parse_arp(&cur, rec);
	}
}

#endif
