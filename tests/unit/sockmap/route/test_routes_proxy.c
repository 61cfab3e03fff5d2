// SPDX-License-Identifier: GPL-2.0-only
/* PROXY headers by the rules of a routes file: the sources that may send them, and the destinations
 * that are dialled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/sockmap/route/routes_fixture.h"

#define V1 "PROXY TCP4 203.0.113.1 203.0.113.2 1000 443\r\n"
#define V1_LEN (sizeof(V1) - 1)
#define V1_UNKNOWN "PROXY UNKNOWN\r\n"
#define V2_LOCAL "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"

static const char proxy_text[] = "accept-proxy from 192.0.2.0/24 2001:db8::1\n"
				 "sni a.example.org -> 192.0.2.1:1\n"
				 "accept-proxy from 10.0.0.0/8\n"
				 "token @a -> 192.0.2.1:2\n";

static void test_proxy(void **state)
{
	static const char *const sources[] = { "192.0.2.9:1", "[::ffff:192.0.2.9]:1", "10.1.2.3:1",
					       "[2001:db8::1]:1" };
	static const char *const others[] = { "198.51.100.1:1", "[2001:db8::2]:1",
					      "[::ffff:198.51.100.1]:1" };
	struct xf_routes *routes = routes_of(proxy_text);
	static const struct choice from_source[] = {
		{ "token", TEXT(V1 "alpha\nx"), XF_DECIDE_ROUTE, 4, V1_LEN + 6 },
		{ "sni", TEXT(V1 HELLO_A), XF_DECIDE_ROUTE, 2, V1_LEN },
		{ "UNKNOWN", TEXT(V1_UNKNOWN "alpha\n"), XF_DECIDE_ROUTE, 4, 15 + 6 },
		{ "LOCAL", TEXT(V2_LOCAL "alpha\n"), XF_DECIDE_ROUTE, 4, 16 + 6 },
		{ "a wrong token", TEXT(V1 "x\n"), XF_DECIDE_BAD_TOKEN, 0, V1_LEN },
		{ "a second header is data", TEXT(V1 V1), XF_DECIDE_BAD_TOKEN, 0, V1_LEN },
		{ "only the header", TEXT(V1), XF_DECIDE_MORE, 0, V1_LEN },
		{ "half a header", TEXT("PROXY TCP4 203."), XF_DECIDE_MORE, 0, 0 },
		{ "none", TEXT("alpha\n"), XF_DECIDE_BAD_PROXY, 0, 0 },
		{ "a broken one", TEXT("PROXY x\r\n"), XF_DECIDE_BAD_PROXY, 0, 0 },
		{ "nothing", TEXT(""), XF_DECIDE_MORE, 0, 0 },
	};
	static const struct choice from_other[] = {
		{ "data", TEXT(V1 "alpha\n"), XF_DECIDE_BAD_TOKEN, 0, 0 },
		{ "no header", TEXT("alpha\n"), XF_DECIDE_ROUTE, 4, 6 },
	};
	struct xf_decision d;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sources); i++) {
		CHECK(routes, sources[i], from_source);
		d = decide_ended(routes, sources[i], TEXT("PROXY TCP4 203."));
		assert_int_equal(d.kind, XF_DECIDE_BAD_PROXY);
		d = decide_ended(routes, sources[i], TEXT(""));
		assert_int_equal(d.kind, XF_DECIDE_BAD_PROXY);
		d = decide_ended(routes, sources[i], TEXT(V1 "alph"));
		assert_int_equal(d.kind, XF_DECIDE_BAD_TOKEN);
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		CHECK(routes, others[i], from_other);
	xf_routes__put(routes);
}

static void test_proxy_addresses(void **state)
{
	struct xf_routes *routes = routes_of("accept-proxy from 192.0.2.0/24\n-> 192.0.2.1:1\n");
	char text[XF_SOCKADDR_TEXT];
	struct xf_decision d;

	(void)state;
	/* The header is awaited even when no rule needs a byte. */
	assert_int_equal(decide_from(routes, "192.0.2.9:1", "", 0).kind, XF_DECIDE_MORE);
	assert_int_equal(decide_from(routes, CLIENT, "", 0).kind, XF_DECIDE_ROUTE);
	d = decide_from(routes, "192.0.2.9:1", TEXT(V1));
	assert_int_equal(d.kind, XF_DECIDE_ROUTE);
	assert_true(d.has_proxy);
	assert_false(d.proxy.local);
	assert_string_equal(xf_sockaddr_text(&d.proxy.src, text), "203.0.113.1:1000");
	assert_string_equal(xf_sockaddr_text(&d.proxy.dst, text), "203.0.113.2:443");
	d = decide_from(routes, "192.0.2.9:1", TEXT(V1_UNKNOWN));
	assert_true(d.has_proxy);
	assert_true(d.proxy.local);
	assert_false(decide_from(routes, CLIENT, TEXT(V1)).has_proxy);
	xf_routes__put(routes);
}

static void test_destinations(void **state)
{
	static const char *const listed[] = { "203.0.113.0/24", "203.0.113.2:443 192.0.2.1",
					      "192.0.2.1 203.0.113.0/24:443",
					      "192.0.2.1\nproxy-destinations 203.0.113.2" };
	static const char *const unlisted[] = { "203.0.113.1", "203.0.113.0/24:80",
						"[2001:db8::/32]:443 ::/0" };
	char text[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(listed) + ARRAY_SIZE(unlisted); i++) {
		bool dial = i < ARRAY_SIZE(listed);
		const char *list = dial ? listed[i] : unlisted[i - ARRAY_SIZE(listed)];
		struct xf_routes *routes;
		struct xf_decision d;

		snprintf(text, sizeof(text),
			 "proxy-destinations %s\naccept-proxy from 192.0.2.0/24\n", list);
		routes = routes_of(text);
		d = decide_from(routes, "192.0.2.9:1", TEXT(V1 "x"));
		assert_int_equal(d.kind, dial ? XF_DECIDE_DIAL : XF_DECIDE_NO_ROUTE);
		assert_int_equal(d.skip, V1_LEN);
		assert_true(d.has_proxy);
		assert_int_equal(decide_from(routes, "192.0.2.9:1", TEXT(V1_UNKNOWN)).kind,
				 XF_DECIDE_NO_ROUTE);
		assert_int_equal(decide_from(routes, CLIENT, TEXT(V1 "x")).kind,
				 XF_DECIDE_NO_ROUTE);
		assert_int_equal(xf_routes__upstreams(routes), 0);
		xf_routes__put(routes);
	}
}

/* A listed destination comes before all rules. */
static void test_destinations_and_rules(void **state)
{
	struct xf_routes *routes = routes_of("token @a -> 192.0.2.1:1\n"
					     "accept-proxy from 192.0.2.0/24\n"
					     "proxy-destinations 203.0.113.2:443\n");

	(void)state;
	assert_int_equal(decide_from(routes, "192.0.2.9:1", TEXT(V1)).kind, XF_DECIDE_DIAL);
	assert_int_equal(decide_from(routes, "192.0.2.9:1",
				     TEXT("PROXY TCP4 203.0.113.1 203.0.113.2 1 80\r\nalpha\n"))
			     .kind,
			 XF_DECIDE_ROUTE);
	assert_int_equal(decide_from(routes, CLIENT, TEXT("alpha\n")).kind, XF_DECIDE_ROUTE);
	xf_routes__put(routes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_proxy),
		cmocka_unit_test(test_proxy_addresses),
		cmocka_unit_test(test_destinations),
		cmocka_unit_test(test_destinations_and_rules),
	};

	return cmocka_run_group_tests_name("routes_proxy", tests, NULL, NULL);
}
