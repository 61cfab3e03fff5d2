// SPDX-License-Identifier: GPL-2.0-only
/* Turn a list of headers into the bytes of a packet, and complete the record that is expected of
 * it. */
#include <assert.h>
#include <linux/if_ether.h>
#include <stdio.h>
#include <string.h>

#include "tests/prog/logger/packet.h"

static void put(struct xf_packet *packet, const void *bytes, size_t n)
{
	assert(packet->len + n <= sizeof(packet->bytes));
	memcpy(packet->bytes + packet->len, bytes, n);
	packet->len += n;
}

static void put_fill(struct xf_packet *packet, uint8_t value, size_t n)
{
	assert(packet->len + n <= sizeof(packet->bytes));
	memset(packet->bytes + packet->len, value, n);
	packet->len += n;
}

static void put8(struct xf_packet *packet, uint8_t value)
{
	put(packet, &value, 1);
}

static void put16(struct xf_packet *packet, uint16_t value)
{
	put8(packet, value >> 8);
	put8(packet, value & 0xff);
}

static void put32(struct xf_packet *packet, uint32_t value)
{
	put16(packet, value >> 16);
	put16(packet, value & 0xffff);
}

/* Set a length field that was not known when its header was put. */
static void patch16(struct xf_packet *packet, size_t at, size_t value)
{
	packet->bytes[at] = value >> 8;
	packet->bytes[at + 1] = value & 0xff;
}

static void put_eth(struct xf_packet *packet, const struct xf_layer *layer)
{
	put(packet, XF_TEST_MAC_DST, 6);
	put(packet, XF_TEST_MAC_SRC, 6);
	put16(packet, layer->next);
}

static void put_vlan(struct xf_packet *packet, const struct xf_layer *layer)
{
	put16(packet, layer->tci);
	put16(packet, layer->next);
}

/* RFC 2516 */
static void put_pppoe(struct xf_packet *packet, const struct xf_layer *layer)
{
	put8(packet, layer->first ?: 0x11);
	put8(packet, layer->code);
	put16(packet, 0x1234);
	put16(packet, 0);
	if (layer->len == 1)
		put8(packet, layer->next);
	else
		put16(packet, layer->next);
}

/* RFC 3032 */
static void put_mpls(struct xf_packet *packet, const struct xf_layer *layer)
{
	uint32_t label = layer->first ? layer->first - 1 : 0x45678;

	put16(packet, label >> 4);
	put8(packet, (label & 0xf) << 4 | 8 | !!layer->next);
	put8(packet, 63);
}

static void put_llc(struct xf_packet *packet, const struct xf_layer *layer)
{
	put8(packet, layer->type);
	put8(packet, layer->code);
	put8(packet, 3); /* unnumbered information */
	if (layer->type != 0xaa || layer->code != 0xaa)
		return;
	put8(packet, XF_TEST_SNAP_OUI >> 16);
	put16(packet, XF_TEST_SNAP_OUI & 0xffff);
	put16(packet, layer->next);
}

static void put_arp(struct xf_packet *packet, const struct xf_layer *layer)
{
	put16(packet, layer->hw_len == 6 ? 1 : 32); /* Ethernet, InfiniBand */
	put16(packet, layer->proto);
	put8(packet, layer->hw_len);
	put8(packet, layer->proto_len);
	put16(packet, layer->op);
	if (layer->hw_len == 6 && layer->proto_len == 4) {
		put(packet, XF_TEST_MAC_SRC, 6);
		put(packet, XF_TEST_IP4_SRC, 4);
		put(packet, XF_TEST_MAC_DST, 6);
		put(packet, XF_TEST_IP4_DST, 4);
	} else {
		put_fill(packet, 0x5a, 2u * (layer->hw_len + layer->proto_len));
	}
}

static void put_ip4(struct xf_packet *packet, const struct xf_layer *layer)
{
	put8(packet, layer->first ? layer->first : 0x45 + layer->size / 4);
	put8(packet, 0xb8); /* DSCP EF */
	put16(packet, 0);   /* total length, patched */
	put16(packet, XF_TEST_IP4_ID);
	put16(packet, layer->frag);
	put8(packet, 63);
	put8(packet, layer->next);
	put16(packet, 0); /* the checksum is not verified */
	put(packet, XF_TEST_IP4_SRC, 4);
	put(packet, XF_TEST_IP4_DST, 4);
	put_fill(packet, 1, layer->size); /* No Operation */
}

static void put_ip6(struct xf_packet *packet, const struct xf_layer *layer)
{
	put8(packet, layer->first ? layer->first : 0x6b);
	put8(packet, 0x8a);
	put16(packet, 0xbcde);
	put16(packet, 0); /* payload length, patched */
	put8(packet, layer->next);
	put8(packet, 62);
	put(packet, XF_TEST_IP6_SRC, 16);
	put(packet, XF_TEST_IP6_DST, 16);
}

static void put_ext(struct xf_packet *packet, const struct xf_layer *layer)
{
	put8(packet, layer->next);
	put8(packet, layer->len ? layer->len : layer->size / 8 - 1);
	if (!layer->type) {
		/* As options: Pad1, as routing header: no segment left. */
		put_fill(packet, 0, layer->size - 2);
		return;
	}
	put8(packet, layer->type);
	put8(packet, layer->size - 4);
	put_fill(packet, 1, layer->size - 4);
}

static void put_ah(struct xf_packet *packet, const struct xf_layer *layer)
{
	put8(packet, layer->next);
	put8(packet, layer->len ? layer->len : layer->size / 4 - 2);
	put16(packet, 0);
	put_fill(packet, 0x77, layer->size - 4); /* SPI, sequence number, integrity check value */
}

static void put_frag(struct xf_packet *packet, const struct xf_layer *layer)
{
	put8(packet, layer->next);
	put8(packet, 0xff); /* reserved, "ignored on reception": not a length */
	put16(packet, layer->frag);
	put32(packet, XF_TEST_IP6_ID);
}

static void put_tcp(struct xf_packet *packet, const struct xf_layer *layer)
{
	put16(packet, XF_TEST_SPORT);
	put16(packet, XF_TEST_DPORT);
	put32(packet, 0x01020304);
	put32(packet, 0x05060708);
	put8(packet, 0x50);
	put8(packet, layer->flags);
	put16(packet, 0x7210);
	put16(packet, 0);
	put16(packet, 0);
}

static void put_udp(struct xf_packet *packet, const struct xf_layer *layer)
{
	(void)layer;
	put16(packet, XF_TEST_SPORT);
	put16(packet, XF_TEST_DPORT);
	put32(packet, 0); /* length, patched */
}

static void put_sctp(struct xf_packet *packet, const struct xf_layer *layer)
{
	(void)layer;
	put16(packet, XF_TEST_SPORT);
	put16(packet, XF_TEST_DPORT);
	put32(packet, 0x11121314);
	put32(packet, 0);
	put32(packet, 0x0b000004); /* one COOKIE ACK chunk */
}

static void put_icmp(struct xf_packet *packet, const struct xf_layer *layer)
{
	put8(packet, layer->type);
	put8(packet, layer->code);
	put16(packet, 0);
	put32(packet, 0x21222324);
}

static void put_data(struct xf_packet *packet, const struct xf_layer *layer)
{
	put_fill(packet, 0xa5, layer->size);
}

static void (*const put_layer[])(struct xf_packet *, const struct xf_layer *) = {
	[LAYER_ETH] = put_eth,	   [LAYER_VLAN] = put_vlan, [LAYER_ARP] = put_arp,
	[LAYER_PPPOE] = put_pppoe, [LAYER_MPLS] = put_mpls, [LAYER_LLC] = put_llc,
	[LAYER_IP4] = put_ip4,	   [LAYER_IP6] = put_ip6,   [LAYER_EXT] = put_ext,
	[LAYER_AH] = put_ah,	   [LAYER_FRAG] = put_frag, [LAYER_TCP] = put_tcp,
	[LAYER_UDP] = put_udp,	   [LAYER_SCTP] = put_sctp, [LAYER_ICMP] = put_icmp,
	[LAYER_DATA] = put_data,   [LAYER_PAD] = put_data,
};

/* Returns how many of the header's @size bytes the parser needs, for the record or to go on. */
static size_t layer_needs(const struct xf_layer *layer, size_t size)
{
	switch (layer->kind) {
	case LAYER_ARP:
		return layer->hw_len == 6 && layer->proto_len == 4 && layer->proto == ETH_P_IP ? 28
											       : 8;
	case LAYER_PPPOE:
		return 8; /* also where PPP's number is shorter: no IP header begins there */
	case LAYER_MPLS:
		return size + !!layer->next; /* and what tells whether IP follows */
	case LAYER_TCP:
		return 14; /* up to the flags */
	case LAYER_UDP:
	case LAYER_SCTP:
		return 4; /* the ports */
	case LAYER_ICMP:
		return 2; /* type and code */
	case LAYER_DATA:
	case LAYER_PAD:
		return 0;
	default:
		return size;
	}
}

static void complete_expect(struct xf_record *expect, size_t len)
{
	expect->len = len;
	memcpy(expect->eth_dst, XF_TEST_MAC_DST, 6);
	memcpy(expect->eth_src, XF_TEST_MAC_SRC, 6);
	if (expect->have & (XF_HAVE_IP4 | XF_HAVE_ARP_IP4)) {
		memcpy(expect->src, XF_TEST_IP4_SRC, 4);
		memcpy(expect->dst, XF_TEST_IP4_DST, 4);
	}
	if (expect->have & XF_HAVE_IP6) {
		memcpy(expect->src, XF_TEST_IP6_SRC, 16);
		memcpy(expect->dst, XF_TEST_IP6_DST, 16);
	}
	if (expect->have & XF_HAVE_PORTS) {
		expect->sport = XF_TEST_SPORT;
		expect->dport = XF_TEST_DPORT;
	}
	if (expect->have & XF_HAVE_SNAP)
		expect->snap_oui = XF_TEST_SNAP_OUI;
	if (expect->have & XF_HAVE_FRAG)
		expect->frag_id = expect->have & XF_HAVE_IP4 ? XF_TEST_IP4_ID : XF_TEST_IP6_ID;
}

void xf_packet_build(const struct xf_packet_row *row, struct xf_packet *packet)
{
	size_t at[XF_PACKET_LAYERS], end = 0;

	snprintf(packet->name, sizeof(packet->name), "%s", row->name);
	packet->len = 0;
	packet->needs = 0;
	for (int i = 0; i < XF_PACKET_LAYERS && row->layers[i].kind; i++) {
		const struct xf_layer *layer = &row->layers[i];
		size_t needs;

		at[i] = packet->len;
		put_layer[layer->kind](packet, layer);
		needs = layer_needs(layer, packet->len - at[i]);
		if (needs)
			packet->needs = at[i] + needs;
		if (layer->kind != LAYER_PAD)
			end = packet->len;
	}
	for (int i = 0; i < XF_PACKET_LAYERS && row->layers[i].kind; i++) {
		if (row->layers[i].kind == LAYER_IP4)
			patch16(packet, at[i] + 2, end - at[i]);
		else if (row->layers[i].kind == LAYER_IP6 && !row->layers[i].no_len)
			patch16(packet, at[i] + 4, end - at[i] - 40);
		else if (row->layers[i].kind == LAYER_UDP)
			patch16(packet, at[i] + 4, end - at[i]);
		else if (row->layers[i].kind == LAYER_PPPOE)
			patch16(packet, at[i] + 4, end - at[i] - 6);
	}
	packet->expect = row->expect;
	complete_expect(&packet->expect, packet->len);
}
