// SPDX-License-Identifier: GPL-2.0-only
/* All packets of the tests: those of the table, and generated ones. */
#include <errno.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/prog/logger/packet.h"

#define MAX_TAGS 5
#define MAX_EXT 9
#define MAX_PACKETS 400

static const struct {
	uint8_t proto;
	enum xf_layer_kind kind;
	uint16_t size;
	const char *name;
} ext_kinds[] = {
	{ 0, LAYER_EXT, 8, "hop-by-hop" },    { 43, LAYER_EXT, 24, "routing" },
	{ 60, LAYER_EXT, 16, "destination" }, { 44, LAYER_FRAG, 8, "fragment" },
	{ 51, LAYER_AH, 24, "AH" },	      { 135, LAYER_EXT, 16, "mobility" },
	{ 139, LAYER_EXT, 40, "HIP" },	      { 140, LAYER_EXT, 8, "shim6" },
};
#define EXT_KINDS (sizeof(ext_kinds) / sizeof(ext_kinds[0]))

/* Build a packet from a row on the stack, with a formatted name. */
__attribute__((format(printf, 3, 4))) static void
add(struct xf_packets *packets, struct xf_packet_row *row, const char *format, ...)
{
	char name[sizeof(packets->list->name)];
	va_list args;

	if (packets->n == MAX_PACKETS)
		abort();
	va_start(args, format);
	vsnprintf(name, sizeof(name), format, args);
	va_end(args);
	row->name = name;
	xf_packet_build(row, &packets->list[packets->n++]);
}

/* @n tags in front of an IPv4 UDP packet, outermost first; bit i of @mix says that tag i is a
 * provider's. */
static void add_tagged(struct xf_packets *packets, int n, unsigned int mix)
{
	struct xf_packet_row row = {
		.layers[0] = { .kind = LAYER_ETH },
		.expect = { .have = XF_HAVE_ETH, .eth_type = ETH_P_IP },
	};
	struct xf_layer *layer = row.layers;

	for (int i = 0; i < n; i++) {
		uint16_t id = 0xf00 + 0x11 * i;

		layer++->next = mix >> i & 1 ? ETH_P_8021AD : ETH_P_8021Q;
		*layer = (struct xf_layer) { .kind = LAYER_VLAN, .tci = (i << 13 | 0x1000) + id };
		if (i < XF_MAX_VLANS)
			row.expect.vlan[row.expect.vlans++] = id;
	}
	layer++->next = ETH_P_IP;
	*layer++ = (struct xf_layer) { .kind = LAYER_IP4, .next = IPPROTO_UDP };
	*layer = (struct xf_layer) { .kind = LAYER_UDP };
	if (n > XF_MAX_VLANS) { /* the fifth tag is where parsing stops */
		row.expect.have |= XF_TRUNCATED;
		row.expect.eth_type = mix >> XF_MAX_VLANS & 1 ? ETH_P_8021AD : ETH_P_8021Q;
	} else {
		row.expect.have |= XF_HAVE_IP4 | XF_HAVE_PORTS;
		row.expect.proto = IPPROTO_UDP;
	}
	add(packets, &row, "%d tags, mix %#x", n, mix);
}

/* @n extension headers of one kind in front of UDP. */
static void add_extended(struct xf_packets *packets, unsigned int kind, int n)
{
	struct xf_packet_row row = {
		.layers = { { .kind = LAYER_ETH, .next = ETH_P_IPV6 }, { .kind = LAYER_IP6 } },
		.expect = { .have = XF_HAVE_ETH | XF_HAVE_IP6, .eth_type = ETH_P_IPV6 },
	};
	struct xf_layer *layer = &row.layers[1];
	uint8_t proto = ext_kinds[kind].proto;
	bool all = n <= XF_MAX_EXT_HDRS;

	for (int i = 0; i < n; i++) {
		layer++->next = proto;
		*layer = (struct xf_layer) { .kind = ext_kinds[kind].kind,
					     .size = ext_kinds[kind].size };
	}
	layer++->next = IPPROTO_UDP;
	*layer = (struct xf_layer) { .kind = LAYER_UDP };
	row.expect.have |= all ? XF_HAVE_PORTS : XF_TRUNCATED;
	row.expect.proto = all ? IPPROTO_UDP : proto;
	if (ext_kinds[kind].kind == LAYER_FRAG && n > 0)
		row.expect.have |= XF_HAVE_FRAG;
	add(packets, &row, "%d %s headers", n, ext_kinds[kind].name);
}

static void add_tcp(struct xf_packets *packets, uint8_t flags)
{
	struct xf_packet_row row = {
		.layers = { { .kind = LAYER_ETH, .next = ETH_P_IP },
			    { .kind = LAYER_IP4, .next = IPPROTO_TCP },
			    { .kind = LAYER_TCP, .flags = flags } },
		.expect = { .have = XF_HAVE_ETH | XF_HAVE_IP4 | XF_HAVE_PORTS | XF_HAVE_TCP_FLAGS,
			    .eth_type = ETH_P_IP,
			    .proto = IPPROTO_TCP,
			    .tcp_flags = flags },
	};

	add(packets, &row, "TCP flags %#04x", flags);
}

int xf_packets__build(struct xf_packets *packets)
{
	packets->n = 0;
	packets->list = calloc(MAX_PACKETS, sizeof(*packets->list));
	if (!packets->list)
		return -ENOMEM;
	for (size_t i = 0; i < xf_packet_rows_n; i++)
		xf_packet_build(&xf_packet_rows[i], &packets->list[packets->n++]);
	for (int n = 0; n <= MAX_TAGS; n++)
		for (unsigned int mix = 0; mix < 1u << n; mix++)
			add_tagged(packets, n, mix);
	for (unsigned int kind = 0; kind < EXT_KINDS; kind++)
		for (int n = 0; n <= MAX_EXT; n++)
			add_extended(packets, kind, n);
	for (int bit = 0; bit < 8; bit++)
		add_tcp(packets, 1 << bit);
	add_tcp(packets, 0);
	add_tcp(packets, 0xff);
	return 0;
}

void xf_packets__free(struct xf_packets *packets)
{
	free(packets->list);
	packets->list = NULL;
}
