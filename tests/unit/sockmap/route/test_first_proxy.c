// SPDX-License-Identifier: GPL-2.0-only
/* PROXY protocol headers of both versions: read, refused and written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/prefixes.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define TEXT(s) s, sizeof(s) - 1

/* The parser does not look behind the header. */
static void ask_proxy(const uint8_t *data, size_t len, const void *arg, struct said *said)
{
	(void)arg;
	said->answer = xf_first_proxy(data, len, &said->proxy);
	if (said->answer == XF_FIRST_YES)
		assert_in_range(said->proxy.len, 1, len);
	else
		memset(&said->proxy, 0, sizeof(said->proxy));
}

static const struct {
	const char *what;
	const char *header;
	size_t len;
	enum xf_first answer;
	const char *src, *dst; /* YES: "-" for none */
	bool local;
} proxies[] = {
#define YES(what, header, src, dst)                                                                \
	{                                                                                          \
		what, TEXT(header), XF_FIRST_YES, src, dst, false                                  \
	}
#define LOCAL(what, header)                                                                        \
	{                                                                                          \
		what, TEXT(header), XF_FIRST_YES, "-", "-", true                                   \
	}
#define NOT(answer, what, header)                                                                  \
	{                                                                                          \
		what, TEXT(header), answer, NULL, NULL, false                                      \
	}
#define BAD(what, header) NOT(XF_FIRST_BAD, what, header)
#define NO(what, header) NOT(XF_FIRST_NO, what, header)
#define SIG "\r\n\r\n\0\r\nQUIT\n"
#define IN4                                                                                        \
	"\xc0\0\2\1"                                                                               \
	"\xc0\0\2\2"                                                                               \
	"\x9c\x40"                                                                                 \
	"\1\xbb"
#define SIX1 "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
#define SIX2 "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2"
#define MAPPED1 "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1"
#define U54 "012345678901234567890123456789012345678901234567890123"
	YES("1, IPv4", "PROXY TCP4 192.0.2.1 192.0.2.2 40000 443\r\n", "192.0.2.1:40000",
	    "192.0.2.2:443"),
	YES("1, IPv6", "PROXY TCP6 2001:db8::1 2001:DB8::2 1 65535\r\n", "[2001:db8::1]:1",
	    "[2001:db8::2]:65535"),
	YES("1, the longest",
	    "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:"
	    "ffff 65535 65535\r\n",
	    "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
	    "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"),
	YES("1, port 0", "PROXY TCP4 0.0.0.0 255.255.255.255 0 0\r\n", "0.0.0.0:0",
	    "255.255.255.255:0"),
	LOCAL("1, UNKNOWN", "PROXY UNKNOWN\r\n"),
	LOCAL("1, UNKNOWN with addresses", "PROXY UNKNOWN ::1 ::1 1 2\r\n"),
	LOCAL("1, UNKNOWN with noise", "PROXY UNKNOWN \0\xff \r x\r\n"),
	LOCAL("1, UNKNOWN, 107 bytes", "PROXY UNKNOWN " U54 "01234567890123456789012345678901234"
				       "56\r\n"),
	BAD("1, UNKNOWN, 108 bytes", "PROXY UNKNOWN " U54 "01234567890123456789012345678901234"
				     "567\r\n"),
	BAD("1, UNKNOWNX", "PROXY UNKNOWNX\r\n"),
	BAD("1, LF alone", "PROXY TCP4 192.0.2.1 192.0.2.2 40000 443\n"),
	BAD("1, no family", "PROXY \r\n"),
	BAD("1, LF at once", "PROXY \n"),
	BAD("1, nothing behind the family", "PROXY TCP4\r\n"),
	BAD("1, a space behind the family", "PROXY TCP4 \r\n"),
	BAD("1, another family", "PROXY UDP4 192.0.2.1 192.0.2.2 40000 443\r\n"),
	BAD("1, small letters", "PROXY tcp4 192.0.2.1 192.0.2.2 40000 443\r\n"),
	BAD("1, IPv6 as TCP4", "PROXY TCP4 ::1 ::2 1 2\r\n"),
	BAD("1, IPv4 as TCP6", "PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n"),
	BAD("1, two spaces", "PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n"),
	BAD("1, a space behind", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n"),
	BAD("1, a word behind", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n"),
	BAD("1, one port", "PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n"),
	BAD("1, one address", "PROXY TCP4 192.0.2.1\r\n"),
	BAD("1, an empty port", "PROXY TCP4 192.0.2.1 192.0.2.2 1 \r\n"),
	BAD("1, a large port", "PROXY TCP4 192.0.2.1 192.0.2.2 65536 1\r\n"),
	BAD("1, leading zeros", "PROXY TCP4 192.0.2.1 192.0.2.2 01 1\r\n"),
	BAD("1, leading zeros in an address", "PROXY TCP4 192.0.02.1 192.0.2.2 1 1\r\n"),
	BAD("1, a sign", "PROXY TCP4 192.0.2.1 192.0.2.2 +1 1\r\n"),
	BAD("1, a scope", "PROXY TCP6 fe80::1%lo fe80::2 1 1\r\n"),
	BAD("1, a large octet", "PROXY TCP4 192.0.2.256 192.0.2.2 1 1\r\n"),
	BAD("1, NUL", "PROXY TCP4 192.0.2.1 192.0.2.2 1 1\0\r\n"),
	BAD("1, NUL in between", "PROXY TCP4 192.0.2.1\0 192.0.2.2 1 1\r\n"),
	BAD("1, a tab", "PROXY TCP4\t192.0.2.1 192.0.2.2 1 1\r\n"),
	BAD("1, CR in between", "PROXY TCP4 192.0.2.1 192.0.2.2 1 1\r\r\n"),
	BAD("1, endless", "PROXY TCP4 " U54 U54 U54),
	NO("1, small letters in front", "proxy TCP4 192.0.2.1 192.0.2.2 1 1\r\n"),
	NO("1, no space", "PROXYTCP4 192.0.2.1 192.0.2.2 1 1\r\n"),

	YES("2, IPv4", SIG "\x21\x11\0\x0c" IN4, "192.0.2.1:40000", "192.0.2.2:443"),
	YES("2, IPv4 and a TLV", SIG "\x21\x11\0\x10" IN4 "\4\0\1x", "192.0.2.1:40000",
	    "192.0.2.2:443"),
	YES("2, IPv6", SIG "\x21\x21\0\x24" SIX1 SIX2 "\0\1\xff\xff", "[2001:db8::1]:1",
	    "[2001:db8::2]:65535"),
	YES("2, UDP", SIG "\x21\x12\0\x0c" IN4, "-", "-"),
	YES("2, no protocol", SIG "\x21\x10\0\x0c" IN4, "-", "-"),
	YES("2, UNIX", SIG "\x21\x31\0\xd8" U54 U54 U54 U54, "-", "-"),
	LOCAL("2, LOCAL", SIG "\x20\0\0\0"),
	LOCAL("2, LOCAL with addresses", SIG "\x20\x11\0\x0c" IN4),
	LOCAL("2, LOCAL with a strange family", SIG "\x20\xff\0\1x"),
	LOCAL("2, UNSPEC", SIG "\x21\0\0\0"),
	LOCAL("2, UNSPEC with bytes", SIG "\x21\0\0\3xyz"),
	BAD("2, version 1", SIG "\x11\x11\0\x0c" IN4),
	BAD("2, version 3", SIG "\x31\x11\0\x0c" IN4),
	BAD("2, command 2", SIG "\x22\x11\0\x0c" IN4),
	BAD("2, command 15", SIG "\x2f\x11\0\x0c" IN4),
	BAD("2, family 4", SIG "\x21\x41\0\x0c" IN4),
	BAD("2, protocol 3", SIG "\x21\x13\0\x0c" IN4),
	BAD("2, IPv4 too short", SIG "\x21\x11\0\x0b" IN4),
	BAD("2, IPv4 empty", SIG "\x21\x11\0\0"),
	BAD("2, IPv6 as long as IPv4", SIG "\x21\x21\0\x0c" IN4),
	BAD("2, IPv6 too short", SIG "\x21\x21\0\x23" SIX1 SIX2 "\0\1\xff\xff"),
	BAD("2, UNIX too short", SIG "\x21\x31\0\xd7" U54 U54 U54 U54),
	BAD("2, 16 KiB and a byte", SIG "\x21\x11\x3f\xf1" IN4),
	BAD("2, the longest", SIG "\x20\0\xff\xff"),
	NO("2, a wrong last byte", "\r\n\r\n\0\r\nQUIT\r\x21\x11\0\x0c" IN4),
	NO("HTTP", "GET / HTTP/1.1\r\n"),
	NO("P", "PUT / HTTP/1.1\r\n"),
	NO("TLS", "\x16\3\1"),
	NO("empty lines", "\r\n\r\n\r\n"),
};

static void test_proxy(void **state)
{
	char src[XF_SOCKADDR_TEXT], dst[XF_SOCKADDR_TEXT];
	uint8_t data[512];
	size_t needed;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(proxies); i++) {
		size_t len = proxies[i].len, extra = proxies[i].answer == XF_FIRST_YES ? 9 : 0;
		struct said said;

		memcpy(data, proxies[i].header, len);
		memset(data + len, '\n', extra);
		said = ask_prefixes(proxies[i].what, ask_proxy, data, len + extra, NULL, &needed);
		if (said.answer != proxies[i].answer)
			fail_msg("%s: %d", proxies[i].what, said.answer);
		if (said.answer != XF_FIRST_YES)
			continue;
		assert_int_equal(said.proxy.len, len);
		assert_int_equal(needed, len);
		if (said.proxy.local != proxies[i].local ||
		    strcmp(xf_sockaddr_text(&said.proxy.src, src), proxies[i].src) ||
		    strcmp(xf_sockaddr_text(&said.proxy.dst, dst), proxies[i].dst))
			fail_msg("%s: local %d, %s to %s", proxies[i].what, said.proxy.local, src,
				 dst);
	}
}

/* A header of the maximum length. */
static void test_proxy_large(void **state)
{
	static uint8_t data[XF_FIRST_MAX];
	struct said said;

	(void)state;
	memcpy(data, SIG "\x21\x11\x3f\xf0" IN4, 28);
	ask_exactly(ask_proxy, data, sizeof(data), NULL, &said);
	assert_int_equal(said.answer, XF_FIRST_YES);
	assert_int_equal(said.proxy.len, sizeof(data));
	ask_exactly(ask_proxy, data, sizeof(data) - 1, NULL, &said);
	assert_int_equal(said.answer, XF_FIRST_MORE);
}

static struct xf_addr addr_of(const char *text)
{
	struct xf_addr addr = { .len = 0 };

	if (text[0] != '-')
		assert_int_equal(xf_sockaddr_parse(text, 0, &addr, NULL), 0);
	return addr;
}

static void test_proxy_write(void **state)
{
	static const struct {
		const char *src, *dst;
		const char *src_back, *dst_back; /* NULL: LOCAL */
		size_t len;
	} rows[] = {
		{ "192.0.2.1:1", "192.0.2.2:65535", "192.0.2.1:1", "192.0.2.2:65535", 28 },
		{ "[2001:db8::1]:40000", "[2001:db8::2]:443", "[2001:db8::1]:40000",
		  "[2001:db8::2]:443", 52 },
		{ "[::ffff:192.0.2.1]:1", "[::ffff:192.0.2.2]:2", "192.0.2.1:1", "192.0.2.2:2",
		  28 },
		{ "[::ffff:192.0.2.1]:1", "192.0.2.2:2", "192.0.2.1:1", "192.0.2.2:2", 28 },
		{ "192.0.2.1:1", "[::ffff:192.0.2.2]:2", "192.0.2.1:1", "192.0.2.2:2", 28 },
		{ "192.0.2.1:1", "[2001:db8::2]:2", "[::ffff:192.0.2.1]:1", "[2001:db8::2]:2", 52 },
		{ "[2001:db8::2]:2", "[::ffff:192.0.2.2]:2", "[2001:db8::2]:2",
		  "[::ffff:192.0.2.2]:2", 52 },
		{ "-", "192.0.2.1:1", NULL, NULL, 16 },
		{ "[2001:db8::2]:2", "-", NULL, NULL, 16 },
		{ "-", "-", NULL, NULL, 16 },
	};
	char text[XF_SOCKADDR_TEXT];
	size_t needed;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct xf_addr src = addr_of(rows[i].src), dst = addr_of(rows[i].dst);
		uint8_t *out = malloc(rows[i].len);
		size_t len = xf_proxy_v2_write(out, &src, &dst);
		struct said said;

		assert_int_equal(len, rows[i].len);
		said = ask_prefixes(rows[i].src, ask_proxy, out, len, NULL, &needed);
		free(out);
		assert_int_equal(said.answer, XF_FIRST_YES);
		assert_int_equal(said.proxy.len, len);
		assert_int_equal(said.proxy.local, !rows[i].src_back);
		if (!rows[i].src_back)
			continue;
		assert_string_equal(xf_sockaddr_text(&said.proxy.src, text), rows[i].src_back);
		assert_string_equal(xf_sockaddr_text(&said.proxy.dst, text), rows[i].dst_back);
	}
}

/* The bytes are compared, because reading and writing could share a mistake. */
static void test_proxy_bytes(void **state)
{
	struct xf_addr src = addr_of("192.0.2.1:40000"), dst = addr_of("192.0.2.2:443");
	struct xf_addr src6 = addr_of("[2001:db8::1]:1"), dst6 = addr_of("[2001:db8::2]:65535");
	uint8_t out[XF_PROXY_V2_MAX];

	(void)state;
	assert_int_equal(xf_proxy_v2_write(out, &src, &dst), 28);
	assert_memory_equal(out, SIG "\x21\x11\0\x0c" IN4, 28);
	assert_int_equal(xf_proxy_v2_write(out, &src6, &dst6), 52);
	assert_memory_equal(out, SIG "\x21\x21\0\x24" SIX1 SIX2 "\0\1\xff\xff", 52);
	assert_int_equal(xf_proxy_v2_write(out, &src, &dst6), 52);
	assert_memory_equal(out, SIG "\x21\x21\0\x24" MAPPED1 SIX2 "\x9c\x40\xff\xff", 52);
	src.len = 0;
	assert_int_equal(xf_proxy_v2_write(out, &src, &dst6), 16);
	assert_memory_equal(out, SIG "\x20\0\0\0", 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_proxy),
		cmocka_unit_test(test_proxy_large),
		cmocka_unit_test(test_proxy_write),
		cmocka_unit_test(test_proxy_bytes),
	};

	return cmocka_run_group_tests_name("first_proxy", tests, NULL, NULL);
}
