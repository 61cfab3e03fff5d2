// SPDX-License-Identifier: GPL-2.0-only
/* Parts of a line that the text and the JSON format share. */
#include "loader/format/common.h"

#include <time.h>

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

char *xf_vlans_text(char *out, const struct xf_record *rec)
{
	for (int i = 0; i < rec->vlans && i < XF_MAX_VLANS; i++) {
		if (i)
			*out++ = ',';
		out = xf_u64_text(out, rec->vlan[i]);
	}
	return out;
}

static char *clock_text(char *out, const struct tm *tm)
{
	out = xf_padded_text(out, tm->tm_hour, 2);
	*out++ = ':';
	out = xf_padded_text(out, tm->tm_min, 2);
	*out++ = ':';
	return xf_padded_text(out, tm->tm_sec, 2);
}

char *xf_local_time_text(char *out, int64_t second)
{
	time_t when = second;
	struct tm tm = { 0 };

	localtime_r(&when, &tm);
	return clock_text(out, &tm);
}

char *xf_utc_time_text(char *out, int64_t second)
{
	time_t when = second;
	struct tm tm = { 0 };

	gmtime_r(&when, &tm);
	out = xf_padded_text(out, tm.tm_year + 1900, 4);
	*out++ = '-';
	out = xf_padded_text(out, tm.tm_mon + 1, 2);
	*out++ = '-';
	out = xf_padded_text(out, tm.tm_mday, 2);
	*out++ = 'T';
	return clock_text(out, &tm);
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

/* Returns the bytes of the UTF-8 sequence at @s if it is well-formed, else 0. @s ends with a NUL.
 */
static size_t utf8_len(const uint8_t *s)
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

/* Neither a control character of ASCII nor (as UTF-8) one of the C1 set, which terminals obey as
 * well. */
static bool is_printable(const uint8_t *s, size_t len)
{
	if (len == 1)
		return s[0] >= 0x20 && s[0] != 0x7f;
	return len && !(s[0] == 0xc2 && s[1] < 0xa0);
}

char *xf_hex_byte(char *out, uint8_t byte)
{
	static const char hex[] = "0123456789abcdef";

	*out++ = hex[byte >> 4];
	*out++ = hex[byte & 15];
	return out;
}

char *xf_escaped_text(char *out, size_t room, const char *text, size_t len, bool json)
{
	const uint8_t *at = (const uint8_t *)text, *end = at + len;
	char *last = out + room - XF_ESCAPE_MAX;

	while (*at && at < end && out <= last) {
		size_t n;

		if (*at > 0x20 && *at < 0x7f && *at != '"' && *at != '\\') {
			*out++ = *at++;
			continue;
		}
		if (json && (*at == '"' || *at == '\\'))
			*out++ = '\\';
		n = utf8_len(at);
		if (at + n > end)
			n = 0;
		if (is_printable(at, n)) {
			memcpy(out, at, n);
			out += n;
			at += n;
			continue;
		}
		/* The number of a C1 character is its second byte. */
		at += json && n == 2;
		out = put(out, json ? "\\u00" : "\\x");
		out = xf_hex_byte(out, *at++);
	}
	return out;
}
