// SPDX-License-Identifier: GPL-2.0-only
/* The table of packets: their headers and their expected records. */
#include <linux/if_ether.h>
#include <netinet/in.h>

#include "tests/prog/logger/packet.h"

/* clang-format off */
#define ETH(type) { .kind = LAYER_ETH, .next = (type) }
#define VLAN(id, type) { .kind = LAYER_VLAN, .tci = 0xe000 | (id), .next = (type) } /* priority 7 */
#define IP4(number, ...) { .kind = LAYER_IP4, .next = (number), __VA_ARGS__ }
#define IP6(number, ...) { .kind = LAYER_IP6, .next = (number), __VA_ARGS__ }
#define EXT(number, bytes, ...) \
	{ .kind = LAYER_EXT, .next = (number), .size = (bytes), __VA_ARGS__ }
#define AH(number, bytes, ...) \
	{ .kind = LAYER_AH, .next = (number), .size = (bytes), __VA_ARGS__ }
#define FRAG(number, bits) { .kind = LAYER_FRAG, .next = (number), .frag = (bits) }
#define TCP(bits) { .kind = LAYER_TCP, .flags = (bits) }
#define UDP { .kind = LAYER_UDP }
#define SCTP { .kind = LAYER_SCTP }
#define ICMP(t, c) { .kind = LAYER_ICMP, .type = (t), .code = (c) }
#define DATA(bytes) { .kind = LAYER_DATA, .size = (bytes) }
#define PAD(bytes) { .kind = LAYER_PAD, .size = (bytes) }
#define ARP_OF(number, hw, type, len) \
	{ .kind = LAYER_ARP, .op = (number), .hw_len = (hw), .proto = (type), .proto_len = (len) }
#define ARP(number) ARP_OF(number, 6, ETH_P_IP, 4)
/* clang-format on */

#define RAW .have = XF_HAVE_ETH
#define ON_IP4 .eth_type = ETH_P_IP, .have = XF_HAVE_ETH | XF_HAVE_IP4
#define ON_IP6 .eth_type = ETH_P_IPV6, .have = XF_HAVE_ETH | XF_HAVE_IP6
#define ON_ARP .eth_type = ETH_P_ARP, .have = XF_HAVE_ETH | XF_HAVE_ARP
#define AND_TCP | XF_HAVE_PORTS | XF_HAVE_TCP_FLAGS, .proto = IPPROTO_TCP
#define AND_UDP | XF_HAVE_PORTS, .proto = IPPROTO_UDP
#define FIRST_FRAG | XF_HAVE_FRAG | XF_HAVE_MORE_FRAGS

#define IP4_MORE 0x2000
#define IP4_DONT 0x4000
#define IP6_MORE 1
#define MH 135 /* not in every <netinet/in.h> */
#define HIP 139
#define SHIM6 140

const struct xf_packet_row xf_packet_rows[] = {
	/* Ethernet */
	{ "unknown EtherType", { ETH(0x88cc), DATA(46) }, { RAW, .eth_type = 0x88cc } },
	{ "Ethernet header alone", { ETH(0x88b5) }, { RAW, .eth_type = 0x88b5 } },
	{ "802.3 length and LLC", { ETH(38), DATA(46) }, { RAW, .eth_type = 38 } },
	{ "802.3 length in a tag",
	  { ETH(ETH_P_8021Q), VLAN(3, 38), DATA(46) },
	  { RAW, .eth_type = 38, .vlans = 1, .vlan = { 3 } } },
	{ "EtherType of IPv4, nothing behind",
	  { ETH(ETH_P_IP) },
	  { RAW | XF_TRUNCATED, .eth_type = ETH_P_IP } },
	{ "old QinQ EtherType is no tag", { ETH(0x9100), DATA(50) }, { RAW, .eth_type = 0x9100 } },
	{ "MPLS", { ETH(0x8847), DATA(60) }, { RAW, .eth_type = 0x8847 } },

	/* ARP */
	{ "ARP request", { ETH(ETH_P_ARP), ARP(1) }, { ON_ARP | XF_HAVE_ARP_IP4, .arp_op = 1 } },
	{ "ARP reply, padded",
	  { ETH(ETH_P_ARP), ARP(2), DATA(18) },
	  { ON_ARP | XF_HAVE_ARP_IP4, .arp_op = 2 } },
	{ "ARP in a VLAN",
	  { ETH(ETH_P_8021Q), VLAN(4094, ETH_P_ARP), ARP(1) },
	  { ON_ARP | XF_HAVE_ARP_IP4, .arp_op = 1, .vlans = 1, .vlan = { 4094 } } },
	{ "ARP with a 16-bit operation",
	  { ETH(ETH_P_ARP), ARP(0x1234) },
	  { ON_ARP | XF_HAVE_ARP_IP4, .arp_op = 0x1234 } },
	{ "ARP of InfiniBand addresses",
	  { ETH(ETH_P_ARP), ARP_OF(1, 20, ETH_P_IP, 4) },
	  { ON_ARP, .arp_op = 1 } },
	{ "ARP of 16-byte addresses",
	  { ETH(ETH_P_ARP), ARP_OF(2, 6, ETH_P_IPV6, 16) },
	  { ON_ARP, .arp_op = 2 } },
	{ "ARP of IPX", { ETH(ETH_P_ARP), ARP_OF(1, 6, 0x8137, 4) }, { ON_ARP, .arp_op = 1 } },
	{ "ARP with no addresses",
	  { ETH(ETH_P_ARP), ARP_OF(8, 0, ETH_P_IP, 0) },
	  { ON_ARP, .arp_op = 8 } },

	/* IPv4 and what is in it */
	{ "IPv4 UDP", { ETH(ETH_P_IP), IP4(17), UDP, DATA(20) }, { ON_IP4 AND_UDP } },
	{ "IPv4 UDP, don't fragment",
	  { ETH(ETH_P_IP), IP4(17, .frag = IP4_DONT), UDP },
	  { ON_IP4 AND_UDP } },
	{ "IPv4 TCP",
	  { ETH(ETH_P_IP), IP4(6), TCP(0x18), DATA(9) },
	  { ON_IP4 AND_TCP, .tcp_flags = 0x18 } },
	{ "IPv4 TCP with data of 1,400 bytes",
	  { ETH(ETH_P_IP), IP4(6), TCP(0x10), DATA(1400) },
	  { ON_IP4 AND_TCP, .tcp_flags = 0x10 } },
	{ "IPv4 UDP-Lite",
	  { ETH(ETH_P_IP), IP4(136), UDP, DATA(4) },
	  { ON_IP4 | XF_HAVE_PORTS, .proto = IPPROTO_UDPLITE } },
	{ "IPv4 SCTP",
	  { ETH(ETH_P_IP), IP4(132), SCTP },
	  { ON_IP4 | XF_HAVE_PORTS, .proto = IPPROTO_SCTP } },
	{ "IPv4 ICMP echo",
	  { ETH(ETH_P_IP), IP4(1), ICMP(8, 0), DATA(16) },
	  { ON_IP4 | XF_HAVE_ICMP, .proto = 1, .icmp_type = 8 } },
	{ "IPv4 ICMP with a code",
	  { ETH(ETH_P_IP), IP4(1), ICMP(3, 13) },
	  { ON_IP4 | XF_HAVE_ICMP, .proto = 1, .icmp_type = 3, .icmp_code = 13 } },
	{ "IPv4 with the ICMPv6 number",
	  { ETH(ETH_P_IP), IP4(58), DATA(24) },
	  { ON_IP4, .proto = 58 } },
	{ "IPv4 ESP", { ETH(ETH_P_IP), IP4(50), DATA(40) }, { ON_IP4, .proto = 50 } },
	{ "IPv4 AH is not passed over",
	  { ETH(ETH_P_IP), IP4(51), DATA(40) },
	  { ON_IP4, .proto = 51 } },
	{ "IPv4 GRE", { ETH(ETH_P_IP), IP4(47), DATA(8) }, { ON_IP4, .proto = 47 } },
	{ "IPv4 protocol 0 is not hop-by-hop", { ETH(ETH_P_IP), IP4(0), DATA(24) }, { ON_IP4 } },
	{ "IPv4 protocol 255", { ETH(ETH_P_IP), IP4(255), DATA(8) }, { ON_IP4, .proto = 255 } },
	{ "IPv4 with 4 bytes of options",
	  { ETH(ETH_P_IP), IP4(17, .size = 4), UDP },
	  { ON_IP4 AND_UDP } },
	{ "IPv4 with 40 bytes of options",
	  { ETH(ETH_P_IP), IP4(6, .size = 40), TCP(2) },
	  { ON_IP4 AND_TCP, .tcp_flags = 2 } },
	{ "IPv4 with options, unknown protocol",
	  { ETH(ETH_P_IP), IP4(253, .size = 12) },
	  { ON_IP4, .proto = 253 } },
	{ "IPv4 IHL 4",
	  { ETH(ETH_P_IP), IP4(17, .first = 0x44), UDP },
	  { ON_IP4 | XF_TRUNCATED, .proto = 17 } },
	{ "IPv4 IHL 0",
	  { ETH(ETH_P_IP), IP4(6, .first = 0x40), TCP(2) },
	  { ON_IP4 | XF_TRUNCATED, .proto = 6 } },
	{ "IPv4 IHL beyond the packet",
	  { ETH(ETH_P_IP), IP4(17, .first = 0x4f), UDP, DATA(24) },
	  { ON_IP4 | XF_TRUNCATED, .proto = 17 } },
	{ "IPv4 with version 6",
	  { ETH(ETH_P_IP), IP4(17, .first = 0x65), UDP, DATA(40) },
	  { RAW | XF_TRUNCATED, .eth_type = ETH_P_IP } },
	{ "IPv4 with version 0",
	  { ETH(ETH_P_IP), IP4(17, .first = 0x05), UDP },
	  { RAW | XF_TRUNCATED, .eth_type = ETH_P_IP } },

	/* IPv4 fragments */
	{ "IPv4 first fragment",
	  { ETH(ETH_P_IP), IP4(17, .frag = IP4_MORE), UDP, DATA(16) },
	  { ON_IP4 FIRST_FRAG AND_UDP } },
	{ "IPv4 first fragment of TCP",
	  { ETH(ETH_P_IP), IP4(6, .frag = IP4_MORE), TCP(2) },
	  { ON_IP4 FIRST_FRAG AND_TCP, .tcp_flags = 2 } },
	{ "IPv4 first fragment with 8 bytes of TCP",
	  { ETH(ETH_P_IP), IP4(6, .frag = IP4_MORE), UDP },
	  { ON_IP4 FIRST_FRAG | XF_HAVE_PORTS | XF_TRUNCATED, .proto = 6 } },
	{ "IPv4 first fragment with 8 bytes of TCP, padded",
	  { ETH(ETH_P_IP), IP4(6, .frag = IP4_MORE), UDP, PAD(18) },
	  { ON_IP4 FIRST_FRAG | XF_HAVE_PORTS | XF_TRUNCATED, .proto = 6 } },
	{ "IPv4 with nothing in it, padded",
	  { ETH(ETH_P_IP), IP4(17), PAD(26) },
	  { ON_IP4 | XF_TRUNCATED, .proto = 17 } },
	{ "IPv4 UDP, padded", { ETH(ETH_P_IP), IP4(17), UDP, PAD(18) }, { ON_IP4 AND_UDP } },
	{ "IPv6 ICMPv6, padded",
	  { ETH(ETH_P_IPV6), IP6(58), ICMP(128, 0), PAD(20) },
	  { ON_IP6 | XF_HAVE_ICMP, .proto = 58, .icmp_type = 128 } },
	{ "IPv6 options only, padded",
	  { ETH(ETH_P_IPV6), IP6(60), EXT(17, 8), PAD(20) },
	  { ON_IP6 | XF_TRUNCATED, .proto = 17 } },
	{ "IPv4 middle fragment",
	  { ETH(ETH_P_IP), IP4(17, .frag = IP4_MORE | 185), DATA(64) },
	  { ON_IP4 FIRST_FRAG, .proto = 17, .frag_off = 1480 } },
	{ "IPv4 last fragment",
	  { ETH(ETH_P_IP), IP4(6, .frag = 8191), DATA(64) },
	  { ON_IP4 | XF_HAVE_FRAG, .proto = 6, .frag_off = 65528 } },
	{ "IPv4 last fragment of one byte",
	  { ETH(ETH_P_IP), IP4(6, .frag = 1), DATA(1) },
	  { ON_IP4 | XF_HAVE_FRAG, .proto = 6, .frag_off = 8 } },
	{ "IPv4 fragment with options",
	  { ETH(ETH_P_IP), IP4(1, .frag = IP4_MORE | 0x1000, .size = 8), DATA(8) },
	  { ON_IP4 FIRST_FRAG, .proto = 1, .frag_off = 32768 } },
	{ "IPv4 with the reserved flag",
	  { ETH(ETH_P_IP), IP4(17, .frag = 0x8000), UDP },
	  { ON_IP4 AND_UDP } },

	/* IPv6 and what is in it */
	{ "IPv6 UDP", { ETH(ETH_P_IPV6), IP6(17), UDP, DATA(20) }, { ON_IP6 AND_UDP } },
	{ "IPv6 TCP",
	  { ETH(ETH_P_IPV6), IP6(6), TCP(0x12) },
	  { ON_IP6 AND_TCP, .tcp_flags = 0x12 } },
	{ "IPv6 UDP-Lite",
	  { ETH(ETH_P_IPV6), IP6(136), UDP },
	  { ON_IP6 | XF_HAVE_PORTS, .proto = 136 } },
	{ "IPv6 SCTP",
	  { ETH(ETH_P_IPV6), IP6(132), SCTP },
	  { ON_IP6 | XF_HAVE_PORTS, .proto = 132 } },
	{ "IPv6 ICMPv6 echo",
	  { ETH(ETH_P_IPV6), IP6(58), ICMP(128, 0), DATA(8) },
	  { ON_IP6 | XF_HAVE_ICMP, .proto = 58, .icmp_type = 128 } },
	{ "IPv6 ICMPv6 with a code",
	  { ETH(ETH_P_IPV6), IP6(58), ICMP(1, 4) },
	  { ON_IP6 | XF_HAVE_ICMP, .proto = 58, .icmp_type = 1, .icmp_code = 4 } },
	{ "IPv6 with the ICMP number",
	  { ETH(ETH_P_IPV6), IP6(1), DATA(24) },
	  { ON_IP6, .proto = 1 } },
	{ "IPv6 no next header", { ETH(ETH_P_IPV6), IP6(59) }, { ON_IP6, .proto = 59 } },
	{ "IPv6 no next header behind options",
	  { ETH(ETH_P_IPV6), IP6(60), EXT(59, 8), DATA(8) },
	  { ON_IP6, .proto = 59 } },
	{ "IPv6 ESP", { ETH(ETH_P_IPV6), IP6(50), DATA(40) }, { ON_IP6, .proto = 50 } },
	{ "IPv6 ESP behind hop-by-hop",
	  { ETH(ETH_P_IPV6), IP6(0), EXT(50, 8), DATA(40) },
	  { ON_IP6, .proto = 50 } },
	{ "IPv6 in IPv6", { ETH(ETH_P_IPV6), IP6(41), DATA(48) }, { ON_IP6, .proto = 41 } },
	{ "IPv6 with version 4",
	  { ETH(ETH_P_IPV6), IP6(17, .first = 0x45), UDP },
	  { RAW | XF_TRUNCATED, .eth_type = ETH_P_IPV6 } },
	{ "IPv6 with version 7",
	  { ETH(ETH_P_IPV6), IP6(17, .first = 0x70), UDP },
	  { RAW | XF_TRUNCATED, .eth_type = ETH_P_IPV6 } },

	/* IPv6 extension headers: order, lengths */
	{ "IPv6 all eight kinds",
	  { ETH(ETH_P_IPV6), IP6(0), EXT(43, 16), EXT(60, 24), EXT(44, 8), FRAG(51, 0), AH(MH, 24),
	    EXT(HIP, 8), EXT(SHIM6, 40), EXT(6, 8), TCP(0x14) },
	  { ON_IP6 | XF_HAVE_FRAG AND_TCP, .tcp_flags = 0x14 } },
	{ "IPv6 all eight kinds and one more",
	  { ETH(ETH_P_IPV6), IP6(0), EXT(43, 8), EXT(60, 8), EXT(44, 8), FRAG(51, 0), AH(MH, 16),
	    EXT(HIP, 8), EXT(SHIM6, 8), EXT(60, 8), EXT(6, 8), TCP(0x14) },
	  { ON_IP6 | XF_HAVE_FRAG | XF_TRUNCATED, .proto = 60 } },
	{ "IPv6 hop-by-hop of 2,048 bytes",
	  { ETH(ETH_P_IPV6), IP6(0), EXT(17, 2048), UDP },
	  { ON_IP6 AND_UDP } },
	{ "IPv6 AH of 12 bytes",
	  { ETH(ETH_P_IPV6), IP6(51), AH(17, 12), UDP },
	  { ON_IP6 AND_UDP } },
	{ "IPv6 AH of 1,028 bytes",
	  { ETH(ETH_P_IPV6), IP6(51), AH(6, 1028), TCP(1) },
	  { ON_IP6 AND_TCP, .tcp_flags = 1 } },
	{ "IPv6 AH beyond the packet",
	  { ETH(ETH_P_IPV6), IP6(51), AH(17, 16, .len = 9), UDP, DATA(8) },
	  { ON_IP6 | XF_TRUNCATED, .proto = 51 } },
	{ "IPv6 options beyond the packet",
	  { ETH(ETH_P_IPV6), IP6(60), EXT(17, 8, .len = 2), UDP },
	  { ON_IP6 | XF_TRUNCATED, .proto = 60 } },
	{ "IPv6 options that end with the packet",
	  { ETH(ETH_P_IPV6), IP6(60), EXT(17, 8, .len = 1), DATA(8) },
	  { ON_IP6 | XF_TRUNCATED, .proto = 17 } },
	{ "IPv6 options as long as can be",
	  { ETH(ETH_P_IPV6), IP6(60), EXT(17, 8, .len = 255), UDP },
	  { ON_IP6 | XF_TRUNCATED, .proto = 60 } },
	{ "IPv6 second header beyond the packet",
	  { ETH(ETH_P_IPV6), IP6(43), EXT(0, 8), EXT(17, 8, .len = 200), UDP },
	  { ON_IP6 | XF_TRUNCATED, .proto = 0 } },
	{ "IPv6 header number, nothing behind",
	  { ETH(ETH_P_IPV6), IP6(HIP) },
	  { ON_IP6 | XF_TRUNCATED, .proto = HIP } },

	/* IPv6 fragments */
	{ "IPv6 atomic fragment",
	  { ETH(ETH_P_IPV6), IP6(44), FRAG(17, 0), UDP },
	  { ON_IP6 | XF_HAVE_FRAG AND_UDP } },
	{ "IPv6 first fragment",
	  { ETH(ETH_P_IPV6), IP6(44), FRAG(6, IP6_MORE), TCP(2) },
	  { ON_IP6 FIRST_FRAG AND_TCP, .tcp_flags = 2 } },
	{ "IPv6 first fragment, ICMPv6",
	  { ETH(ETH_P_IPV6), IP6(44), FRAG(58, IP6_MORE), ICMP(128, 9), DATA(8) },
	  { ON_IP6 FIRST_FRAG | XF_HAVE_ICMP, .proto = 58, .icmp_type = 128, .icmp_code = 9 } },
	{ "IPv6 middle fragment",
	  { ETH(ETH_P_IPV6), IP6(44), FRAG(17, 1448 | IP6_MORE), DATA(64) },
	  { ON_IP6 FIRST_FRAG, .proto = 17, .frag_off = 1448 } },
	{ "IPv6 last fragment",
	  { ETH(ETH_P_IPV6), IP6(44), FRAG(6, 65528), DATA(64) },
	  { ON_IP6 | XF_HAVE_FRAG, .proto = 6, .frag_off = 65528 } },
	{ "IPv6 fragment with reserved bits",
	  { ETH(ETH_P_IPV6), IP6(44), FRAG(17, 6), UDP },
	  { ON_IP6 | XF_HAVE_FRAG AND_UDP } },
	{ "IPv6 last fragment of a chain of headers",
	  { ETH(ETH_P_IPV6), IP6(44), FRAG(60, 16), DATA(24) },
	  { ON_IP6 | XF_HAVE_FRAG, .proto = 60, .frag_off = 16 } },
	{ "IPv6 fragment of a fragment: the inner one counts",
	  { ETH(ETH_P_IPV6), IP6(44), FRAG(44, IP6_MORE), FRAG(17, 0), UDP },
	  { ON_IP6 | XF_HAVE_FRAG AND_UDP } },
	{ "IPv6 routing header, then a later fragment",
	  { ETH(ETH_P_IPV6), IP6(43), EXT(44, 8), FRAG(6, 80), DATA(20) },
	  { ON_IP6 | XF_HAVE_FRAG, .proto = 6, .frag_off = 80 } },
	{ "IPv6 eighth header is a later fragment's",
	  { ETH(ETH_P_IPV6), IP6(60), EXT(60, 8), EXT(60, 8), EXT(60, 8), EXT(60, 8), EXT(60, 8),
	    EXT(60, 8), EXT(44, 8), FRAG(60, 8), DATA(8) },
	  { ON_IP6 | XF_HAVE_FRAG, .proto = 60, .frag_off = 8 } },

	/* Both at once */
	{ "two tags, options, fragment",
	  { ETH(ETH_P_8021AD), VLAN(7, ETH_P_8021Q), VLAN(12, ETH_P_IP),
	    IP4(17, .size = 8, .frag = IP4_MORE | 3), DATA(16) },
	  { ON_IP4 FIRST_FRAG, .proto = 17, .frag_off = 24, .vlans = 2, .vlan = { 7, 12 } } },
	{ "four tags, IPv6, hop-by-hop, ICMPv6",
	  { ETH(ETH_P_8021Q), VLAN(1, ETH_P_8021Q), VLAN(0, ETH_P_8021AD), VLAN(4095, ETH_P_8021Q),
	    VLAN(256, ETH_P_IPV6), IP6(0), EXT(58, 8), ICMP(143, 0) },
	  { ON_IP6 | XF_HAVE_ICMP, .proto = 58, .icmp_type = 143, .vlans = 4,
	    .vlan = { 1, 0, 4095, 256 } } },
};
const size_t xf_packet_rows_n = sizeof(xf_packet_rows) / sizeof(xf_packet_rows[0]);
