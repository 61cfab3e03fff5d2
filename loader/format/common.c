// SPDX-License-Identifier: GPL-2.0-only
/* Parts of a line that the text and the JSON format share. */
#include "loader/format/common.h"

/* Other protocols, among them extension headers of IPv6, are written as numbers. */
static const struct {
	char text[8]; /* with its NUL */
	uint8_t len;
} protos[256] = {
#define PROTO(name)                                                                                \
	{                                                                                          \
		name, sizeof(name) - 1                                                             \
	}
	[1] = PROTO("icmp"),  [2] = PROTO("igmp"),   [6] = PROTO("tcp"),    [17] = PROTO("udp"),
	[47] = PROTO("gre"),  [50] = PROTO("esp"),   [51] = PROTO("ah"),    [58] = PROTO("icmpv6"),
	[103] = PROTO("pim"), [112] = PROTO("vrrp"), [132] = PROTO("sctp"),
#undef PROTO
};

const char *xf_proto_name(uint8_t proto)
{
	return protos[proto].len ? protos[proto].text : NULL;
}

char *xf_proto_text(char *out, uint8_t proto)
{
	memcpy(out, protos[proto].text, sizeof(protos[proto].text));
	return out + protos[proto].len;
}

char *xf_tcp_flags_text(char *out, uint8_t flags)
{
	static const char letters[8] = "FSRP.UEW";

	if (!flags)
		return put(out, "none");
	for (; flags; flags &= flags - 1)
		*out++ = letters[__builtin_ctz(flags)];
	return out;
}

static char *addr_text(char *out, const struct xf_record *rec, const uint8_t *addr)
{
	if (rec->have & (XF_HAVE_IP4 | XF_HAVE_ARP_IP4))
		return xf_ip4_text(out, addr);
	return xf_ip6_text(out, addr);
}

char *xf_src_text(char *out, const struct xf_record *rec)
{
	return addr_text(out, rec, rec->src);
}

char *xf_dst_text(char *out, const struct xf_record *rec)
{
	return addr_text(out, rec, rec->dst);
}

static bool is_tail(uint8_t byte)
{
	return (byte & 0xc0) == 0x80;
}

/* The second byte decides whether the sequence is overlong, a surrogate or beyond U+10FFFF. */
static bool second_is_valid(uint8_t first, uint8_t second)
{
	if (!is_tail(second))
		return false;
	switch (first) {
	case 0xe0:
		return second >= 0xa0;
	case 0xed:
		return second < 0xa0;
	case 0xf0:
		return second >= 0x90;
	case 0xf4:
		return second < 0x90;
	default:
		return true;
	}
}

size_t xf_utf8_len(const uint8_t *s)
{
	size_t len;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4 || !second_is_valid(s[0], s[1]))
		return 0;
	len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	for (size_t i = 2; i < len; i++)
		if (!is_tail(s[i]))
			return 0;
	return len;
}

bool xf_is_printable(const uint8_t *s, size_t utf8_len)
{
	if (utf8_len == 1)
		return s[0] >= 0x20 && s[0] != 0x7f;
	return utf8_len && !(s[0] == 0xc2 && s[1] < 0xa0);
}

char *xf_hex_byte(char *out, uint8_t byte)
{
	static const char hex[] = "0123456789abcdef";

	*out++ = hex[byte >> 4];
	*out++ = hex[byte & 15];
	return out;
}
