// SPDX-License-Identifier: GPL-2.0-only
/* Random rules and packets, drawn from so few addresses, ports and MACs that they often meet. */
#include <string.h>

#include "tests/prog/firewall/fw.h"

static uint64_t state;

void xf_fw_random_seed(uint64_t seed)
{
	state = seed * 0x9e3779b97f4a7c15ull + 1;
}

/* xorshift64* */
uint32_t xf_fw_random(uint32_t below)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (state * 0x2545f4914f6cdd1dull >> 32) % below;
}

static bool one_in(uint32_t n)
{
	return !xf_fw_random(n);
}

/* Nibbles that are nearly always 0 or 1, so that short and long prefixes cover many of them. */
static void random_address(uint8_t *addr, int n)
{
	for (int i = 0; i < n; i++)
		addr[i] = i == 0      ? 10
			  : one_in(6) ? xf_fw_random(256)
				      : xf_fw_random(2) << xf_fw_random(2) * 7;
}

static void random_prefix(struct xf_prefix *prefix, int family)
{
	int bits = family == 4 ? 32 : 128;

	random_address(prefix->addr, bits / 8);
	prefix->len = one_in(3) ? xf_fw_random(bits + 1) : bits / 8 * xf_fw_random(9);
	for (int bit = prefix->len; bit < bits; bit++)
		prefix->addr[bit / 8] &= ~(0x80 >> bit % 8);
}

static uint16_t random_port(void)
{
	static const uint16_t ports[] = { 22, 53, 67, 68, 80, 443, 546, 547, 1024, 65535, 0 };

	return one_in(3) ? xf_fw_random(65536) : ports[xf_fw_random(11)];
}

static void random_range(uint16_t *min, uint16_t *max)
{
	*min = random_port();
	*max = one_in(2) ? *min : random_port();
	if (*min > *max) {
		uint16_t other = *min;

		*min = *max;
		*max = other;
	}
}

static uint8_t random_proto(void)
{
	static const uint8_t protos[] = { 6, 6, 6, 17, 17, 132, 1, 2, 58, 136, 51, 135, 139 };

	return one_in(10) ? xf_fw_random(256) : protos[xf_fw_random(sizeof(protos))];
}

static void random_mac(uint8_t *mac)
{
	memcpy(mac, "\x02\0\0\0\0", 5);
	mac[5] = xf_fw_random(3);
}

void xf_fw_random_prefix(struct xf_rule *rule, int family)
{
	memset(rule, 0, sizeof(*rule));
	rule->deny = xf_fw_random(2);
	rule->family = family;
	rule->has = XF_RULE_SRC << xf_fw_random(2);
	random_prefix(rule->has == XF_RULE_SRC ? &rule->src : &rule->dst, family);
}

void xf_fw_random_rule(struct xf_rule *rule)
{
	memset(rule, 0, sizeof(*rule));
	rule->protect = one_in(20);
	if (rule->protect) {
		rule->has = XF_RULE_SRC;
		rule->family = one_in(2) ? 4 : 6;
		random_prefix(&rule->src, rule->family);
		return;
	}
	rule->deny = xf_fw_random(2);
	if (one_in(3)) /* a single prefix */
		rule->has = XF_RULE_SRC << xf_fw_random(2);
	while (!rule->has)
		for (int bit = 0; bit < 7; bit++)
			if (one_in(3))
				rule->has |= 1 << bit;
	if (rule->has & (XF_RULE_SRC | XF_RULE_DST))
		rule->family = one_in(2) ? 4 : 6;
	if (rule->has & XF_RULE_SRC)
		random_prefix(&rule->src, rule->family);
	if (rule->has & XF_RULE_DST)
		random_prefix(&rule->dst, rule->family);
	if (rule->has & XF_RULE_SPORT)
		random_range(&rule->sport_min, &rule->sport_max);
	if (rule->has & XF_RULE_DPORT)
		random_range(&rule->dport_min, &rule->dport_max);
	if (rule->has & XF_RULE_MAC)
		random_mac(rule->mac);
	if (rule->has & XF_RULE_PROTO)
		rule->proto = random_proto();
}

static uint8_t *put16(uint8_t *at, uint16_t value)
{
	*at++ = value >> 8;
	*at++ = value;
	return at;
}

/* The layer-4 header of any protocol: ports, or type and code, and flags where TCP has them. */
static uint8_t *put_l4(uint8_t *at, uint8_t proto)
{
	memset(at, 0, 20);
	if (proto == 1 || proto == 58) {
		at[0] = one_in(2) ? 128 + xf_fw_random(30) : xf_fw_random(16);
		return at + 8;
	}
	if (proto == 2) {
		at[0] = xf_fw_random(64);
		return at + 8;
	}
	put16(at, random_port());
	put16(at + 2, random_port());
	at[13] = xf_fw_random(64);
	return at + 20;
}

static uint8_t *put_ip4(uint8_t *at)
{
	uint8_t proto = random_proto(), words = one_in(8) ? 5 + xf_fw_random(11) : 5,
		*l4 = at + 4 * words;

	memset(at, 0, 4 * words);
	at[0] = 0x40 | words;
	if (one_in(8))
		put16(at + 6, one_in(2) ? 0x2000 : 1 + xf_fw_random(100));
	at[9] = proto;
	random_address(at + 12, 4);
	random_address(at + 16, 4);
	l4 = put_l4(l4, proto);
	put16(at + 2, l4 - at);
	return l4;
}

/* Extension headers as the first byte of each says; returns where layer 4 is. */
static uint8_t *put_extensions(uint8_t *at, uint8_t *next, uint8_t proto)
{
	static const uint8_t kinds[] = { 0, 43, 44, 51, 60, 135, 139, 140 };

	for (uint32_t left = one_in(4) ? xf_fw_random(13) : 0; left; left--) {
		uint8_t kind = kinds[xf_fw_random(sizeof(kinds))],
			units = kind == 44 ? 0 : xf_fw_random(3);
		size_t size = kind == 51 ? 4 * units + 8 : 8 * units + 8;

		*next = kind;
		memset(at, 0, size);
		at[1] = units;
		if (kind == 44)
			put16(at + 2, one_in(2) ? 1 : xf_fw_random(20) << 3);
		next = at;
		at += size;
	}
	*next = proto;
	return at;
}

static uint8_t *put_ip6(uint8_t *at)
{
	uint8_t proto = random_proto(), *l4;

	memset(at, 0, 40);
	at[0] = 0x60;
	random_address(at + 8, 16);
	random_address(at + 24, 16);
	l4 = put_extensions(at + 40, at + 6, proto);
	l4 = put_l4(l4, proto);
	put16(at + 4, l4 - at - 40);
	return l4;
}

size_t xf_fw_random_packet(uint8_t bytes[XF_FW_PACKET_MAX])
{
	static const uint16_t others[] = { 0x0806, 0x88cc };
	uint8_t *at = bytes;
	size_t len;
	bool ip4 = one_in(2);
	uint16_t type = one_in(20) ? others[xf_fw_random(2)] : ip4 ? 0x0800 : 0x86dd;

	memset(bytes, 0, XF_FW_PACKET_MAX);
	memcpy(at, "\x02\0\0\0\1\1", 6);
	random_mac(at + 6);
	at += 12;
	for (uint32_t tags = one_in(6) ? 1 + xf_fw_random(6) : 0; tags; tags--)
		at = put16(put16(at, one_in(3) ? 0x88a8 : 0x8100), xf_fw_random(4095));
	at = put16(at, type);
	at = type == 0x0800 ? put_ip4(at) : type == 0x86dd ? put_ip6(at) : at + 46;
	len = at - bytes;
	if (one_in(10)) /* cut */
		len = 14 + xf_fw_random(len - 13);
	return len;
}
