/* SPDX-License-Identifier: GPL-2.0-only */
/* Bytes to header fields. Both programs read packets with it: the logger all at once, the firewall
 * up to the addresses, and the rest where it is needed. */
#ifndef XF_PARSE_BPF_H
#define XF_PARSE_BPF_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "cursor.bpf.h"
#include "headers.bpf.h"
#include "link.bpf.h"

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
	__u8 *tcp;

	xf_parse_ports(cur, rec);
	tcp = xf_peek(cur, 14);
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
	rec->icmp_type = cur->type = icmp[0];
	rec->icmp_code = icmp[1];
	rec->have |= XF_HAVE_ICMP;
}

/* Records have no field for it. */
static __always_inline void xf_parse_igmp(struct xf_cursor *cur)
{
	__u8 *igmp = xf_peek(cur, 2);

	if (igmp && cur->dgram >= 2)
		cur->type = igmp[0];
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
		if (cur->family == 4)
			xf_parse_icmp(cur, rec);
		return;
	case IPPROTO_IGMP:
		if (cur->family == 4)
			xf_parse_igmp(cur);
		return;
	case IPPROTO_ICMPV6:
		if (cur->family == 6)
			xf_parse_icmp(cur, rec);
		return;
	}
}

static __always_inline void xf_parse_ip4(struct xf_cursor *cur, struct xf_record *rec)
{
	struct xf_ip4_hdr *ip = xf_peek(cur, sizeof(*ip));
	__u32 hdr_len, tot_len;
	__u16 frag;

	if (!ip)
		return;
	rec->proto = ip->proto;
	frag = bpf_ntohs(ip->frag);
	if (frag & 0x3fff) { /* an offset, or more fragments to come */
		rec->frag_id = bpf_ntohs(ip->id);
		rec->frag_off = (frag & 0x1fff) * 8;
		rec->have |= XF_HAVE_FRAG | (frag & 0x2000 ? XF_HAVE_MORE_FRAGS : 0);
	}
	/* 0: longer than the field can say (BIG TCP) */
	tot_len = bpf_ntohs(ip->tot_len) ?: 0x10000 + 60;
	hdr_len = (ip->version_ihl & 0xf) * 4;
	if (hdr_len < sizeof(*ip) || !xf_has(cur, hdr_len))
		return xf_truncated(rec);
	cur->first = (frag & 0x3fff) == 0x2000;
	xf_skip(cur, hdr_len);
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

/* Move over extension headers. Returns whether layer 4 follows. */
static __always_inline int xf_parse_exts(struct xf_cursor *cur, struct xf_record *rec)
{
	struct xf_ext_rule rule;
	struct xf_ext_hdr *ext;
	__u64 more;
	__u8 next;

	for (int i = 0; i < XF_MAX_EXT_HDRS; i++) {
		rec->have = xf_forget(rec->have, xf_left(cur));
		rule = cur->exts[rec->proto];
		if (!rule.unit)
			return 1;
		ext = xf_peek(cur, sizeof(*ext)); /* none is shorter */
		if (!ext)
			return 0;
		next = ext->next;
		if (rec->proto == IPPROTO_FRAGMENT) {
			xf_parse_frag_hdr(ext, rec);
			if (rec->frag_off) {
				rec->proto = next;
				cur->unread = cur->first;
				return 0;
			}
		}
		/* A number and no branch: the verifier would follow both from here on. The mask of
		 * a fragment header is 0. */
		cur->first |= bpf_ntohs(ext->frag_off) & ~rule.len_mask & 1;
		more = (ext->len & rule.len_mask) * rule.unit;
		/* The verifier of older kernels knows nothing of a product. The compiler does, and
		 * would drop the mask. */
		barrier_var(more);
		xf_skip(cur, sizeof(*ext) + (more & XF_EXT_LEN_MASK));
		if (!xf_has(cur, 0))
			return 0;
		rec->proto = next;
	}
	return !cur->exts[rec->proto].unit;
}

/* How many bytes are behind an IPv6 header with this payload length: for 0 more than the field can
 * say with a jumbo option (RFC 2675), or without one when as much is there (BIG TCP of newer
 * kernels); else none, and what follows is padding. */
static __always_inline __u32 xf_ip6_payload(__u32 len, __u32 there, __u32 jumbo)
{
	return len ? len : there > 0xffff || jumbo ? 0x10000 + 40 : 0;
}

/* Linux looks behind any hop-by-hop options when the payload length is 0. */
static __always_inline int xf_has_jumbo_option(const struct xf_cursor *cur, __u8 next)
{
	const __u8 *options;

	if (cur->as_linux)
		return next == IPPROTO_HOPOPTS;
	options = xf_peek(cur, 3);
	return options && next == IPPROTO_HOPOPTS && options[2] == XF_OPT_JUMBO;
}

static __always_inline void xf_parse_ip6(struct xf_cursor *cur, struct xf_record *rec)
{
	struct xf_ip6_hdr *ip = xf_peek(cur, sizeof(*ip));
	__u32 payload;
	__u64 used;

	if (!ip)
		return;
	rec->proto = ip->next;
	payload = bpf_ntohs(ip->payload_len);
	xf_skip(cur, sizeof(*ip));
	used = xf_at(cur);
	payload = xf_ip6_payload(payload, xf_left(cur), xf_has_jumbo_option(cur, rec->proto));
	payload = xf_forget(payload, xf_left(cur));
	if (!payload || !xf_parse_exts(cur, rec)) {
		/* Behind a later fragment's header comes the middle of something. */
		if (!rec->frag_off && rec->proto != IPPROTO_NONE) {
			cur->unread = !!cur->exts[rec->proto].unit;
			xf_truncated(rec);
		}
		return;
	}
	used = xf_at(cur) - used;
	cur->unread = used > payload;
	cur->dgram = payload > used ? payload - used : 0;
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
	arp = xf_peek(cur, sizeof(*arp));
	if (!arp)
		return xf_truncated(rec);
	__builtin_memcpy(rec->src, arp->addrs + 6, 4);
	__builtin_memcpy(rec->dst, arp->addrs + 16, 4);
	rec->have |= XF_HAVE_ARP_IP4;
}

/* An 802.3 frame, whose length cur->eth_type is: IEEE 802.2, and with the SAPs of SNAP what the
 * five bytes behind it say. */
static __always_inline void xf_parse_llc(struct xf_cursor *cur, struct xf_record *rec)
{
	struct xf_llc_hdr *llc = xf_peek(cur, XF_LLC_FIXED);

	if (!llc || cur->eth_type < XF_LLC_FIXED)
		return xf_truncated(rec);
	rec->llc_dsap = llc->dsap;
	rec->llc_ssap = llc->ssap;
	rec->have |= XF_HAVE_LLC;
	if (llc->dsap != XF_SAP_SNAP || llc->ssap != XF_SAP_SNAP)
		return;
	llc = xf_peek(cur, sizeof(*llc));
	if (!llc || cur->eth_type < sizeof(*llc))
		return xf_truncated(rec);
	rec->snap_oui = llc->oui[0] << 16 | llc->oui[1] << 8 | llc->oui[2];
	rec->snap_type = llc->type[0] << 8 | llc->type[1];
	rec->have |= XF_HAVE_SNAP;
}

/* Up to the IP header, of which the addresses are there. Without a record only the cursor moves. */
static __always_inline void xf_parse_addresses(struct xf_cursor *cur, struct xf_record *rec)
{
	struct xf_ip4_hdr *ip4;
	struct xf_ip6_hdr *ip6;

	if (!(xf_link == XF_LINK_IP ? xf_parse_no_link(cur) : xf_parse_link(cur, rec)))
		goto truncated;
	if (cur->eth_type == ETH_P_IP) {
		ip4 = xf_peek(cur, sizeof(*ip4));
		if (!ip4 || ip4->version_ihl >> 4 != 4)
			goto truncated;
		cur->family = 4;
		if (!rec)
			return;
		xf_copy_ip(rec->src, ip4->src, 1);
		xf_copy_ip(rec->dst, ip4->dst, 1);
		rec->have |= XF_HAVE_IP4;
	} else if (cur->eth_type == ETH_P_IPV6) {
		ip6 = xf_peek(cur, sizeof(*ip6));
		if (!ip6 || ip6->version_class >> 4 != 6)
			goto truncated;
		cur->family = 6;
		if (!rec)
			return;
		xf_copy_ip(rec->src, ip6->src, 4);
		xf_copy_ip(rec->dst, ip6->dst, 4);
		rec->have |= XF_HAVE_IP6;
	}
	return;
truncated:
	if (rec)
		xf_truncated(rec);
}

static __always_inline void xf_parse_ip(struct xf_cursor *cur, struct xf_record *rec)
{
	if (cur->family == 4)
		xf_parse_ip4(cur, rec);
	else if (cur->family == 6)
		xf_parse_ip6(cur, rec);
}

/* The headers behind the addresses. */
static __always_inline void xf_parse_rest(struct xf_cursor *cur, struct xf_record *rec)
{
	if (cur->family)
		xf_parse_ip(cur, rec);
	else if (cur->eth_type == ETH_P_ARP)
		xf_parse_arp(cur, rec);
	else if (cur->eth_type <= XF_ETH_LEN_MAX)
		xf_parse_llc(cur, rec);
}

static __always_inline void xf_parse_at(struct xf_cursor *cur, struct xf_record *rec)
{
	xf_parse_addresses(cur, rec);
	xf_parse_rest(cur, rec);
}

/* A frame of several buffers. A function of its own, which is there once for the verifier and keeps
 * the copy off the other's stack. */
static __noinline void xf_parse_frags(struct xdp_md *ctx, struct xf_record *rec, __u32 as_linux)
{
	__u64 copy[XF_COPY_MAX / 8];
	struct xf_cursor cur;

	xf_cursor_begin_copy(ctx, &cur, as_linux ? xf_ext_of_linux : xf_ext_of_rfcs, copy);
	xf_parse_at(&cur, rec);
}

/* Fill in all of @rec but its time. Fields that are not understood are left out. */
static __always_inline void xf_parse(struct xdp_md *ctx, struct xf_record *rec,
				     const struct xf_ext_rule *exts)
{
	struct xf_cursor cur;

	rec->len = xf_frame_len(ctx);
	rec->rx_queue = ctx->rx_queue_index;
	if (xf_has_frags(ctx, rec->len))
		return xf_parse_frags(ctx, rec, exts == xf_ext_of_linux);
	xf_cursor_begin(ctx, &cur, exts);
	xf_parse_at(&cur, rec);
}

#endif
