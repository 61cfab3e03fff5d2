// SPDX-License-Identifier: GPL-2.0-only
/* HTTP requests, PROXY headers and token lines: whole, cut anywhere, and hostile. */
#include <arpa/inet.h>
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

static void ask_host(const uint8_t *data, size_t len, const void *arg, struct said *said)
{
	(void)arg;
	said->answer = xf_first_host(data, len, said->name);
	assert_non_null(memchr(said->name, '\0', sizeof(said->name)));
	if (said->answer != XF_FIRST_YES)
		assert_string_equal(said->name, "");
}

struct http {
	const char *what;
	const char *request;
	size_t len;
	const char *name; /* NULL: none */
};

#define HTTP(what, request, name)                                                                  \
	{                                                                                          \
		what, TEXT(request), name                                                          \
	}
#define GET "GET / HTTP/1.1\r\n"

static const struct http requests[] = {
	HTTP("plain", GET "Host: example.org\r\n\r\n", "example.org"),
	HTTP("with a body", "POST /x HTTP/1.1\r\nHost: a.b\r\nContent-Length: 3\r\n\r\nabc", "a.b"),
	HTTP("HTTP/1.0", "GET / HTTP/1.0\r\nHost: example.org\r\n\r\n", "example.org"),
	HTTP("capitals", GET "hOsT: WWW.Example.ORG\r\n\r\n", "www.example.org"),
	HTTP("a port", GET "Host: example.org:8080\r\n\r\n", "example.org"),
	HTTP("an empty port", GET "Host: example.org:\r\n\r\n", "example.org"),
	HTTP("a final dot", GET "Host: example.org.\r\n\r\n", "example.org"),
	HTTP("a final dot and a port", GET "Host: example.org.:80\r\n\r\n", "example.org"),
	HTTP("no space", GET "Host:example.org\r\n\r\n", "example.org"),
	HTTP("much space", GET "Host: \t example.org \t \r\n\r\n", "example.org"),
	HTTP("IPv4", GET "Host: 192.0.2.1:80\r\n\r\n", "192.0.2.1"),
	HTTP("IPv6", GET "Host: [2001:DB8::1]:80\r\n\r\n", "2001:db8::1"),
	HTTP("IPv6, long", GET "Host: [2001:db8:0:0::0:1]\r\n\r\n", "2001:db8::1"),
	HTTP("the last of many", GET "A: b\r\nC: d: e\r\nX-Host: x\r\nHosts: y\r\nHost: z\r\n\r\n",
	     "z"),
	HTTP("a value that is not ASCII", GET "A: \xff\xfe\r\nHost: z\r\n\r\n", "z"),
	HTTP("an empty value", GET "A:\r\nHost: z\r\n\r\n", "z"),
	HTTP("LF alone", "GET / HTTP/1.1\nHost: example.org\n\n", "example.org"),
	HTTP("LF and CR LF", "GET / HTTP/1.1\nHost: example.org\r\n\n", "example.org"),
	HTTP("empty lines in front", "\r\n\n\r\n" GET "Host: z\r\n\r\n", "z"),
	HTTP("*", "OPTIONS * HTTP/1.1\r\nHost: z\r\n\r\n", "z"),
	HTTP("a method of its own", "M-SEARCH /x HTTP/1.1\r\nHost: z\r\n\r\n", "z"),
	HTTP("absolute form", "GET http://A.b/x HTTP/1.1\r\nHost: c.d\r\n\r\n", "a.b"),
	HTTP("absolute form with a port", "GET http://a.b:80/x HTTP/1.1\r\nHost: c\r\n\r\n", "a.b"),
	HTTP("absolute form, no path", "GET http://a.b HTTP/1.1\r\nHost: c.d\r\n\r\n", "a.b"),
	HTTP("absolute form, query", "GET http://a.b?c/d HTTP/1.1\r\nHost: c.d\r\n\r\n", "a.b"),
	HTTP("absolute form, no Host", "GET https://a.b/ HTTP/1.0\r\n\r\n", "a.b"),
	HTTP("absolute form, IPv6", "GET http://[::1]:80/ HTTP/1.1\r\nHost: c\r\n\r\n", "::1"),
	HTTP("a URL in the path", "GET /http://a.b/ HTTP/1.1\r\nHost: c.d\r\n\r\n", "c.d"),
	HTTP("CONNECT", "CONNECT a.b:443 HTTP/1.1\r\nHost: c.d\r\n\r\n", "a.b"),
	HTTP("a long header before it",
	     GET
	     "Cookie: 0123456789012345678901234567890123456789012345678901234567890123456789\r\n"
	     "Host: z\r\n\r\n",
	     "z"),

	HTTP("no Host", GET "A: b\r\n\r\n", NULL),
	HTTP("no header", GET "\r\n", NULL),
	HTTP("two Hosts", GET "Host: a\r\nHost: b\r\n\r\n", NULL),
	HTTP("the same Host twice", GET "Host: a\r\nA: b\r\nhost: a\r\n\r\n", NULL),
	HTTP("two Hosts and absolute form",
	     "GET http://a.b/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", NULL),
	HTTP("absolute form and a broken Host", "GET http://a.b/ HTTP/1.1\r\nHost: a b\r\n\r\n",
	     NULL),
	HTTP("an empty Host", GET "Host:\r\n\r\n", NULL),
	HTTP("a Host of spaces", GET "Host:  \t\r\n\r\n", NULL),
	HTTP("a dot", GET "Host: .\r\n\r\n", NULL),
	HTTP("an empty label", GET "Host: a..b\r\n\r\n", NULL),
	HTTP("only a port", GET "Host: :80\r\n\r\n", NULL),
	HTTP("a port of letters", GET "Host: a:b\r\n\r\n", NULL),
	HTTP("a port with a sign", GET "Host: a:-1\r\n\r\n", NULL),
	HTTP("a long port", GET "Host: a:000080\r\n\r\n", NULL),
	HTTP("two ports", GET "Host: a:1:2\r\n\r\n", NULL),
	HTTP("a list", GET "Host: a, b\r\n\r\n", NULL),
	HTTP("a user", GET "Host: me@a\r\n\r\n", NULL),
	HTTP("a path", GET "Host: a/b\r\n\r\n", NULL),
	HTTP("percent", GET "Host: a%2eb\r\n\r\n", NULL),
	HTTP("not ASCII",
	     GET "Host: b\xc3\xbc"
		 "cher\r\n\r\n",
	     NULL),
	HTTP("NUL in the name", GET "Host: a\0b\r\n\r\n", NULL),
	HTTP("NUL in the IPv6 address", GET "Host: [::1\0]\r\n\r\n", NULL),
	HTTP("NUL elsewhere", GET "A: \0\r\nHost: a\r\n\r\n", NULL),
	HTTP("CR alone", GET "A: b\rHost: x\r\nHost: a\r\n\r\n", NULL),
	HTTP("CR CR LF", GET "Host: a\r\r\n\r\n", NULL),
	HTTP("a line that goes on", GET "Host: a\r\n b\r\n\r\n", NULL),
	HTTP("a first line that goes on", GET " Host: a\r\n\r\n", NULL),
	HTTP("another line that goes on", GET "A: b\r\n\tc\r\nHost: a\r\n\r\n", NULL),
	HTTP("a space before the colon", GET "Host : a\r\n\r\n", NULL),
	HTTP("no colon", GET "Host\r\nHost: a\r\n\r\n", NULL),
	HTTP("no field name", GET ": a\r\nHost: a\r\n\r\n", NULL),
	HTTP("IPv6 without brackets", GET "Host: 2001:db8::1\r\n\r\n", NULL),
	HTTP("IPv6, open", GET "Host: [2001:db8::1\r\n\r\n", NULL),
	HTTP("IPv6, broken", GET "Host: [2001:db8::1::2]\r\n\r\n", NULL),
	HTTP("IPv6, empty", GET "Host: []\r\n\r\n", NULL),
	HTTP("IPv6, letters behind", GET "Host: [::1]x\r\n\r\n", NULL),
	HTTP("IPv6 with a zone", GET "Host: [fe80::1%25lo]\r\n\r\n", NULL),
	HTTP("IPv6, long",
	     GET "Host: [0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001]\r\n\r\n", NULL),
	HTTP("absolute form with a user", "GET http://a@b/ HTTP/1.1\r\nHost: c\r\n\r\n", NULL),
	HTTP("absolute form, empty", "GET http:///x HTTP/1.1\r\nHost: c\r\n\r\n", NULL),
	HTTP("absolute form, backslash", "GET http://a\\b/ HTTP/1.1\r\nHost: c\r\n\r\n", NULL),
	HTTP("a target of no form", "GET x HTTP/1.1\r\nHost: c\r\n\r\n", NULL),
	HTTP("a target like host:port", "GET a:80 HTTP/1.1\r\nHost: c\r\n\r\n", NULL),
	HTTP("** as target", "OPTIONS ** HTTP/1.1\r\nHost: z\r\n\r\n", NULL),
	HTTP("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", NULL),
	HTTP("HTTP/0.9", "GET /\r\n", NULL),
	HTTP("no minor version", "GET / HTTP/1.\r\n", NULL),
	HTTP("two digits", "GET / HTTP/1.10\r\n", NULL),
	HTTP("a letter as version", "GET / HTTP/1.x\r\n", NULL),
	HTTP("http in small letters", "GET / http/1.1\r\nHost: a\r\n\r\n", NULL),
	HTTP("two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", NULL),
	HTTP("two spaces behind", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", NULL),
	HTTP("a tab", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", NULL),
	HTTP("a space behind the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", NULL),
	HTTP("a space in front", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", NULL),
	HTTP("a long word", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGH / HTTP/1.1\r\nHost: a\r\n\r\n",
	     NULL),
	HTTP("a word", "hello\n", NULL),
	HTTP("TLS", "\x16\x03\x01\0\1", NULL),
	HTTP("SSH", "SSH-2.0-OpenSSH_9.2\r\n", NULL),
	HTTP("SMTP", "EHLO example.org\r\n", NULL),
};

static void test_http(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		const struct http *r = &requests[i];
		size_t needed;
		struct said said = ask_prefixes(r->what, ask_host, (const uint8_t *)r->request,
						r->len, NULL, &needed);

		if (said.answer != (r->name ? XF_FIRST_YES : XF_FIRST_NO) ||
		    strcmp(said.name, r->name ? r->name : ""))
			fail_msg("%s: %d %s", r->what, said.answer, said.name);
	}
}

/* How soon it is clear that something is no request: rules behind wait for it. */
static void test_http_soon(void **state)
{
	static const struct http soon[] = {
		{ "TLS", TEXT("\x16"), NULL },
		{ "a word", TEXT("hello\n"), NULL },
		{ "a line", TEXT("hello world\n"), NULL },
		{ "a long word", TEXT("abcdefghijklmnopqrstuvwxyzabcdefg"), NULL },
		{ "NUL", TEXT("\0"), NULL },
		{ "another version", TEXT("PRI * HTTP/2"), NULL },
	};
	size_t needed;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(soon); i++) {
		struct said said =
		    ask_prefixes(soon[i].what, ask_host, (const uint8_t *)soon[i].request,
				 soon[i].len, NULL, &needed);

		if (said.answer != XF_FIRST_NO || needed != soon[i].len)
			fail_msg("%s: %d after %zu", soon[i].what, said.answer, needed);
	}
}

static void check_long(size_t len, const char *behind, const char *want)
{
	char request[1024], name[600];
	size_t needed;
	struct said said;

	memset(name, 'H', len);
	name[len] = '\0';
	snprintf(request, sizeof(request), GET "Host: %s%s\r\n\r\n", name, behind);
	said = ask_prefixes("long", ask_host, (const uint8_t *)request, strlen(request), NULL,
			    &needed);
	assert_int_equal(said.answer, want ? XF_FIRST_YES : XF_FIRST_NO);
	if (want)
		assert_string_equal(said.name, want);
}

static void test_http_long(void **state)
{
	char want[256];

	(void)state;
	memset(want, 'h', 255);
	want[255] = '\0';
	check_long(255, "", want);
	check_long(255, ".:443", want);
	check_long(256, "", NULL);
	check_long(500, "", NULL);
}

static void test_http_noise(void **state)
{
	static const char alphabet[] = "\r\n: H/.[]\t@x";
	char request[512];
	size_t needed;

	(void)state;
	srand(1);
	for (int round = 0; round < 3000; round++) {
		const struct http *r = &requests[rand() % ARRAY_SIZE(requests)];

		memcpy(request, r->request, r->len);
		for (int n = 1 + rand() % 3; n; n--)
			request[rand() % r->len] =
			    rand() % 3 ? alphabet[rand() % (sizeof(alphabet) - 1)] : rand();
		ask_prefixes(r->what, ask_host, (const uint8_t *)request, r->len, NULL, &needed);
	}
}

/* PROXY protocol. What is behind a header is not looked at. */
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

/* As long as a header may be. */
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

/* Byte for byte, so that a mistake that is made twice is one. */
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

static void ask_token(const uint8_t *data, size_t len, const void *arg, struct said *said)
{
	char *secret = strdup(arg);

	said->answer =
	    xf_first_token(data, len, (const uint8_t *)secret, strlen(secret), &said->skip);
	if (said->answer != XF_FIRST_YES)
		said->skip = 0;
	free(secret);
}

static void test_token(void **state)
{
	static const struct {
		const char *what, *secret, *data;
		size_t len;
		enum xf_first answer;
		size_t skip, needed;
	} rows[] = {
		{ "right", "secret", TEXT("secret\nabc"), XF_FIRST_YES, 7, 7 },
		{ "right, CR LF", "secret", TEXT("secret\r\nabc"), XF_FIRST_YES, 8, 8 },
		{ "one byte", "x", TEXT("x\n"), XF_FIRST_YES, 2, 2 },
		{ "not yet", "secret", TEXT("secret"), XF_FIRST_MORE, 0, 6 },
		{ "not yet, CR", "secret", TEXT("secret\r"), XF_FIRST_MORE, 0, 7 },
		{ "wrong, but not yet", "secret", TEXT("xxxxxx"), XF_FIRST_MORE, 0, 6 },
		{ "the first is wrong", "secret", TEXT("Xecret\n"), XF_FIRST_NO, 0, 7 },
		{ "the last is wrong", "secret", TEXT("secreT\n"), XF_FIRST_NO, 0, 7 },
		{ "too short", "secret", TEXT("secre\n"), XF_FIRST_NO, 0, 6 },
		{ "too long", "secret", TEXT("secrets\n"), XF_FIRST_NO, 0, 7 },
		{ "endless", "secret", TEXT("xxxxxxxxxxxxxxxxxxxxxx"), XF_FIRST_NO, 0, 7 },
		{ "empty", "secret", TEXT("\nsecret\n"), XF_FIRST_NO, 0, 1 },
		{ "CR twice", "secret", TEXT("secret\r\r\n"), XF_FIRST_NO, 0, 8 },
		{ "CR alone", "secret", TEXT("secret\rx\n"), XF_FIRST_NO, 0, 8 },
		{ "a space behind", "secret", TEXT("secret \n"), XF_FIRST_NO, 0, 7 },
		{ "NUL", "secret", TEXT("secret\0\n"), XF_FIRST_NO, 0, 7 },
		{ "NUL in place of the end", "secret", TEXT("sec\0et\n"), XF_FIRST_NO, 0, 7 },
	};
	size_t needed;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct said said =
		    ask_prefixes(rows[i].what, ask_token, (const uint8_t *)rows[i].data,
				 rows[i].len, rows[i].secret, &needed);

		if (said.answer != rows[i].answer || said.skip != rows[i].skip ||
		    needed != rows[i].needed)
			fail_msg("%s: %d, %zu to skip, after %zu", rows[i].what, said.answer,
				 said.skip, needed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_http),	    cmocka_unit_test(test_http_soon),
		cmocka_unit_test(test_http_long),   cmocka_unit_test(test_http_noise),
		cmocka_unit_test(test_proxy),	    cmocka_unit_test(test_proxy_large),
		cmocka_unit_test(test_proxy_write), cmocka_unit_test(test_proxy_bytes),
		cmocka_unit_test(test_token),
	};

	return cmocka_run_group_tests_name("first_packet", tests, NULL, NULL);
}
