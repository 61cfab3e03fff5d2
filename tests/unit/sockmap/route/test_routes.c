// SPDX-License-Identifier: GPL-2.0-only
/* The decision that the rules of a routes file make for a connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sockmap/route/endpoint.h"
#include "tests/unit/sockmap/route/routes_fixture.h"

static const struct xf_route *route_of(const struct xf_routes *routes, const char *data, size_t len)
{
	return decide_from(routes, CLIENT, data, len).route;
}

static void test_fields(void **state)
{
	struct xf_routes *routes = routes_of(
	    "# the comment\r\n"
	    "\r\n"
	    "accept-proxy from 192.0.2.0/24\r\n"
	    "host\t *.Example.ORG.  -> 192.0.2.1:80,[2001:db8::1]:443,192.0.2.2:81 # why\r\n"
	    "host [2001:DB8:0::1] -> reject # 192.0.2.9:1\n"
	    "\t any -> 192.0.2.3:82");
	const struct xf_route *route;
	char text[XF_SOCKADDR_TEXT];

	(void)state;
	assert_int_equal(xf_routes__upstreams(routes), 4);
	route = route_of(routes, TEXT(GET("www.example.org")));
	assert_non_null(route);
	assert_int_equal(route->line, 4);
	assert_string_equal(route->text, "host *.Example.ORG.");
	assert_false(route->reject);
	assert_int_equal(route->n_upstreams, 3);
	assert_int_equal(route->index, 0);
	assert_int_equal(route->first_upstream, 0);
	assert_string_equal(xf_sockaddr_text(&route->upstreams[0], text), "192.0.2.1:80");
	assert_string_equal(xf_sockaddr_text(&route->upstreams[1], text), "[2001:db8::1]:443");
	assert_string_equal(xf_sockaddr_text(&route->upstreams[2], text), "192.0.2.2:81");
	route = route_of(routes, TEXT(GET("[2001:db8::0:1]")));
	assert_non_null(route);
	assert_int_equal(route->line, 5);
	assert_string_equal(route->text, "host [2001:DB8:0::1]");
	assert_true(route->reject);
	assert_int_equal(route->n_upstreams, 0);
	assert_int_equal(route->index, 1);
	assert_int_equal(route->first_upstream, 3);
	route = route_of(routes, TEXT(GET("example.org")));
	assert_non_null(route);
	assert_int_equal(route->line, 6);
	assert_string_equal(route->text, "any");
	assert_int_equal(route->index, 2);
	assert_int_equal(route->first_upstream, 3);
	assert_string_equal(xf_sockaddr_text(&route->upstreams[0], text), "192.0.2.3:82");
	xf_routes__put(routes);
}

static void test_single(void **state)
{
	struct xf_endpoint upstreams[2] = {};
	struct xf_decision decision;
	struct xf_routes *routes;

	(void)state;
	assert_int_equal(xf_sockaddr_parse("192.0.2.1:80", 1, &upstreams[0].addr, NULL), 0);
	assert_int_equal(xf_sockaddr_parse("[::1]:80", 1, &upstreams[1].addr, NULL), 0);
	assert_int_equal(xf_routes__single(&routes, upstreams, 2), 0);
	assert_ptr_equal(xf_routes__get(routes), routes);
	xf_routes__put(routes);
	assert_int_equal(xf_routes__upstreams(routes), 2);
	decision = decide_from(routes, CLIENT, "", 0);
	assert_int_equal(decision.kind, XF_DECIDE_ROUTE);
	assert_int_equal(decision.route->line, 0);
	assert_string_equal(decision.route->text, "any");
	assert_int_equal(decision.route->n_upstreams, 2);
	assert_true(xf_sockaddr_equal(&decision.route->upstreams[1], &upstreams[1].addr));
	assert_int_equal(decision.skip, 0);
	assert_false(decision.has_proxy);
	xf_routes__put(routes);
	xf_routes__put(NULL);
}

/* Names among the upstreams have the addresses that are found for them, in their place. */
static void test_resolved(void **state)
{
	struct xf_routes *base = routes_of("host a -> 192.0.2.1:1,b.test:2,192.0.2.3:3\n"
					   "host b -> reject\n"
					   "any -> c.test:4\n"),
			 *routes, *again;
	struct xf_addr addrs[2];
	struct xf_addresses found[2] = { { addrs, 2 }, { addrs, 0 } };
	const struct xf_route *route;
	char text[XF_SOCKADDR_TEXT];

	(void)state;
	assert_int_equal(xf_routes__names(base), 2);
	assert_string_equal(xf_routes__name(base, 0)->host, "b.test");
	assert_string_equal(xf_routes__name(base, 1)->host, "c.test");
	assert_int_equal(xf_routes__name(base, 1)->port, 4);
	assert_int_equal(route_of(base, TEXT(GET("a")))->n_upstreams, 2);
	assert_int_equal(route_of(base, TEXT(GET("c")))->n_upstreams, 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(
		    xf_sockaddr_parse(i ? "[::1]:2" : "192.0.2.9:2", 1, &addrs[i], NULL), 0);
	assert_int_equal(xf_routes__resolved(&routes, base, found), 0);
	xf_routes__put(base);
	assert_int_equal(xf_routes__names(routes), 2);
	assert_int_equal(xf_routes__upstreams(routes), 4);
	route = route_of(routes, TEXT(GET("a")));
	assert_string_equal(route->text, "host a");
	assert_int_equal(route->n_upstreams, 4);
	assert_string_equal(xf_sockaddr_text(&route->upstreams[1], text), "192.0.2.9:2");
	assert_string_equal(xf_sockaddr_text(&route->upstreams[2], text), "[::1]:2");
	assert_string_equal(xf_sockaddr_text(&route->upstreams[3], text), "192.0.2.3:3");
	assert_true(route_of(routes, TEXT(GET("b")))->reject);
	assert_int_equal(route_of(routes, TEXT(GET("c")))->n_upstreams, 0);
	/* Once more, from routes that have addresses already. */
	found[0].n = 0;
	found[1].n = 1;
	assert_int_equal(xf_routes__resolved(&again, routes, found), 0);
	xf_routes__put(routes);
	assert_int_equal(route_of(again, TEXT(GET("a")))->n_upstreams, 2);
	assert_int_equal(route_of(again, TEXT(GET("c")))->n_upstreams, 1);
	xf_routes__put(again);
}

static void test_names(void **state)
{
	struct xf_routes *routes = routes_of("sni a.example.org -> 192.0.2.1:1\n"
					     "sni *.example.org -> 192.0.2.1:2\n"
					     "host b.example.org -> 192.0.2.1:3\n"
					     "host *.b.example.org -> reject\n"
					     "host ::ffff:192.0.2.1 -> 192.0.2.1:5\n"
					     "host 192.0.2.1 -> 192.0.2.1:6\n");
	static const struct choice choices[] = {
		{ "exact", TEXT(HELLO_A), XF_DECIDE_ROUTE, 1, 0 },
		{ "suffix", TEXT(HELLO_B), XF_DECIDE_ROUTE, 2, 0 },
		{ "a name of another type", TEXT(HELLO_OTHER), XF_DECIDE_AMBIGUOUS, 1, 0 },
		{ "an sni rule is not for hosts", TEXT(GET("a.example.org")), XF_DECIDE_NO_ROUTE, 0,
		  0 },
		{ "host", TEXT(GET("B.example.ORG:80")), XF_DECIDE_ROUTE, 3, 0 },
		{ "one label in front", TEXT(GET("x.b.example.org")), XF_DECIDE_REJECT, 4, 0 },
		{ "two labels in front", TEXT(GET("y.x.b.example.org")), XF_DECIDE_REJECT, 4, 0 },
		{ "part of a label", TEXT(GET("xb.example.org")), XF_DECIDE_NO_ROUTE, 0, 0 },
		{ "the end only", TEXT(GET("example.org")), XF_DECIDE_NO_ROUTE, 0, 0 },
		{ "IPv6", TEXT(GET("[::FFFF:192.0.2.1]")), XF_DECIDE_ROUTE, 5, 0 },
		{ "IPv4", TEXT(GET("192.0.2.1:80")), XF_DECIDE_ROUTE, 6, 0 },
		{ "neither", TEXT("hello\n"), XF_DECIDE_NO_ROUTE, 0, 0 },
		{ "not yet", TEXT("\x16\3"), XF_DECIDE_MORE, 0, 0 },
		{ "nothing", TEXT(""), XF_DECIDE_MORE, 0, 0 },
	};

	(void)state;
	CHECK(routes, CLIENT, choices);
	xf_routes__put(routes);
}

/* A rule that needs more bytes holds up the next ones, until the client ends its stream. */
static void test_order(void **state)
{
	struct xf_routes *routes = routes_of("host a -> 192.0.2.1:1\n"
					     "sni *.example.org -> 192.0.2.1:2\n"
					     "any -> 192.0.2.1:3\n");
	static const struct choice choices[] = {
		{ "host", TEXT(GET("a")), XF_DECIDE_ROUTE, 1, 0 },
		{ "another host", TEXT(GET("b")), XF_DECIDE_ROUTE, 3, 0 },
		{ "sni", TEXT(HELLO_A), XF_DECIDE_ROUTE, 2, 0 },
		{ "neither", TEXT("\0"), XF_DECIDE_ROUTE, 3, 0 },
		{ "part of a request", TEXT("GET / HTTP/1.1\r\nHost: a\r\n"), XF_DECIDE_MORE, 0,
		  0 },
		{ "part of a hello", HELLO_A, sizeof(HELLO_A) - 2, XF_DECIDE_MORE, 0, 0 },
		{ "nothing", TEXT(""), XF_DECIDE_MORE, 0, 0 },
	};

	(void)state;
	CHECK(routes, CLIENT, choices);
	for (size_t i = 4; i < ARRAY_SIZE(choices); i++) {
		struct xf_decision d =
		    decide_ended(routes, CLIENT, choices[i].data, choices[i].len);

		/* The part of a request may be one for a server. */
		assert_int_equal(d.kind, i == 4 ? XF_DECIDE_AMBIGUOUS : XF_DECIDE_ROUTE);
		assert_int_equal(d.route->line, i == 4 ? 1 : 3);
	}
	xf_routes__put(routes);
}

#define TWICE "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"
#define HELLO_ODD HELLO("\0", "a.example.or/")

/* A first packet that can be read in two ways is refused by the first rule that is about such
 * packets, and by no other. */
static void test_ambiguous(void **state)
{
	struct xf_routes *hosts = routes_of("host a -> reject\nany -> 192.0.2.1:2\n");
	struct xf_routes *names = routes_of("sni a.example.org -> reject\nany -> 192.0.2.1:2\n");
	struct xf_routes *any = routes_of("any -> 192.0.2.1:1\n");
	struct xf_routes *tokens = routes_of("host a -> 192.0.2.1:1\ntoken @a -> 192.0.2.1:2\n");
	static const struct choice by_host[] = {
		{ "clear", TEXT(GET("a")), XF_DECIDE_REJECT, 1, 0 },
		{ "another", TEXT(GET("b")), XF_DECIDE_ROUTE, 2, 0 },
		{ "ambiguous", TEXT(TWICE), XF_DECIDE_AMBIGUOUS, 1, 0 },
		{ "ambiguous TLS", TEXT(HELLO_ODD), XF_DECIDE_ROUTE, 2, 0 },
	};
	static const struct choice by_name[] = {
		{ "clear", TEXT(HELLO_A), XF_DECIDE_REJECT, 1, 0 },
		{ "another", TEXT(HELLO_B), XF_DECIDE_ROUTE, 2, 0 },
		{ "ambiguous", TEXT(HELLO_ODD), XF_DECIDE_AMBIGUOUS, 1, 0 },
		{ "ambiguous HTTP", TEXT(TWICE), XF_DECIDE_ROUTE, 2, 0 },
	};
	static const struct choice by_none[] = {
		{ "HTTP", TEXT(TWICE), XF_DECIDE_ROUTE, 1, 0 },
		{ "TLS", TEXT(HELLO_ODD), XF_DECIDE_ROUTE, 1, 0 },
	};
	static const struct choice by_token[] = {
		{ "HTTP", TEXT(TWICE), XF_DECIDE_AMBIGUOUS, 1, 0 },
		{ "a token", TEXT("alpha\n"), XF_DECIDE_ROUTE, 2, 6 },
	};

	(void)state;
	CHECK(hosts, CLIENT, by_host);
	CHECK(names, CLIENT, by_name);
	CHECK(any, CLIENT, by_none);
	CHECK(tokens, CLIENT, by_token);
	xf_routes__put(hosts);
	xf_routes__put(names);
	xf_routes__put(any);
	xf_routes__put(tokens);
}

/* Rules that look like another one and still have connections of their own. */
static void test_reached(void **state)
{
	static const char *const texts[] = {
		"sni *.b -> reject\nsni b -> reject\nhost a.b -> reject\nalpn a.b -> reject",
		"sni a.b -> reject\nsni *.b -> reject\nsni *.a.b.c -> reject",
		"sni *.a.b -> reject\nsni *.b -> reject\nsni xa.b.c -> reject",
		"alpn h2 -> reject\nalpn H2 -> reject\nalpn .h2 -> reject\nalpn x.h2 -> reject",
		"sni *.b -> reject\nalpn a.b -> reject",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		xf_routes__put(routes_of(texts[i]));
}

static void test_alpn(void **state)
{
	struct xf_routes *routes = routes_of("alpn h2 -> reject\n"
					     "alpn http/1.1 -> 192.0.2.1:2\n"
					     "any -> 192.0.2.1:3\n");
	static const struct choice choices[] = {
		{ "both", TEXT(HELLO_ALPN("\2h2\x08http/1.1")), XF_DECIDE_REJECT, 1, 0 },
		{ "both, the other way round", TEXT(HELLO_ALPN("\x08http/1.1\2h2")),
		  XF_DECIDE_REJECT, 1, 0 },
		{ "the second", TEXT(HELLO_ALPN("\x02h3\x08http/1.1")), XF_DECIDE_ROUTE, 2, 0 },
		{ "longer and shorter", TEXT(HELLO_ALPN("\x01h\x09http/1.12")), XF_DECIDE_ROUTE, 3,
		  0 },
		{ "an odd list", TEXT(HELLO_ALPN("\2h2\x08http/1.\0")), XF_DECIDE_REJECT, 1, 0 },
		{ "an empty name", TEXT(HELLO_ALPN("\2h2\0\7http/1.")), XF_DECIDE_AMBIGUOUS, 1, 0 },
		{ "no list", TEXT(HELLO_A), XF_DECIDE_ROUTE, 3, 0 },
		{ "no TLS", TEXT(GET("h2")), XF_DECIDE_ROUTE, 3, 0 },
		{ "not yet", TEXT("\x16\3"), XF_DECIDE_MORE, 0, 0 },
	};

	(void)state;
	CHECK(routes, CLIENT, choices);
	assert_string_equal(decide_from(routes, CLIENT, choices[2].data, choices[2].len).alpn,
			    "h3,http/1.1");
	xf_routes__put(routes);
}

/* A client that is silent until the time is over. */
static void test_silent(void **state)
{
	static const struct {
		const char *rules, *peer, *data;
		unsigned int line; /* 0: none takes it */
		size_t skip;
	} cases[] = {
		{ "host a -> 192.0.2.1:1\nany -> 192.0.2.1:2", CLIENT, "", 2, 0 },
		{ "sni a -> 192.0.2.1:1\nalpn a -> 192.0.2.1:1\n-> 192.0.2.1:2", CLIENT, "", 3, 0 },
		{ "host a -> 192.0.2.1:1\nany -> 192.0.2.1:2", CLIENT, "G", 0, 0 },
		{ "host a -> 192.0.2.1:1\nany -> 192.0.2.1:2", CLIENT, "\x16", 0, 0 },
		{ "host a -> 192.0.2.1:1\nany -> reject", CLIENT, "", 0, 0 },
		{ "host b -> 192.0.2.1:1\nsni a -> reject\nany -> 192.0.2.1:2", CLIENT, "", 0, 0 },
		{ "host a -> 192.0.2.1:1", CLIENT, "", 0, 0 },
		{ "host a -> 192.0.2.1:1\ntoken @a -> 192.0.2.1:2", CLIENT, "", 0, 0 },
		{ "accept-proxy from 198.51.100.0/24\nhost a -> 192.0.2.1:1\nany -> 192.0.2.1:2",
		  CLIENT, "", 0, 0 },
		{ "accept-proxy from 198.51.100.0/24\nhost a -> 192.0.2.1:1\nany -> 192.0.2.1:2",
		  CLIENT, "PROXY UNKNOWN\r\n", 3, 15 },
		{ "accept-proxy from 198.51.100.0/24\nhost a -> 192.0.2.1:1\nany -> 192.0.2.1:2",
		  CLIENT, "PROXY UNKNOWN\r\nG", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct xf_routes *routes = routes_of(cases[i].rules);
		struct xf_decision d;
		struct xf_addr peer;
		bool taken;

		assert_int_equal(xf_sockaddr_parse(cases[i].peer, 0, &peer, NULL), 0);
		taken = xf_routes__decide_silent(routes, &peer, (const uint8_t *)cases[i].data,
						 strlen(cases[i].data), &d);
		if (taken != !!cases[i].line)
			fail_msg("%s, '%s': %d", cases[i].rules, cases[i].data, taken);
		if (taken) {
			assert_int_equal(d.kind, XF_DECIDE_ROUTE);
			assert_int_equal(d.route->line, cases[i].line);
			assert_int_equal(d.skip, cases[i].skip);
		}
		xf_routes__put(routes);
	}
}

/* A rule for any first packet needs no byte, so that a server may speak first. */
static void test_unconditional(void **state)
{
	static const char *const texts[] = { "-> 192.0.2.1:1", "any -> 192.0.2.1:1\n",
					     " \t->\t192.0.2.1:1 \t\r\n", "any -> reject" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct xf_routes *routes = routes_of(texts[i]);
		struct xf_decision d = decide_from(routes, CLIENT, "", 0);

		assert_int_equal(d.kind, i == 3 ? XF_DECIDE_REJECT : XF_DECIDE_ROUTE);
		assert_string_equal(d.route->text, "any");
		xf_routes__put(routes);
	}
}

static void test_tokens(void **state)
{
	struct xf_routes *routes = routes_of("sni a.example.org -> 192.0.2.1:1\n"
					     "token @a -> 192.0.2.1:2\n"
					     "token\t@bb -> 192.0.2.1:3\n"
					     "token @long1024 -> reject\n");
	static char large[1026], endless[1100];
	const struct choice choices[] = {
		{ "the first", TEXT("alpha\nmore"), XF_DECIDE_ROUTE, 2, 6 },
		{ "the second", TEXT("beta-longer\r\n"), XF_DECIDE_ROUTE, 3, 13 },
		{ "the longest", large, sizeof(large), XF_DECIDE_REJECT, 4, 1026 },
		{ "a rule before them", TEXT(HELLO_A), XF_DECIDE_ROUTE, 1, 0 },
		{ "another name", TEXT(HELLO_B "\n"), XF_DECIDE_BAD_TOKEN, 0, 0 },
		{ "wrong", TEXT("alphb\n"), XF_DECIDE_BAD_TOKEN, 0, 0 },
		{ "the start of one", TEXT("alph\n"), XF_DECIDE_BAD_TOKEN, 0, 0 },
		{ "more than one", TEXT("alphabeta-longer\n"), XF_DECIDE_BAD_TOKEN, 0, 0 },
		{ "an empty line", TEXT("\nalpha\n"), XF_DECIDE_BAD_TOKEN, 0, 0 },
		{ "endless", endless, sizeof(endless), XF_DECIDE_BAD_TOKEN, 0, 0 },
		{ "as long as the longest", endless, 1024, XF_DECIDE_MORE, 0, 0 },
		{ "longer than the longest", endless, 1025, XF_DECIDE_BAD_TOKEN, 0, 0 },
		{ "longer than the first", TEXT("alphaa"), XF_DECIDE_MORE, 0, 0 },
		{ "not yet", TEXT("alpha"), XF_DECIDE_MORE, 0, 0 },
		{ "not yet, CR", TEXT("alpha\r"), XF_DECIDE_MORE, 0, 0 },
		{ "nothing", TEXT(""), XF_DECIDE_MORE, 0, 0 },
	};

	(void)state;
	memset(large, 'x', 1024);
	memcpy(large + 1024, "\r\n", 2);
	memset(endless, 'x', sizeof(endless));
	endless[0] = 'X';
	CHECK(routes, CLIENT, choices);
	for (size_t i = ARRAY_SIZE(choices) - 3; i < ARRAY_SIZE(choices); i++)
		assert_int_equal(decide_ended(routes, CLIENT, choices[i].data, choices[i].len).kind,
				 XF_DECIDE_BAD_TOKEN);
	assert_string_equal(route_of(routes, TEXT("beta-longer\n"))->text, "token @bb");
	xf_routes__put(routes);
	routes = routes_of("token @plain -> 192.0.2.1:1");
	assert_non_null(route_of(routes, TEXT("alpha\n")));
	xf_routes__put(routes);
}

/* With many rules the arrays grow, and each rule keeps its upstreams. */
static void test_many(void **state)
{
	size_t size = 3000 * 80, len = 0;
	char *text = malloc(size), request[64];
	struct xf_routes *routes;

	(void)state;
	for (unsigned int i = 0; i < 3000; i++)
		len += snprintf(text + len, size - len, "host h%u -> 192.0.2.1:%u,192.0.2.2:%u\n",
				i, i + 1, i + 10001);
	routes = routes_of(text);
	free(text);
	assert_int_equal(xf_routes__upstreams(routes), 6000);
	for (unsigned int i = 0; i < 3000; i += 371) {
		const struct xf_route *route;

		len = snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: h%u\r\n\r\n", i);
		route = route_of(routes, request, len);
		assert_int_equal(route->line, i + 1);
		assert_int_equal(route->index, i);
		assert_int_equal(route->first_upstream, 2 * i);
		assert_int_equal(xf_sockaddr_port(&route->upstreams[1]), i + 10001);
	}
	xf_routes__put(routes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),	      cmocka_unit_test(test_single),
		cmocka_unit_test(test_names),	      cmocka_unit_test(test_order),
		cmocka_unit_test(test_unconditional), cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_many),	      cmocka_unit_test(test_ambiguous),
		cmocka_unit_test(test_alpn),	      cmocka_unit_test(test_silent),
		cmocka_unit_test(test_reached),	      cmocka_unit_test(test_resolved),
	};

	return cmocka_run_group_tests_name("routes", tests, NULL, NULL);
}
