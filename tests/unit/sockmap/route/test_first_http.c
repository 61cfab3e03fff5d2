// SPDX-License-Identifier: GPL-2.0-only
/* The host of an HTTP/1 request, and the early answer about other first packets. */
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
	said->answer = xf_first_host(data, len, false, said->name);
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

static const char BAD[] = ""; /* a name, for requests that can be read in two ways */

#define HTTP(what, request, name)                                                                  \
	{                                                                                          \
		what, TEXT(request), name                                                          \
	}
#define GET "GET / HTTP/1.1\r\n"
#define GET2 "GET / HTTP/2.0\r\n"

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
	HTTP("absolute form", "GET http://A.b/x HTTP/1.1\r\nHost: a.B\r\n\r\n", "a.b"),
	HTTP("absolute form with a port", "GET http://a.b:80/x HTTP/1.1\r\nHost: a.b\r\n\r\n",
	     "a.b"),
	HTTP("absolute form, no path", "GET http://a.b HTTP/1.1\r\nHost: a.b\r\n\r\n", "a.b"),
	HTTP("absolute form, query", "GET http://a.b?c/d HTTP/1.1\r\nHost: a.b\r\n\r\n", "a.b"),
	HTTP("absolute form, no Host", "GET https://a.b/ HTTP/1.0\r\n\r\n", "a.b"),
	HTTP("absolute form, IPv6", "GET http://[::1]:80/ HTTP/1.1\r\nHost: [0::1]\r\n\r\n", "::1"),
	HTTP("a URL in the path", "GET /http://a.b/ HTTP/1.1\r\nHost: c.d\r\n\r\n", "c.d"),
	HTTP("CONNECT", "CONNECT a.b:443 HTTP/1.1\r\nHost: a.b:443\r\n\r\n", "a.b"),
	HTTP("a long method", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGH / HTTP/1.1\r\nHost: a\r\n\r\n",
	     "a"),
	HTTP("a control byte in another value", GET "A: \x01\x0b\x7f\r\nHost: z\r\n\r\n", "z"),
	HTTP("a long header before it",
	     GET
	     "Cookie: 0123456789012345678901234567890123456789012345678901234567890123456789\r\n"
	     "Host: z\r\n\r\n",
	     "z"),

	HTTP("no Host", GET "A: b\r\n\r\n", NULL),
	HTTP("no header", GET "\r\n", NULL),
	HTTP("two Hosts", GET "Host: a\r\nHost: b\r\n\r\n", BAD),
	HTTP("the same Host twice", GET "Host: a\r\nA: b\r\nhost: a\r\n\r\n", BAD),
	HTTP("two Hosts and absolute form",
	     "GET http://a.b/ HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", BAD),
	HTTP("absolute form and a broken Host", "GET http://a.b/ HTTP/1.1\r\nHost: a b\r\n\r\n",
	     BAD),
	HTTP("an empty Host", GET "Host:\r\n\r\n", NULL),
	HTTP("a Host of spaces", GET "Host:  \t\r\n\r\n", NULL),
	HTTP("a dot", GET "Host: .\r\n\r\n", BAD),
	HTTP("an empty label", GET "Host: a..b\r\n\r\n", BAD),
	HTTP("only a port", GET "Host: :80\r\n\r\n", BAD),
	HTTP("a port of letters", GET "Host: a:b\r\n\r\n", BAD),
	HTTP("a port with a sign", GET "Host: a:-1\r\n\r\n", BAD),
	HTTP("a long port", GET "Host: a:000080\r\n\r\n", BAD),
	HTTP("two ports", GET "Host: a:1:2\r\n\r\n", BAD),
	HTTP("a list", GET "Host: a, b\r\n\r\n", BAD),
	HTTP("a user", GET "Host: me@a\r\n\r\n", BAD),
	HTTP("a path", GET "Host: a/b\r\n\r\n", BAD),
	HTTP("percent", GET "Host: a%2eb\r\n\r\n", BAD),
	HTTP("not ASCII",
	     GET "Host: b\xc3\xbc"
		 "cher\r\n\r\n",
	     BAD),
	HTTP("NUL in the name", GET "Host: a\0b\r\n\r\n", BAD),
	HTTP("NUL in the IPv6 address", GET "Host: [::1\0]\r\n\r\n", BAD),
	HTTP("NUL elsewhere", GET "A: \0\r\nHost: a\r\n\r\n", BAD),
	HTTP("CR alone", GET "A: b\rHost: x\r\nHost: a\r\n\r\n", BAD),
	HTTP("CR CR LF", GET "Host: a\r\r\n\r\n", BAD),
	HTTP("a line that goes on", GET "Host: a\r\n b\r\n\r\n", BAD),
	HTTP("a first line that goes on", GET " Host: a\r\n\r\n", BAD),
	HTTP("another line that goes on", GET "A: b\r\n\tc\r\nHost: a\r\n\r\n", BAD),
	HTTP("a space before the colon", GET "Host : a\r\n\r\n", BAD),
	HTTP("no colon", GET "Host\r\nHost: a\r\n\r\n", BAD),
	HTTP("no field name", GET ": a\r\nHost: a\r\n\r\n", BAD),
	HTTP("IPv6 without brackets", GET "Host: 2001:db8::1\r\n\r\n", BAD),
	HTTP("IPv6, open", GET "Host: [2001:db8::1\r\n\r\n", BAD),
	HTTP("IPv6, broken", GET "Host: [2001:db8::1::2]\r\n\r\n", BAD),
	HTTP("IPv6, empty", GET "Host: []\r\n\r\n", BAD),
	HTTP("IPv6, letters behind", GET "Host: [::1]x\r\n\r\n", BAD),
	HTTP("IPv6 with a zone", GET "Host: [fe80::1%25lo]\r\n\r\n", BAD),
	HTTP("IPv6, long",
	     GET "Host: [0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001]\r\n\r\n", BAD),
	HTTP("absolute form with a user", "GET http://a@b/ HTTP/1.1\r\nHost: c\r\n\r\n", BAD),
	HTTP("absolute form, empty", "GET http:///x HTTP/1.1\r\nHost: c\r\n\r\n", BAD),
	HTTP("absolute form, backslash", "GET http://a\\b/ HTTP/1.1\r\nHost: c\r\n\r\n", BAD),
	HTTP("a target of no form", "GET x HTTP/1.1\r\nHost: c\r\n\r\n", BAD),
	HTTP("a target like host:port", "GET a:80 HTTP/1.1\r\nHost: c\r\n\r\n", BAD),
	HTTP("** as target", "OPTIONS ** HTTP/1.1\r\nHost: z\r\n\r\n", BAD),
	HTTP("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", NULL),
	HTTP("HTTP/0.9", "GET /\r\n", NULL),
	HTTP("no minor version", "GET / HTTP/1.\r\n", BAD),
	HTTP("two digits", "GET / HTTP/1.10\r\n", BAD),
	HTTP("a letter as version", "GET / HTTP/1.x\r\n", BAD),
	HTTP("http in small letters", "GET / http/1.1\r\nHost: a\r\n\r\n", BAD),
	HTTP("two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", BAD),
	HTTP("two spaces behind", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", BAD),
	HTTP("a tab", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", BAD),
	HTTP("a space behind the version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", BAD),
	HTTP("a space in front", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", BAD),
	HTTP("a word", "hello\n", NULL),
	HTTP("TLS", "\x16\x03\x01\0\1", NULL),
	HTTP("SSH", "SSH-2.0-OpenSSH_9.2\r\n", NULL),
	HTTP("SMTP", "EHLO example.org\r\n", NULL),
	HTTP("HTTP/0.9 of a path with a URL", "GET /?http://a/\r\n", NULL),
	HTTP("words", "hello http/1.1 and others follow\n", NULL),
	HTTP("RTSP", "OPTIONS rtsp://a/ RTSP/1.0\r\nHost: a\r\n\r\n", NULL),
	HTTP("an answer", "HTTP/1.1 200 OK\r\nHost: a\r\n\r\n", NULL),
	HTTP("a log", "192.0.2.1 - - [1/Jan/2026] \"GET / HTTP/1.1\" 200 12\n", NULL),
	HTTP("a cut off preface", "PRI * HTTP/2.0\r\nHost: a\r\n\r\n", BAD),
	HTTP("HTTP/2.0 in a request", GET2 "Host: a\r\n\r\n", BAD),
	HTTP("HTTP/0.9 with a URL", "GET http://a/\r\n", BAD),
	HTTP("HTTP/0.9 with a URL, capitals", "GET HTTPS://a/\n", BAD),
	HTTP("a vertical tab", "GET /\vHTTP/1.1\r\nHost: a\r\n\r\n", BAD),
	HTTP("CR as end of line", "GET / HTTP/1.1\rHost: a\r\r", BAD),
	HTTP("CR as a space", "GET\r/ HTTP/1.1\nHost: a\n\n", BAD),
	HTTP("words behind the version", "GET / HTTP/1.1 x y\r\nHost: a\r\n\r\n", BAD),
	HTTP("a space in the path", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", BAD),
	HTTP("no path", "GET HTTP/1.1\r\nHost: a\r\n\r\n", BAD),
	HTTP("an empty line with a space", " \r\nGET / http/1.1\r\nHost: a\r\n\r\n", BAD),
	HTTP("a control byte in the path", "GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n", BAD),
	HTTP("NUL in the path", "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", BAD),
	HTTP("absolute form and another Host", "GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", BAD),
	HTTP("absolute form and an empty Host", "GET http://a/ HTTP/1.1\r\nHost:\r\n\r\n", BAD),
	HTTP("CONNECT and another Host", "CONNECT a:1 HTTP/1.1\r\nHost: b\r\n\r\n", BAD),
	HTTP("an empty Host and another", GET "Host:\r\nHost: a\r\n\r\n", BAD),
	HTTP("a Host and an empty one", GET "Host: a\r\nHost:\r\n\r\n", BAD),
};

static enum xf_first answer_for(const char *name)
{
	if (!name)
		return XF_FIRST_NO;
	return name == BAD ? XF_FIRST_BAD : XF_FIRST_YES;
}

static void test_http(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
		const struct http *r = &requests[i];
		size_t needed;
		struct said said = ask_prefixes(r->what, ask_host, (const uint8_t *)r->request,
						r->len, NULL, &needed);

		if (said.answer != answer_for(r->name) || strcmp(said.name, r->name ? r->name : ""))
			fail_msg("%s: %d %s", r->what, said.answer, said.name);
	}
}

/* The answer NO comes with the first byte that no request has, because later rules wait for it. */
static void test_http_soon(void **state)
{
	static const struct http soon[] = {
		{ "TLS", TEXT("\x16"), NULL },
		{ "a word", TEXT("hello\n"), NULL },
		{ "a line", TEXT("hello world\n"), NULL },
		{ "no method", TEXT("{"), NULL },
		{ "NUL", TEXT("\0"), NULL },
		{ "HTTP/2", TEXT("PRI * HTTP/2.0\r\n\r\n"), NULL },
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

/* A server may serve a request that the end of the stream cuts off. */
static void test_http_ended(void **state)
{
	static const struct http ended[] = {
		{ "nothing", TEXT(""), NULL },
		{ "an empty line", TEXT("\r\n"), NULL },
		{ "a word", TEXT("hello"), NULL },
		{ "words", TEXT("hello there, all"), NULL },
		{ "part of a version", TEXT("GET / HTT"), NULL },
		{ "a version", TEXT("GET / HTTP/1.1"), BAD },
		{ "part of HTTP/2", TEXT("PRI * HTTP/2.0\r\n"), BAD },
		{ "a request line", TEXT(GET), BAD },
		{ "a Host", TEXT(GET "Host: a"), BAD },
		{ "a line", TEXT(GET "Host: a\r\n"), BAD },
		{ "the last CR", TEXT(GET "Host: a\r\n\r"), BAD },
		{ "all", TEXT(GET "Host: a\r\n\r\n"), "a" },
		{ "all without a Host", TEXT(GET "\r\n"), NULL },
	};
	char name[XF_NAME_MAX + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(ended); i++) {
		const struct http *r = &ended[i];
		enum xf_first answer =
		    xf_first_host((const uint8_t *)r->request, r->len, true, name);

		if (answer != answer_for(r->name) || strcmp(name, r->name ? r->name : ""))
			fail_msg("%s: %d %s", r->what, answer, name);
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
	assert_int_equal(said.answer, want ? XF_FIRST_YES : XF_FIRST_BAD);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_http),	   cmocka_unit_test(test_http_soon),
		cmocka_unit_test(test_http_ended), cmocka_unit_test(test_http_long),
		cmocka_unit_test(test_http_noise),
	};

	return cmocka_run_group_tests_name("first_http", tests, NULL, NULL);
}
