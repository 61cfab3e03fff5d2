// SPDX-License-Identifier: GPL-2.0-only
/* Addresses and prefixes in the text of a rule. inet_pton() is not used: it wants a string of its
 * own, and does not say where a mistake is. */
#include "firewall/rule/prefix.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/addr.h"

#define WHY_MAX 128
#define EXPECT_PREFIX "expected an address or a prefix, as in 192.0.2.0/24 or 2001:db8::/32"

/* Four decimal numbers without leading zeros. Returns how many bytes they take, or 0. */
static size_t read_ip4(const char *text, size_t len, uint8_t addr[4])
{
	const char *at = text, *end = text + len;

	for (int i = 0; i < 4; i++) {
		unsigned int n = 0, digits = 0;

		if (i && (at == end || *at++ != '.'))
			return 0;
		for (; at < end && *at >= '0' && *at <= '9' && digits < 4; digits++)
			n = n * 10 + (*at++ - '0');
		if (!digits || n > 255 || (digits > 1 && at[-(int)digits] == '0'))
			return 0;
		addr[i] = n;
	}
	return at - text;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One to four hexadecimal digits. Returns how many, or 0. */
static size_t read_group(const char *at, const char *end, uint8_t out[2])
{
	unsigned int n = 0, digits = 0;

	for (; at < end && hex_value(*at) >= 0 && digits < 5; digits++)
		n = n << 4 | hex_value(*at++);
	if (digits > 4)
		return 0;
	out[0] = n >> 8;
	out[1] = n;
	return digits;
}

/* The state of reading an IPv6 address. */
struct ip6 {
	uint8_t *addr;
	int filled; /* bytes */
	int gap;    /* where "::" stood, -1: nowhere yet */
};

/* The zeros of "::" go between what stood before and behind it. */
static bool close_gap(struct ip6 *ip6)
{
	int behind = ip6->filled - ip6->gap;

	if (ip6->gap < 0)
		return ip6->filled == 16;
	if (ip6->filled == 16)
		return false;
	memmove(ip6->addr + 16 - behind, ip6->addr + ip6->gap, behind);
	memset(ip6->addr + ip6->gap, 0, 16 - ip6->filled);
	return true;
}

/* Whether exactly these @len bytes are an IPv6 address. */
static bool read_ip6(const char *text, size_t len, uint8_t addr[16])
{
	const char *at = text, *end = text + len;
	struct ip6 ip6 = { .addr = addr, .gap = -1 };

	while (at < end) {
		size_t digits;

		if (end - at >= 2 && at[0] == ':' && at[1] == ':' && ip6.gap < 0) {
			ip6.gap = ip6.filled;
			at += 2;
			if (at == end)
				break;
		} else if (ip6.filled) {
			if (*at++ != ':')
				return false;
		}
		if (ip6.filled == 16)
			return false;
		digits = read_group(at, end, addr + ip6.filled);
		if (digits && at + digits < end && at[digits] == '.') {
			/* The last four bytes as an IPv4 address. */
			if (ip6.filled > 12 ||
			    read_ip4(at, end - at, addr + ip6.filled) != (size_t)(end - at))
				return false;
			ip6.filled += 4;
			break;
		}
		if (!digits)
			return false;
		ip6.filled += 2;
		at += digits;
	}
	return close_gap(&ip6);
}

static int refuse(char *why, size_t *offset, size_t at, const char *text)
{
	*offset = at;
	snprintf(why, WHY_MAX, "%s", text);
	return -EINVAL;
}

/* The digits behind the slash. Returns -EINVAL when they are none, or too large. */
static int read_length(const char *text, size_t len, unsigned int max)
{
	unsigned int n = 0;

	if (!len || len > 3)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return -EINVAL;
		n = n * 10 + (text[i] - '0');
	}
	return n > max ? -EINVAL : (int)n;
}

/* Set the bits behind the length to zero. Returns whether one was set. */
static bool clear_host_bits(struct xf_prefix *prefix, int bytes)
{
	uint8_t any = 0;
	int first = prefix->len / 8;

	if (prefix->len % 8) {
		any = prefix->addr[first] & 0xff >> prefix->len % 8;
		prefix->addr[first++] ^= any;
	}
	for (; first < bytes; first++) {
		any |= prefix->addr[first];
		prefix->addr[first] = 0;
	}
	return any;
}

static int refuse_host_bits(const struct xf_prefix *fixed, int family, char *why, size_t *offset)
{
	char text[XF_RULE_PREFIX_TEXT];
	char *end = xf_rule_prefix_text(text, fixed, family);

	*offset = 0;
	snprintf(why, WHY_MAX, "there are host bits behind the prefix: expected %.*s",
		 (int)(end - text), text);
	return -EINVAL;
}

/* On the wire these addresses hardly exist: a rule with one is meant for IPv4, which it would miss.
 */
static int refuse_mapped(const struct xf_prefix *prefix, char *why, size_t *offset)
{
	struct xf_prefix ip4 = { .len = prefix->len - 96 };
	char text[XF_RULE_PREFIX_TEXT];
	char *end;

	memcpy(ip4.addr, prefix->addr + 12, 4);
	end = xf_rule_prefix_text(text, &ip4, 4);
	*offset = 0;
	snprintf(why, WHY_MAX, "an IPv4 address in IPv6 form matches no IPv4 packet: expected %.*s",
		 (int)(end - text), text);
	return -EINVAL;
}

bool xf_rule_prefix_is_mapped(const struct xf_prefix *prefix)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return prefix->len >= 96 && !memcmp(prefix->addr, mapped, sizeof(mapped));
}

int xf_rule_prefix_parse(const char *text, size_t len, bool mask, struct xf_prefix *prefix,
			 char why[WHY_MAX], size_t *offset)
{
	const char *slash = memchr(text, '/', len);
	size_t addr_len = slash ? (size_t)(slash - text) : len;
	int family = memchr(text, ':', addr_len) ? 6 : 4;
	int bits = family == 6 ? 128 : 32;

	memset(prefix, 0, sizeof(*prefix));
	if (family == 4 ? !addr_len || read_ip4(text, addr_len, prefix->addr) != addr_len
			: !read_ip6(text, addr_len, prefix->addr))
		return refuse(why, offset, 0, EXPECT_PREFIX);
	if (slash) {
		int given = read_length(slash + 1, len - addr_len - 1, bits);

		if (given < 0)
			return refuse(why, offset, addr_len + 1,
				      family == 6 ? "expected a prefix length from 0 to 128"
						  : "expected a prefix length from 0 to 32");
		bits = given;
	}
	prefix->len = bits;
	if (clear_host_bits(prefix, family == 6 ? 16 : 4) && !mask)
		return refuse_host_bits(prefix, family, why, offset);
	if (family == 6 && xf_rule_prefix_is_mapped(prefix))
		return refuse_mapped(prefix, why, offset);
	return family;
}

char *xf_rule_prefix_text(char *out, const struct xf_prefix *prefix, int family)
{
	/* The functions below may write a few bytes behind the end that they return. */
	char text[XF_IP6_TEXT + 24];
	char *end = family == 6 ? xf_ip6_text(text, prefix->addr) : xf_ip4_text(text, prefix->addr);

	if (prefix->len != (family == 6 ? 128 : 32)) {
		*end++ = '/';
		end = xf_u64_text(end, prefix->len);
	}
	memcpy(out, text, end - text);
	return out + (end - text);
}

bool xf_rule_mac_parse(const char *text, size_t len, uint8_t mac[6])
{
	if (len != XF_MAC_TEXT)
		return false;
	for (int i = 0; i < 6; i++, text += 3) {
		int high = hex_value(text[0]), low = hex_value(text[1]);

		if (high < 0 || low < 0 || (i < 5 && text[2] != ':'))
			return false;
		mac[i] = high << 4 | low;
	}
	return true;
}
