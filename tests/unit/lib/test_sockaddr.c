// SPDX-License-Identifier: GPL-2.0-only
/* Addresses and prefixes: accepted, refused, and the same after a way through their text. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/sockaddr.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Returns an address without the parser under test. */
static struct xf_addr addr_of(const char *host, uint16_t port)
{
	struct xf_addr addr = { .len = 0 };

	if (inet_pton(AF_INET, host, &addr.in.sin_addr) == 1) {
		addr.in.sin_family = AF_INET;
		addr.in.sin_port = htons(port);
		addr.len = sizeof(addr.in);
	} else {
		assert_int_equal(inet_pton(AF_INET6, host, &addr.in6.sin6_addr), 1);
		addr.in6.sin6_family = AF_INET6;
		addr.in6.sin6_port = htons(port);
		addr.len = sizeof(addr.in6);
	}
	return addr;
}

/* Parse a string in a heap block of exactly its size. */
static int parse(const char *text, uint16_t min_port, struct xf_addr *addr, const char **why)
{
	char *copy = strdup(text);
	int err = xf_sockaddr_parse(copy, min_port, addr, why);

	free(copy);
	return err;
}

static const struct {
	const char *text, *host, *back;
	uint16_t port;
} good[] = {
	{ "192.0.2.1:80", "192.0.2.1", "192.0.2.1:80", 80 },
	{ "0.0.0.0:0", "0.0.0.0", "0.0.0.0:0", 0 },
	{ "255.255.255.255:65535", "255.255.255.255", "255.255.255.255:65535", 65535 },
	{ "[::]:1", "::", "[::]:1", 1 },
	{ "[2001:DB8::1]:443", "2001:db8::1", "[2001:db8::1]:443", 443 },
	{ "[2001:db8:0:0:0:0:0:1]:443", "2001:db8::1", "[2001:db8::1]:443", 443 },
	{ "[::ffff:192.0.2.1]:80", "::ffff:192.0.2.1", "[::ffff:192.0.2.1]:80", 80 },
	{ "[1111:2222:3333:4444:5555:6666:7777:8888]:65535",
	  "1111:2222:3333:4444:5555:6666:7777:8888",
	  "[1111:2222:3333:4444:5555:6666:7777:8888]:65535", 65535 },
};

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct xf_addr addr, want = addr_of(good[i].host, good[i].port);
		char text[XF_SOCKADDR_TEXT];

		if (parse(good[i].text, 0, &addr, NULL))
			fail_msg("%s is no address", good[i].text);
		assert_true(xf_sockaddr_equal(&addr, &want));
		assert_int_equal(addr.len, want.len);
		assert_memory_equal(&addr.sa, &want.sa, want.len);
		assert_int_equal(xf_sockaddr_port(&addr), good[i].port);
		assert_string_equal(xf_sockaddr_text(&addr, text), good[i].back);
	}
}

static const struct {
	const char *text;
	uint16_t min_port;
	const char *why; /* a part of the reason */
} bad[] = {
	{ "", 0, "ADDR:PORT" },
	{ ":", 0, "ADDR:PORT" },
	{ ":80", 0, "ADDR:PORT" },
	{ "192.0.2.1", 0, "ADDR:PORT" },
	{ "192.0.2.1:", 0, "port from 0" },
	{ "192.0.2.1:", 1, "port from 1" },
	{ "192.0.2.1:0", 1, "port from 1" },
	{ "192.0.2.1:1023", 1024, "range" },
	{ "192.0.2.1:65536", 0, "65535" },
	{ "192.0.2.1:99999999999999999999", 0, "65535" },
	{ "192.0.2.1:80x", 0, "port" },
	{ "192.0.2.1:+80", 0, "port" },
	{ "192.0.2.1:-1", 0, "port" },
	{ "192.0.2.1: 80", 0, "port" },
	{ " 192.0.2.1:80", 0, "ADDR:PORT" },
	{ "192.0.2:80", 0, "ADDR:PORT" },
	{ "192.0.2.256:80", 0, "ADDR:PORT" },
	{ "192.0.2.1.1:80", 0, "ADDR:PORT" },
	{ "localhost:80", 0, "ADDR:PORT" },
	{ "example.org:80", 0, "ADDR:PORT" },
	{ "80", 0, "ADDR:PORT" },
	{ "[", 0, "ADDR:PORT" },
	{ "[]", 0, "ADDR:PORT" },
	{ "[:", 0, "ADDR:PORT" },
	{ "[]:80", 0, "brackets" },
	{ "[:80", 0, "ADDR:PORT" },
	{ "[::1]", 0, "ADDR:PORT" },
	{ "[::1]:", 0, "port" },
	{ "[::1]80", 0, "ADDR:PORT" },
	{ "[::1:80", 0, "ADDR:PORT" },
	{ "::1:80", 0, "brackets" },
	{ "2001:db8::1", 0, "brackets" },
	{ "[192.0.2.1]:80", 0, "brackets" },
	{ "[2001:db8::1::2]:80", 0, "brackets" },
	{ "[2001:db8::1%lo]:80", 0, "no scope" },
	{ "[fe80::1%]:80", 0, "interface" },
	{ "[fe80::1%0]:80", 0, "interface" },
	{ "[fe80::1%no-such-interface-here]:80", 0, "" },
	{ "[fe80::1%nonesuch]:80", 0, "interface" },
	{ "[1111:2222:3333:4444:5555:6666:7777:8888:9999:1111:2222:3333:4444:5555:6666]:80", 0,
	  "" },
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const struct xf_addr before = { .len = 4711 };
		struct xf_addr addr = before;
		const char *why = NULL;

		if (parse(bad[i].text, bad[i].min_port, &addr, &why) != -EINVAL)
			fail_msg("\"%s\" is an address", bad[i].text);
		if (!why || !strstr(why, bad[i].why))
			fail_msg("\"%s\" expects \"%s\"", bad[i].text, why);
		assert_int_equal(addr.len, 4711);
		assert_int_equal(parse(bad[i].text, bad[i].min_port, &addr, NULL), -EINVAL);
	}
}

static void test_scope(void **state)
{
	unsigned int lo = if_nametoindex("lo");
	struct xf_addr addr, other;
	char text[XF_SOCKADDR_TEXT];

	(void)state;
	assert_int_equal(parse("[fe80::1%4000000000]:80", 1, &addr, NULL), 0);
	assert_int_equal(addr.in6.sin6_scope_id, 4000000000u);
	assert_string_equal(xf_sockaddr_text(&addr, text), "[fe80::1%4000000000]:80");
	assert_int_equal(parse(text, 1, &other, NULL), 0);
	assert_true(xf_sockaddr_equal(&addr, &other));
	assert_int_equal(parse("[fe80::1]:80", 1, &other, NULL), 0);
	assert_false(xf_sockaddr_equal(&addr, &other));
	if (!lo)
		skip();
	assert_int_equal(parse("[ff02::1%lo]:80", 1, &addr, NULL), 0);
	assert_int_equal(addr.in6.sin6_scope_id, lo);
	assert_string_equal(xf_sockaddr_text(&addr, text), "[ff02::1%lo]:80");
}

static void test_equal(void **state)
{
	struct xf_addr none = { .len = 0 }, a = addr_of("192.0.2.1", 80);
	struct xf_addr port = addr_of("192.0.2.1", 81), host = addr_of("192.0.2.2", 80);
	struct xf_addr mapped = addr_of("::ffff:192.0.2.1", 80), six = addr_of("2001:db8::1", 80);
	struct xf_addr six_host = addr_of("2001:db8::2", 80);
	char text[XF_SOCKADDR_TEXT];

	(void)state;
	assert_true(xf_sockaddr_equal(&a, &a));
	assert_true(xf_sockaddr_equal(&six, &six));
	assert_true(xf_sockaddr_equal(&none, &none));
	assert_false(xf_sockaddr_equal(&a, &none));
	assert_false(xf_sockaddr_equal(&none, &a));
	assert_false(xf_sockaddr_equal(&a, &port));
	assert_false(xf_sockaddr_equal(&a, &host));
	assert_false(xf_sockaddr_equal(&a, &mapped));
	assert_false(xf_sockaddr_equal(&six, &six_host));
	assert_string_equal(xf_sockaddr_text(&none, text), "-");
	assert_int_equal(xf_sockaddr_port(&none), 0);
}

static const struct {
	const char *prefix;
	bool with_port;
	const char *host;
	uint16_t port;
	bool has;
} members[] = {
	{ "192.0.2.0/24", false, "192.0.2.0", 1, true },
	{ "192.0.2.0/24", false, "192.0.2.255", 1, true },
	{ "192.0.2.0/24", false, "192.0.3.0", 1, false },
	{ "192.0.2.0/24", false, "192.0.1.255", 1, false },
	{ "192.0.2.128/25", false, "192.0.2.128", 1, true },
	{ "192.0.2.128/25", false, "192.0.2.127", 1, false },
	{ "192.0.2.4/31", false, "192.0.2.5", 1, true },
	{ "192.0.2.4/31", false, "192.0.2.6", 1, false },
	{ "192.0.2.4", false, "192.0.2.4", 1, true },
	{ "192.0.2.4/32", false, "192.0.2.5", 1, false },
	{ "0.0.0.0/0", false, "203.0.113.9", 1, true },
	{ "128.0.0.0/1", false, "203.0.113.9", 1, true },
	{ "128.0.0.0/1", false, "127.0.0.1", 1, false },
	{ "0.0.0.0/0", false, "2001:db8::1", 1, false },
	{ "::/0", false, "203.0.113.9", 1, false },
	{ "::/0", false, "::ffff:203.0.113.9", 1, false },
	{ "::/0", false, "2001:db8::1", 1, true },
	{ "2001:db8::/32", false, "2001:db8:ffff::1", 1, true },
	{ "2001:db8::/32", false, "2001:db9::1", 1, false },
	{ "2001:db8::/33", false, "2001:db8:8000::", 1, false },
	{ "2001:db8::1", false, "2001:db8::1", 1, true },
	{ "2001:db8::1/128", false, "2001:db8::2", 1, false },
	{ "192.0.2.0/24", false, "::ffff:192.0.2.9", 1, true },
	{ "192.0.2.0/24", false, "::ffff:192.0.3.9", 1, false },
	{ "192.0.2.0/24", false, "::192.0.2.9", 1, false },
	{ "::ffff:192.0.2.0/120", false, "192.0.2.9", 1, true },
	{ "::ffff:192.0.2.0/120", false, "::ffff:192.0.2.9", 1, true },
	{ "::ffff:192.0.2.0/120", false, "192.0.3.9", 1, false },
	{ "::ffff:0:0/96", false, "203.0.113.9", 1, true },
	{ "192.0.2.0/24", true, "192.0.2.9", 443, true },
	{ "192.0.2.0/24:443", true, "192.0.2.9", 443, true },
	{ "192.0.2.0/24:443", true, "192.0.2.9", 444, false },
	{ "192.0.2.9:443", true, "192.0.2.9", 443, true },
	{ "192.0.2.9:443", true, "192.0.2.8", 443, false },
	{ "192.0.2.9:443", true, "::ffff:192.0.2.9", 443, true },
	{ "2001:db8::/32", true, "2001:db8::1", 443, true },
	{ "[2001:db8::/32]:443", true, "2001:db8::1", 443, true },
	{ "[2001:db8::/32]:443", true, "2001:db8::1", 80, false },
	{ "[2001:db8::1]:443", true, "2001:db8::1", 443, true },
	{ "2001:db8::443", true, "2001:db8::443", 80, true },
};

static void test_prefixes(void **state)
{
	struct xf_addr none = { .len = 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		struct xf_addr addr = addr_of(members[i].host, members[i].port);
		char *copy = strdup(members[i].prefix);
		struct xf_addr_prefix prefix;
		const char *why = "";

		if (xf_prefix_parse(copy, members[i].with_port, &prefix, &why))
			fail_msg("%s: expected %s", copy, why);
		if (xf_prefix_has(&prefix, &addr) != members[i].has)
			fail_msg("%s: %s", copy, members[i].host);
		assert_false(xf_prefix_has(&prefix, &none));
		free(copy);
	}
}

static const struct {
	const char *text;
	bool with_port;
	const char *why;
} bad_prefixes[] = {
	{ "", false, "a prefix" },
	{ "", true, "PREFIX:PORT" },
	{ "/", false, "a prefix" },
	{ "/24", false, "a prefix" },
	{ "192.0.2.0/", false, "0 to 32" },
	{ "192.0.2.0/33", false, "0 to 32" },
	{ "192.0.2.0/-1", false, "0 to 32" },
	{ "192.0.2.0/24/24", false, "0 to 32" },
	{ "192.0.2.0/255.255.255.0", false, "0 to 32" },
	{ "192.0.2.0/24x", false, "0 to 32" },
	{ "2001:db8::/129", false, "0 to 128" },
	{ "192.0.2.1/24", false, "zeros behind" },
	{ "192.0.2.64/25", false, "zeros behind" },
	{ "192.0.2.1/0", false, "zeros behind" },
	{ "2001:db8::1/64", false, "zeros behind" },
	{ "::ffff:192.0.2.1/120", false, "zeros behind" },
	{ "example.org", false, "a prefix" },
	{ "192.0.2/24", false, "a prefix" },
	{ "fe80::1%lo", false, "a prefix" },
	{ "192.0.2.0/24:443", false, "a prefix" },
	{ "[2001:db8::/32]:443", false, "a prefix" },
	{ "[2001:db8::/32]", false, "a prefix" },
	{ "[2001:db8::/32]", true, "PREFIX:PORT" },
	{ "[2001:db8::]/32:443", true, "PREFIX:PORT" },
	{ "[192.0.2.0/24]:443", true, "PREFIX:PORT" },
	{ "[", true, "PREFIX:PORT" },
	{ "[:", true, "PREFIX:PORT" },
	{ ":443", true, "PREFIX:PORT" },
	{ "192.0.2.0/24:", true, "port from 1" },
	{ "192.0.2.0/24:0", true, "port from 1" },
	{ "192.0.2.0/24:65536", true, "port from 1" },
	{ "192.0.2.0/24:http", true, "port from 1" },
	{ "1111:2222:3333:4444:5555:6666:7777:8888/128888888888888888888888888888888", false, "" },
};

static void test_bad_prefixes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad_prefixes); i++) {
		struct xf_addr_prefix prefix = { .len = 77 };
		char *copy = strdup(bad_prefixes[i].text);
		const char *why = NULL;

		if (xf_prefix_parse(copy, bad_prefixes[i].with_port, &prefix, &why) != -EINVAL)
			fail_msg("\"%s\" is a prefix", copy);
		if (!why || !strstr(why, bad_prefixes[i].why))
			fail_msg("\"%s\" expects \"%s\"", copy, why);
		assert_int_equal(prefix.len, 77);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),	 cmocka_unit_test(test_bad),
		cmocka_unit_test(test_scope),	 cmocka_unit_test(test_equal),
		cmocka_unit_test(test_prefixes), cmocka_unit_test(test_bad_prefixes),
	};

	return cmocka_run_group_tests_name("sockaddr", tests, NULL, NULL);
}
