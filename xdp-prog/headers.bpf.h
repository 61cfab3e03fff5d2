/* SPDX-License-Identifier: GPL-2.0-only */
/* Headers as they are on the wire, and which IPv6 extension headers there are. */
#ifndef XF_HEADERS_BPF_H
#define XF_HEADERS_BPF_H

#include <linux/in.h>
#include <linux/in6.h>
#include <linux/types.h>

/* Not in every <linux/in6.h>. */
#define XF_IPPROTO_MH 135    /* Mobility header, RFC 6275 */
#define XF_IPPROTO_HIP 139   /* RFC 7401 */
#define XF_IPPROTO_SHIM6 140 /* RFC 5533 */

struct xf_vlan_hdr {
	__be16 tci;
	__be16 eth_type;
};

/* A PPPoE session's, RFC 2516, with PPP's own. */
struct xf_pppoe_hdr {
	__u8 version_type;
	__u8 code;
	__be16 session;
	__be16 len;
	__u8 protocol[2];
};
#define XF_PPP_IP 0x0021
#define XF_PPP_IPV6 0x0057
#define XF_PPP_CONTROL 0x8000 /* the first protocol that carries no packets, RFC 1661, 2 */

#define XF_MPLS_BOTTOM 1 /* in the third byte of a label's four: no more follow */

/* IEEE 802.2, and what SNAP adds. */
struct xf_llc_hdr {
	__u8 dsap;
	__u8 ssap;
	__u8 control;
	__u8 oui[3];
	__u8 type[2];
};
#define XF_LLC_FIXED 3 /* bytes without SNAP */
#define XF_SAP_SNAP 0xaa

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

#define XF_OPT_JUMBO 0xc2 /* RFC 2675: where it is alone, the third byte of its header */

/* How long an extension header is: 8 bytes and as many units as its length byte says. A table and
 * not a switch, because the verifier follows each case of a switch on its own, through all eight
 * headers. */
struct xf_ext_rule {
	__u8 unit; /* bytes; 0: not an extension header that can be skipped */
	__u8 len_mask;
};
#define XF_EXT_LEN_MASK 0x7ff /* 255 units of 8 bytes are below */

/* All that RFCs name as extension headers, for an observer. */
static const struct xf_ext_rule xf_ext_of_rfcs[256] = {
	[IPPROTO_HOPOPTS] = { 8, 0xff },  [IPPROTO_ROUTING] = { 8, 0xff },
	[IPPROTO_DSTOPTS] = { 8, 0xff },  [XF_IPPROTO_MH] = { 8, 0xff },
	[XF_IPPROTO_HIP] = { 8, 0xff },	  [XF_IPPROTO_SHIM6] = { 8, 0xff },
	[IPPROTO_AH] = { 4, 0xff },	  /* in units of 4, less 2: RFC 4302 */
	[IPPROTO_FRAGMENT] = { 8, 0x00 }, /* its second byte is reserved */
};

/* The headers that Linux passes over, for verdicts. A packet that begins with another one goes to
 * sockets for that number, whatever is said to be behind; or, authenticated, to those of what is
 * behind, of a peer that it shares a key with. */
static const struct xf_ext_rule xf_ext_of_linux[256] = {
	[IPPROTO_HOPOPTS] = { 8, 0xff },
	[IPPROTO_ROUTING] = { 8, 0xff },
	[IPPROTO_DSTOPTS] = { 8, 0xff },
	[IPPROTO_FRAGMENT] = { 8, 0x00 },
};

#endif
