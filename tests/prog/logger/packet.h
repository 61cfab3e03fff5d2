/* SPDX-License-Identifier: GPL-2.0-only */
/* Packets for the tests: each is a list of headers, the bytes that are built from it, and the
 * expected record. */
#ifndef XF_TEST_PACKET_H
#define XF_TEST_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xdp-prog/abi.h"

#define XF_PACKET_LAYERS 14
#define XF_PACKET_BYTES 2304

enum xf_layer_kind {
	LAYER_END,
	LAYER_ETH,
	LAYER_VLAN,
	LAYER_PPPOE, /* a session */
	LAYER_MPLS,
	LAYER_LLC,
	LAYER_ARP,
	LAYER_IP4,
	LAYER_IP6,
	LAYER_EXT, /* IPv6 extension header in units of 8 bytes */
	LAYER_AH,  /* the same in units of 4 */
	LAYER_FRAG,
	LAYER_TCP,
	LAYER_UDP, /* and UDP-Lite, whose header looks the same */
	LAYER_SCTP,
	LAYER_ICMP, /* and ICMPv6 */
	LAYER_DATA,
	LAYER_PAD, /* behind the datagram */
};

/* One header. Members that its kind has no use for are ignored. */
struct xf_layer {
	enum xf_layer_kind kind;
	uint16_t next;	/* EtherType or protocol number of what follows; LLC: the type of SNAP;
			 * PPPoE: PPP's number; MPLS: not 0: the last label */
	uint16_t size;	/* bytes: of IPv4 options, of a whole extension header, of data */
	uint16_t tci;	/* VLAN */
	uint16_t frag;	/* offset and flags, as they stand in an IPv4 or fragment header */
	uint16_t op;	/* ARP */
	uint16_t proto; /* ARP: protocol type */
	uint8_t hw_len; /* ARP */
	uint8_t proto_len;
	uint8_t first; /* IPv4, IPv6, PPPoE: the first byte, instead of the right one; MPLS: the
			* label and 1, instead of another one */
	uint8_t len;   /* extension header: the length byte, instead of the right one; PPPoE: the
			* bytes of PPP's number, 0: two */
	uint8_t flags; /* TCP */
	uint8_t type;  /* ICMP; LLC: DSAP; extension header: of its one option, 0: there is none */
	uint8_t code;  /* ICMP; LLC: SSAP; PPPoE */
	bool no_len;   /* IPv6: the payload length is 0, whatever follows */
};

/* A row of a table. Of the expected record only what differs from packet to packet is written down:
 * addresses, len and, where they are announced, ports and fragment ids are the constants below. */
struct xf_packet_row {
	const char *name;
	struct xf_layer layers[XF_PACKET_LAYERS];
	struct xf_record expect;
};

struct xf_packet {
	char name[80];
	struct xf_record expect; /* complete but for boot_ns */
	uint8_t bytes[XF_PACKET_BYTES];
	size_t len;
	size_t needs; /* bytes that the whole record needs */
};

struct xf_packets {
	struct xf_packet *list;
	size_t n;
};

#define XF_TEST_MAC_DST "\x02\x11\x22\x33\x44\x55"
#define XF_TEST_MAC_SRC "\x06\xaa\xbb\xcc\xdd\xee"
#define XF_TEST_IP4_SRC "\x0a\x09\x08\x07"
#define XF_TEST_IP4_DST "\xc0\x00\x02\x21"
#define XF_TEST_IP6_SRC "\x20\x01\x0d\xb8\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b"
#define XF_TEST_IP6_DST "\x20\x01\x0d\xb8\xf0\xe1\xd2\xc3\xb4\xa5\x96\x87\x78\x69\x5a\x4b"
#define XF_TEST_SPORT 40001
#define XF_TEST_DPORT 47806
#define XF_TEST_IP4_ID 0xbeef
#define XF_TEST_SNAP_OUI 0x00000cu
#define XF_TEST_IP6_ID 0xdeadbeef

/* Build the packet of a row. */
void xf_packet_build(const struct xf_packet_row *row, struct xf_packet *packet);

/* All packets: the tables' and the generated ones. Returns 0 or -ENOMEM. */
int xf_packets__build(struct xf_packets *packets);
void xf_packets__free(struct xf_packets *packets);

/* The table of packets, in rows.c. */
extern const struct xf_packet_row xf_packet_rows[];
extern const size_t xf_packet_rows_n;

#endif
