// SPDX-License-Identifier: GPL-2.0-only
/* The routes file: what its errors say, and what is decided for a connection. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sockmap/route/routes.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define TEXT(s) s, sizeof(s) - 1

/* The files of the tests. A size of 0 is its length as a string. */
static const struct {
	const char *path, *content;
	size_t len;
} files[] = {
	{ "a", "alpha\n", 0 },
	{ "bb", "beta-longer\r\n", 0 },
	{ "plain", "alpha", 0 },
	{ "empty", "", 0 },
	{ "lf", "\n", 0 },
	{ "crlf", "\r\n", 0 },
	{ "two", "one\ntwo\n", 0 },
	{ "twice", "one\n\n", 0 },
	{ "cr", "one\r", 0 },
	{ "nul", "o\0ne", 4 },
	{ "../dir/t o", "never asked for", 0 },
};

static uint8_t *read_file(const char *path, size_t *len, char *why, size_t why_len, void *arg)
{
	uint8_t *content;

	assert_ptr_equal(arg, files);
	if (!strncmp(path, "long", 4)) {
		*len = atoi(path + 4);
		content = malloc(*len);
		memset(content, 'x', *len);
		return content;
	}
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (strcmp(path, files[i].path))
			continue;
		*len = files[i].len ? files[i].len : strlen(files[i].content);
		content = malloc(*len);
		memcpy(content, files[i].content, *len);
		return content;
	}
	snprintf(why, why_len, "No such file or directory");
	return NULL;
}

/* The text in a heap block of exactly its size. */
static int parse(const char *text, size_t len, struct xf_routes **routes,
		 struct xf_routes_error *error)
{
	char *copy = malloc(len);
	int err;

	memcpy(copy, text, len);
	err = xf_routes__parse(routes, copy, len, read_file, (void *)files, error);
	free(copy);
	return err;
}

static struct xf_routes *routes_of(const char *text)
{
	struct xf_routes_error error;
	struct xf_routes *routes;

	if (parse(text, strlen(text), &routes, &error))
		fail_msg("%u:%u: %s", error.line, error.column, error.text);
	return routes;
}

static const struct {
	const char *text;
	size_t len;
	unsigned int line, column;
	const char *says; /* parts between '|' */
} errors[] = {
	{ TEXT(""), 0, 0, "expected at least one rule|found none" },
	{ TEXT("\n"), 0, 0, "at least one rule" },
	{ TEXT("# nothing\n\n  # else"), 0, 0, "at least one rule" },
	{ TEXT("accept-proxy from 192.0.2.0/24\n"), 0, 0, "at least one rule" },
	{ TEXT("foo -> 192.0.2.1:80"), 1, 1, "expected sni, host, token, any, ->|found 'foo'" },
	{ TEXT("\n# x\n\t SNI a -> 192.0.2.1:80"), 3, 3, "found 'SNI'" },
	{ TEXT("any"), 1, 4, "expected ->, found the end of the line" },
	{ TEXT("any # -> 192.0.2.1:80"), 1, 5, "expected ->, found the end of the line" },
	{ TEXT("any => 192.0.2.1:80"), 1, 5, "expected ->, found '=>'" },
	{ TEXT("any->192.0.2.1:80"), 1, 1, "found 'any->192.0.2.1:80'" },
	{ TEXT("any x -> 192.0.2.1:80"), 1, 5, "expected ->, found 'x'" },
	{ TEXT("any ->"), 1, 7, "expected ADDR:PORT or reject, found the end of the line" },
	{ TEXT("->"), 1, 3, "expected ADDR:PORT or reject" },
	{ TEXT("-> Reject"), 1, 4, "expected ADDR:PORT|found 'Reject'" },
	{ TEXT("-> reject#"), 1, 4, "expected ADDR:PORT|found 'reject#'" },
	{ TEXT("-> rejects"), 1, 4, "expected ADDR:PORT|found 'rejects'" },
	{ TEXT("-> reject now"), 1, 11, "expected the end of the line, found 'now'" },
	{ TEXT("-> reject,192.0.2.1:80"), 1, 4, "expected ADDR:PORT|found 'reject'" },
	{ TEXT("-> 192.0.2.1"), 1, 4, "expected ADDR:PORT|found '192.0.2.1'" },
	{ TEXT("-> 192.0.2.1:0"), 1, 4, "expected a port from 1 to 65535|found '192.0.2.1:0'" },
	{ TEXT("-> 192.0.2.1:80,"), 1, 17, "expected ADDR:PORT|end of the line" },
	{ TEXT("-> ,192.0.2.1:80"), 1, 4, "expected ADDR:PORT" },
	{ TEXT("-> 192.0.2.1:80,,192.0.2.1:80"), 1, 17, "expected ADDR:PORT" },
	{ TEXT("-> 192.0.2.1:80,example.org:80"), 1, 17, "found 'example.org:80'" },
	{ TEXT("-> 192.0.2.1:80, 192.0.2.2:80"), 1, 17, "expected ADDR:PORT" },
	{ TEXT("-> 192.0.2.1:80 192.0.2.2:80"), 1, 17, "end of the line, found '192.0.2.2:80'" },
	{ TEXT("-> 2001:db8::1:80"), 1, 4, "brackets" },
	{ TEXT(
	      "-> 192.0.2.1:00000000000000000000000000000000000000000000000000000000000000000000000"
	      "0000000000000000000000000000000000000000000000000000000000000000000000000000000008"
	      "0"),
	  1, 4, "expected ADDR:PORT|found '192.0.2.1:000|...'" },
	{ TEXT("sni"), 1, 4, "expected a host name|found the end of the line" },
	{ TEXT("sni -> 192.0.2.1:80"), 1, 5, "expected a host name|found '->'" },
	{ TEXT("sni a..b -> reject"), 1, 5, "expected a host name|found 'a..b'" },
	{ TEXT("sni * -> reject"), 1, 5, "expected a host name|found '*'" },
	{ TEXT("sni *. -> reject"), 1, 5, "expected a host name|found '*.'" },
	{ TEXT("sni *.*.a -> reject"), 1, 5, "expected a host name" },
	{ TEXT("sni a*.b -> reject"), 1, 5, "expected a host name" },
	{ TEXT("sni .a -> reject"), 1, 5, "expected a host name" },
	{ TEXT("sni b\xc3\xbc.de -> reject"), 1, 5, "xn--|found 'b\\xc3\\xbc.de'" },
	{ TEXT("sni a:443 -> reject"), 1, 5, "expected a host name" },
	{ TEXT("sni 2001:db8::1 -> reject"), 1, 5, "expected a host name" },
	{ TEXT("sni it's\\ -> reject"), 1, 5, "found 'it\\'s\\\\'" },
	{ TEXT("host a:80 -> reject"), 1, 6, "without a port|found 'a:80'" },
	{ TEXT("host [::1]:80 -> reject"), 1, 6, "without a port" },
	{ TEXT("host : -> reject"), 1, 6, "IPv6" },
	{ TEXT("host"), 1, 5, "expected a host name" },
	{ TEXT("token a -> reject"), 1, 7, "expected @FILE|found 'a'" },
	{ TEXT("token @ -> reject"), 1, 7, "expected @FILE|found '@'" },
	{ TEXT("token -> reject"), 1, 7, "expected @FILE|found '->'" },
	{ TEXT("token"), 1, 6, "expected @FILE" },
	{ TEXT("token @none -> reject"), 1, 7, "cannot read 'none': No such file" },
	{ TEXT("token @empty -> reject"), 1, 7, "'empty' is empty" },
	{ TEXT("token @lf -> reject"), 1, 7, "'lf' is empty" },
	{ TEXT("token @crlf -> reject"), 1, 7, "'crlf' is empty" },
	{ TEXT("token @two -> reject"), 1, 7, "more than one line" },
	{ TEXT("token @twice -> reject"), 1, 7, "more than one line" },
	{ TEXT("token @cr -> reject"), 1, 7, "more than one line" },
	{ TEXT("token @nul -> reject"), 1, 7, "NUL" },
	{ TEXT("token @long1025 -> reject"), 1, 7, "longer than 1024 bytes" },
	{ TEXT("any -> reject\n-> reject"), 2, 1, "no rule here: the one in line 1" },
	{ TEXT("sni a -> reject\n\n-> reject\n  sni b -> reject"), 4, 3, "line 3 takes every" },
	{ TEXT("any -> reject\ntoken @a -> reject"), 2, 1, "line 1 takes every" },
	{ TEXT("token @a -> reject\nany -> reject"), 2, 1, "expected a token rule: line 1" },
	{ TEXT("token @a -> reject\ntoken @bb -> reject\nsni a -> reject"), 3, 1,
	  "expected a token rule: line 1" },
	{ TEXT("token @a -> reject\nhost a -> reject"), 2, 1, "expected a token rule: line 1" },
	{ TEXT("accept-proxy"), 1, 13, "expected from, found the end of the line" },
	{ TEXT("accept-proxy 192.0.2.0/24"), 1, 14, "expected from, found '192.0.2.0/24'" },
	{ TEXT("accept-proxy from"), 1, 18, "a prefix|found the end of the line" },
	{ TEXT("accept-proxy from 192.0.2.1/24"), 1, 19, "zeros behind|found '192.0.2.1/24'" },
	{ TEXT("accept-proxy from 192.0.2.0/24, 10.0.0.0/8"), 1, 19, "found '192.0.2.0/24,'" },
	{ TEXT("accept-proxy from 192.0.2.0/24 x"), 1, 32, "a prefix|found 'x'" },
	{ TEXT("accept-proxy from 192.0.2.0/24:80"), 1, 19, "found '192.0.2.0/24:80'" },
	{ TEXT("proxy-destinations"), 1, 19, "PREFIX:PORT" },
	{ TEXT("any -> reject\n proxy-destinations 192.0.2.0/24\nproxy-destinations ::/0"), 2, 2,
	  "accept-proxy from|without it" },
	{ TEXT("\xef\xbb\xbf"
	       "any -> reject"),
	  1, 1, "byte order mark" },
	{ TEXT("any -> reject\n\xef\xbb\xbf"
	       "any"),
	  2, 1,
	  "'\\xef\\xbb\\xbf"
	  "any'" },
	{ TEXT("any -> reject\n# a\0b\n"), 2, 4, "control character (0x00)" },
	{ TEXT("any -> rej\0ect\n"), 1, 11, "control character (0x00)" },
	{ TEXT("any -> reject\r\r\n"), 1, 14, "control character (0x0d)" },
	{ TEXT("any\r-> reject\n"), 1, 4, "control character (0x0d)" },
	{ TEXT("any -> \x1b[31mreject\n"), 1, 8, "control character (0x1b)" },
	{ TEXT("any -> reject\x7f\n"), 1, 14, "control character (0x7f)" },
};

static bool says_all(const char *text, const char *parts)
{
	char copy[256], *rest = copy, *part;

	snprintf(copy, sizeof(copy), "%s", parts);
	while ((part = strsep(&rest, "|"))) {
		text = strstr(text, part);
		if (!text)
			return false;
		text += strlen(part);
	}
	return true;
}

static void test_errors(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		struct xf_routes_error error = { .line = 99 };
		struct xf_routes *routes = NULL;

		if (parse(errors[i].text, errors[i].len, &routes, &error) != -EINVAL)
			fail_msg("\"%s\" is no error", errors[i].text);
		assert_null(routes);
		if (error.line != errors[i].line || error.column != errors[i].column ||
		    !says_all(error.text, errors[i].says))
			fail_msg("\"%s\": %u:%u: %s", errors[i].text, error.line, error.column,
				 error.text);
		for (const char *at = error.text; *at; at++)
			assert_in_range(*at, ' ', '~');
	}
}

/* A word of any length is shown in part. */
static void test_long_word(void **state)
{
	struct xf_routes_error error;
	struct xf_routes *routes;
	char *text = malloc(100000);

	(void)state;
	memset(text, 0xfe, 100000);
	assert_int_equal(parse(text, 100000, &routes, &error), -EINVAL);
	assert_in_range(strlen(error.text), 60, 255);
	assert_non_null(strstr(error.text, "\\xfe...'"));
	memcpy(text, "sni ", 4);
	assert_int_equal(parse(text, 100000, &routes, &error), -EINVAL);
	assert_non_null(strstr(error.text, "\\xfe...'"));
	free(text);
}

/* The decision for what a client at @peer sent. For each prefix of it, it must be the same or MORE,
 * and never MORE when the client ended there. */
static struct xf_decision decide_from(const struct xf_routes *routes, const char *peer,
				      const char *data, size_t len)
{
	struct xf_decision all = { .kind = XF_DECIDE_MORE }, some;
	bool decided = false;
	struct xf_addr addr;

	assert_int_equal(xf_sockaddr_parse(peer, 0, &addr, NULL), 0);
	for (size_t n = 0; n <= len; n++) {
		uint8_t *copy = n ? malloc(n) : NULL; /* nothing came: there is no buffer yet */

		if (n)
			memcpy(copy, data, n);
		xf_routes__decide(routes, &addr, copy, n, true, &some);
		assert_int_not_equal(some.kind, XF_DECIDE_MORE);
		xf_routes__decide(routes, &addr, copy, n, false, &some);
		free(copy);
		assert_in_range(some.skip, 0, n);
		if (decided && (some.kind != all.kind || some.route != all.route ||
				some.skip != all.skip || some.has_proxy != all.has_proxy))
			fail_msg("%.*s: %d at %zu bytes, %d before", (int)len, data, some.kind, n,
				 all.kind);
		all = some;
		decided = some.kind != XF_DECIDE_MORE;
	}
	return all;
}

static struct xf_decision decide_ended(const struct xf_routes *routes, const char *peer,
				       const char *data, size_t len)
{
	struct xf_decision decision;
	struct xf_addr addr;

	assert_int_equal(xf_sockaddr_parse(peer, 0, &addr, NULL), 0);
	xf_routes__decide(routes, &addr, (const uint8_t *)data, len, true, &decision);
	return decision;
}

#define CLIENT "198.51.100.7:40000"

static const struct xf_route *route_of(const struct xf_routes *routes, const char *data, size_t len)
{
	return decide_from(routes, CLIENT, data, len).route;
}

#define GET(host) "GET / HTTP/1.1\r\nHost: " host "\r\n\r\n"

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
	struct xf_addr upstreams[2] = { { .len = 0 } };
	struct xf_decision decision;
	struct xf_routes *routes;

	(void)state;
	assert_int_equal(xf_sockaddr_parse("192.0.2.1:80", 1, &upstreams[0], NULL), 0);
	assert_int_equal(xf_sockaddr_parse("[::1]:80", 1, &upstreams[1], NULL), 0);
	assert_int_equal(xf_routes__single(&routes, upstreams, 2), 0);
	assert_ptr_equal(xf_routes__get(routes), routes);
	xf_routes__put(routes);
	assert_int_equal(xf_routes__upstreams(routes), 2);
	decision = decide_from(routes, CLIENT, "", 0);
	assert_int_equal(decision.kind, XF_DECIDE_ROUTE);
	assert_int_equal(decision.route->line, 0);
	assert_string_equal(decision.route->text, "any");
	assert_int_equal(decision.route->n_upstreams, 2);
	assert_true(xf_sockaddr_equal(&decision.route->upstreams[1], &upstreams[1]));
	assert_int_equal(decision.skip, 0);
	assert_false(decision.has_proxy);
	xf_routes__put(routes);
	xf_routes__put(NULL);
}

/* A ClientHello for a name of 13 bytes and of a type, made by hand. */
#define HELLO(type, name)                                                                          \
	"\x16\3\1\0\x45"                                                                           \
	"\1\0\0\x41"                                                                               \
	"\3\3"                                                                                     \
	"0123456789abcdef0123456789abcdef"                                                         \
	"\0\0\2\x13\1\1\0\0\x16\0\0\0\x12\0\x10" type "\0\x0d" name
#define HELLO_A HELLO("\0", "a.example.org")
#define HELLO_B HELLO("\0", "b.example.org")
#define HELLO_NONE HELLO("\1", "b.example.org")

struct choice {
	const char *what, *data;
	size_t len;
	enum xf_decision_kind kind;
	unsigned int line;
	size_t skip;
};

/* Each choice is made for the whole, at every shorter length, and when the client ends there. */
static void check_choices(const struct xf_routes *routes, const char *peer,
			  const struct choice *choices, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct xf_decision d = decide_from(routes, peer, choices[i].data, choices[i].len);
		unsigned int line = d.route ? d.route->line : 0;

		if (d.kind != choices[i].kind || line != choices[i].line ||
		    d.skip != choices[i].skip)
			fail_msg("%s: %d, line %u, %zu to skip", choices[i].what, d.kind, line,
				 d.skip);
	}
}

#define CHECK(routes, peer, choices) check_choices(routes, peer, choices, ARRAY_SIZE(choices))

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
		{ "no name", TEXT(HELLO_NONE), XF_DECIDE_NO_ROUTE, 0, 0 },
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

/* A rule that waits holds up the next; when the client ends, it does no more. */
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

		assert_int_equal(d.kind, XF_DECIDE_ROUTE);
		assert_int_equal(d.route->line, 3);
	}
	xf_routes__put(routes);
}

/* A server that speaks first: nothing is waited for. */
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
	/* Even where no rule needs a byte. */
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

/* Before any rule is looked at, and only for what is listed. */
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

/* Many rules: the arrays grow, and each rule keeps its upstreams. */
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
		cmocka_unit_test(test_errors),	      cmocka_unit_test(test_long_word),
		cmocka_unit_test(test_fields),	      cmocka_unit_test(test_single),
		cmocka_unit_test(test_names),	      cmocka_unit_test(test_order),
		cmocka_unit_test(test_unconditional), cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_proxy),	      cmocka_unit_test(test_proxy_addresses),
		cmocka_unit_test(test_destinations),  cmocka_unit_test(test_destinations_and_rules),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests_name("routes", tests, NULL, NULL);
}
