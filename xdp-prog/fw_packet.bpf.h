/* SPDX-License-Identifier: GPL-2.0-only */
/* A packet in the form that rules have in the tables: addresses first, the rest only when it is
 * asked for. */
#ifndef XF_FW_PACKET_BPF_H
#define XF_FW_PACKET_BPF_H

#include "fw_abi.h"
#include "parse.bpf.h"

/* Fields in host byte order. */
struct xf_fw_packet {
	__u64 src_hi, src_lo; /* IPv4 in src_hi */
	__u64 dst_hi, dst_lo;
	__u64 mac;  /* source, as in xf_fw_tuple */
	__u64 rest; /* of xf_fw_layer4(), when it has been read */
	__u32 len;  /* of the frame, all buffers */
	__u32 at;   /* the place of the IP header; without one XF_FW_AT_NO_IP() */
	__u8 family;
};

#define XF_FW_AT_NO_IP(eth_type, unread) ((eth_type) | !!(unread) << 16)

/* The fields read of a frame of several buffers, which are all read at once. In a map, because the
 * verifier knows nothing of what is in there, as it knows nothing of what is in a packet. */
struct xf_fw_frags {
	struct xf_record rec;
	__u64 rest; /* these three as in xf_fw_packet */
	__u32 at;
	__u8 family;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xf_fw_frags);
} xf_fw_frags SEC(".maps");

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

static __always_inline void xf_fw_take_ip4(struct xf_fw_packet *packet, const void *src,
					   const void *dst)
{
	packet->src_hi = bpf_ntohl(*(__be32 *)src);
	packet->dst_hi = bpf_ntohl(*(__be32 *)dst);
}

static __always_inline void xf_fw_take_ip6(struct xf_fw_packet *packet, const void *src,
					   const void *dst)
{
	packet->src_hi = xf_fw_word(src);
	packet->src_lo = xf_fw_word(src + 8);
	packet->dst_hi = xf_fw_word(dst);
	packet->dst_lo = xf_fw_word(dst + 8);
}

static __always_inline int xf_fw_has_ports(__u8 proto)
{
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_SCTP;
}

/* The rest of a packet as one number: layer 4 as in xf_fw_tuple, and above that the type and what
 * the packet lacks. Of a first fragment layer 4 may be in the second one, which rules see
 * nothing of: until all that they ask for has been read the packet lacks all of it (RFC 1858, 3;
 * RFC 7112). */
#define XF_FW_REST_TYPE 48 /* shifts */
#define XF_FW_REST_LACKS 56
#define XF_FW_REST_FIRST (1 << 8) /* in the @type: as in xf_cursor */
#define XF_FW_REST_UNREAD (1 << 9)
static __always_inline __u64 xf_fw_layer4(__u32 have, __u32 ports, __u32 proto, __u32 tcp_flags,
					  __u32 type)
{
	__u64 lacks = XF_FW_LACKS_PORTS | XF_FW_LACKS_FLAGS, asked = 0;
	__u64 rest = (__u64)(proto & 0xff) << XF_FW_L4_PROTO;

	if (xf_fw_has_ports(proto)) {
		asked = proto == IPPROTO_TCP ? XF_FW_LACKS_FLAGS : XF_FW_LACKS_PORTS;
		if (have & XF_HAVE_PORTS) {
			rest |= ports;
			lacks &= ~XF_FW_LACKS_PORTS;
		}
		if (have & XF_HAVE_TCP_FLAGS) {
			lacks &= ~XF_FW_LACKS_FLAGS;
			if (tcp_flags & 0x14) /* ACK, RST */
				rest |= XF_FW_L4_ESTABLISHED;
		}
	}
	if (type & XF_FW_REST_UNREAD || (type & XF_FW_REST_FIRST && lacks & asked))
		lacks |= XF_FW_LACKS_PROTO;
	return rest | (__u64)(type & 0xff) << XF_FW_REST_TYPE | lacks << XF_FW_REST_LACKS;
}

static __always_inline __u64 xf_fw_rest(const struct xf_cursor *cur, const struct xf_record *rec)
{
	return xf_fw_layer4(rec->have, rec->sport | rec->dport << XF_FW_L4_DPORT, rec->proto,
			    rec->tcp_flags,
			    cur->type | (cur->first ? XF_FW_REST_FIRST : 0) |
				(cur->unread ? XF_FW_REST_UNREAD : 0));
}

static __noinline void xf_fw_parse_frags(struct xdp_md *ctx, struct xf_fw_frags *frags)
{
	__u64 copy[XF_COPY_MAX / 8];
	struct xf_cursor cur;

	__builtin_memset(&frags->rec, 0, sizeof(frags->rec));
	xf_cursor_begin_copy(ctx, &cur, xf_ext_of_linux, copy);
	xf_parse_addresses(&cur, &frags->rec);
	frags->at = XF_FW_AT_NO_IP(cur.eth_type, cur.unread);
	frags->family = cur.family;
	xf_parse_ip(&cur, &frags->rec);
	frags->rest = xf_fw_rest(&cur, &frags->rec);
}

static __always_inline void xf_fw_take_frags(struct xdp_md *ctx, struct xf_fw_packet *packet)
{
	__u32 zero = 0;
	struct xf_fw_frags *frags = bpf_map_lookup_elem(&xf_fw_frags, &zero);

	if (!frags)
		return; /* cannot be */
	xf_fw_parse_frags(ctx, frags);
	packet->mac = xf_fw_mac(frags->rec.eth_src);
	packet->at = frags->at;
	packet->family = frags->family;
	if (packet->family == 4)
		xf_fw_take_ip4(packet, frags->rec.src, frags->rec.dst);
	else if (packet->family == 6)
		xf_fw_take_ip6(packet, frags->rec.src, frags->rec.dst);
}

/* The frame as far as the addresses. */
static __always_inline void xf_fw_parse_addresses(struct xdp_md *ctx, struct xf_fw_packet *packet)
{
	const struct ethhdr *eth;
	const struct xf_ip4_hdr *ip4;
	const struct xf_ip6_hdr *ip6;
	struct xf_cursor cur;

	packet->len = xf_frame_len(ctx);
	if (xf_has_frags(ctx, packet->len))
		return xf_fw_take_frags(ctx, packet);
	xf_cursor_begin(ctx, &cur, xf_ext_of_linux);
	eth = xf_peek(&cur, sizeof(*eth));
	if (eth && xf_link == XF_LINK_ETHER)
		packet->mac = xf_fw_mac(eth->h_source);
	xf_parse_addresses(&cur, NULL);
	packet->at = cur.family ? cur.at : XF_FW_AT_NO_IP(cur.eth_type, cur.unread);
	packet->family = cur.family;
	if (cur.family == 4) {
		ip4 = xf_peek(&cur, sizeof(*ip4));
		if (ip4)
			xf_fw_take_ip4(packet, ip4->src, ip4->dst);
	} else if (cur.family == 6) {
		ip6 = xf_peek(&cur, sizeof(*ip6));
		if (ip6)
			xf_fw_take_ip6(packet, ip6->src, ip6->dst);
	}
}

static __always_inline __u64 xf_fw_read_rest(struct xdp_md *ctx, const struct xf_fw_packet *packet)
{
	struct xf_record rec = {};
	struct xf_fw_frags *frags;
	struct xf_cursor cur;
	__u32 zero = 0;

	if (xf_has_frags(ctx, packet->len)) {
		frags = bpf_map_lookup_elem(&xf_fw_frags, &zero);
		return frags ? frags->rest : 0;
	}
	xf_cursor_begin(ctx, &cur, xf_ext_of_linux);
	xf_settle(&cur, packet->at);
	cur.family = packet->family;
	xf_parse_ip(&cur, &rec);
	return xf_fw_rest(&cur, &rec);
}

static __always_inline void xf_fw_parse_rest(struct xdp_md *ctx, const struct xf_fw_generation *gen,
					     struct xf_fw_packet *packet)
{
	packet->rest = xf_forget(xf_fw_read_rest(ctx, packet), gen->seed[0]);
}

static __always_inline __u64 xf_fw_l4(const struct xf_fw_packet *packet)
{
	return packet->rest & ((1ull << XF_FW_REST_TYPE) - 1);
}

static __always_inline __u8 xf_fw_proto(const struct xf_fw_packet *packet)
{
	return packet->rest >> XF_FW_L4_PROTO;
}

/* Of ICMP, IGMP and ICMPv6, or XF_NO_TYPE. */
static __always_inline __u8 xf_fw_type(const struct xf_fw_packet *packet)
{
	return packet->rest >> XF_FW_REST_TYPE;
}

/* enum xf_fw_lacks */
static __always_inline __u32 xf_fw_lacks(const struct xf_fw_packet *packet)
{
	return packet->rest >> XF_FW_REST_LACKS;
}

#endif
