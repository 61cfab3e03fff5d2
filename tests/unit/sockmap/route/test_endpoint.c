// SPDX-License-Identifier: GPL-2.0-only
/* Addresses of UNIX sockets, and of listeners on all addresses. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sockmap/route/endpoint.h"

#define LONGEST                                                                                      \
	"unix:/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
	"xxxxxxxxxxxxxxxxxxxxxx"

static struct xf_addr parsed(const char *text)
{
	char *copy = strdup(text);
	struct xf_addr addr;

	assert_int_equal(xf_endpoint_parse_listen(copy, &addr, NULL), 0);
	free(copy);
	return addr;
}

static void test_texts(void **state)
{
	static const char *const texts[] = { "unix:/run/x.sock", "unix:@name", LONGEST };
	char out[XF_SOCKADDR_TEXT];
	struct xf_endpoint upstream;
	struct xf_addr addr;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		addr = parsed(texts[i]);
		assert_string_equal(xf_sockaddr_text(&addr, out), texts[i]);
		assert_int_equal(xf_sockaddr_port(&addr), 0);
		assert_int_equal(xf_endpoint_parse_upstream(texts[i], &upstream, NULL), 0);
		assert_null(upstream.host);
		assert_string_equal(xf_sockaddr_text(&upstream.addr, out), texts[i]);
	}
	assert_int_equal(xf_unix_named("", &addr), 0);
	assert_string_equal(xf_sockaddr_text(&addr, out), "unix:");
}

static void test_names(void **state)
{
	static const struct {
		const char *text, *host; /* NULL: refused */
		uint16_t port;
	} names[] = {
		{ "localhost:80", "localhost", 80 },
		{ "DB.Example.:65535", "db.example", 65535 },
		{ "a:1", "a", 1 },
		{ "1.example:1", "1.example", 1 },
		{ "x_y-z.0a:1", "x_y-z.0a", 1 },
		{ "localhost", NULL, 0 },
		{ "localhost:", NULL, 0 },
		{ "localhost:0", NULL, 0 },
		{ "localhost:http", NULL, 0 },
		{ "localhost:65536", NULL, 0 },
		{ "256.0.0.1:80", NULL, 0 },
		{ "1.2.3:80", NULL, 0 },
		{ "a.1:80", NULL, 0 },
		{ "a..b:80", NULL, 0 },
		{ "*.example:80", NULL, 0 },
		{ "b\xc3\xbc:80", NULL, 0 },
		{ "::1:80", NULL, 0 },
		{ "a:b:80", NULL, 0 },
		{ "[a]:80", NULL, 0 },
		{ ":80", NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct xf_endpoint upstream;
		const char *why = NULL;
		int err = xf_endpoint_parse_upstream(names[i].text, &upstream, &why);

		if (err != (names[i].host ? 0 : -EINVAL))
			fail_msg("%s: %d", names[i].text, err);
		if (err) {
			assert_non_null(why);
			continue;
		}
		assert_string_equal(upstream.host, names[i].host);
		assert_int_equal(upstream.port, names[i].port);
		assert_int_equal(upstream.addr.len, 0);
	}
}

static void test_equal(void **state)
{
	struct xf_addr a = parsed("unix:/a"), again = parsed("unix:/a"), b = parsed("unix:@a"),
		       in = parsed("127.0.0.1:1");
	struct xf_addr_prefix all;

	(void)state;
	assert_true(xf_sockaddr_equal(&a, &again));
	/* Tables look at the bytes. */
	assert_memory_equal(&a, &again, a.len);
	assert_false(xf_sockaddr_equal(&a, &b));
	assert_false(xf_sockaddr_equal(&a, &in));
	assert_false(xf_sockaddr_is_any(&a));
	assert_int_equal(xf_prefix_parse("0.0.0.0/0", false, &all, NULL), 0);
	assert_false(xf_prefix_has(&all, &a));
}

static void test_bad(void **state)
{
	static const char *const texts[] = {
		"unix:",       "unix:/",     "unix:@",	  "unix:x",    "unix:./x",
		"unix:/a b",   "unix:/a\tb", "unix:/a,b", "unix:/a\"", "unix:/a\\",
		"unix:/a\xc3", "unix:/a'b",  "UNIX:/a",	  LONGEST "x",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct xf_addr addr = { .len = 77 };
		struct xf_endpoint upstream;
		const char *why = NULL;

		if (xf_endpoint_parse_listen(texts[i], &addr, &why) != -EINVAL)
			fail_msg("\"%s\" is an address", texts[i]);
		assert_non_null(why);
		assert_int_equal(xf_endpoint_parse_upstream(texts[i], &upstream, NULL), -EINVAL);
		assert_int_equal(addr.len, 77);
	}
}

static void test_for_kernel(void **state)
{
	struct xf_addr file = parsed("unix:/a/b"), name = parsed("unix:@name"),
		       longest = parsed(LONGEST), in = parsed("192.0.2.1:80");
	const size_t path = offsetof(struct sockaddr_un, sun_path);
	struct sockaddr_un un;
	socklen_t len;

	(void)state;
	assert_ptr_equal(xf_endpoint_for_kernel(&file, &un, &len), &un);
	assert_int_equal(len, path + 5);
	assert_int_equal(un.sun_family, AF_UNIX);
	assert_string_equal(un.sun_path, "/a/b");
	xf_endpoint_for_kernel(&name, &un, &len);
	assert_int_equal(len, path + 5);
	assert_memory_equal(un.sun_path, "\0name", 5);
	xf_endpoint_for_kernel(&longest, &un, &len);
	assert_int_equal(len, sizeof(un));
	assert_int_equal(un.sun_path[107], '\0');
	assert_ptr_equal(xf_endpoint_for_kernel(&in, &un, &len), &in.sa);
	assert_int_equal(len, sizeof(in.in));
}

static void test_all_addresses(void **state)
{
	struct xf_addr addr = parsed(":443");
	const char *why;

	(void)state;
	assert_true(xf_sockaddr_is_any(&addr));
	assert_int_equal(xf_sockaddr_port(&addr), 443);
	assert_int_equal(xf_sockaddr_port(&(struct xf_addr) { .len = 0 }), 0);
	assert_int_equal(xf_endpoint_parse_listen(":", &addr, &why), -EINVAL);
	assert_int_equal(xf_endpoint_parse_listen(":65536", &addr, &why), -EINVAL);
	assert_int_equal(xf_endpoint_parse_listen("::1", &addr, &why), -EINVAL);
	addr = parsed("0.0.0.0:1");
	assert_true(xf_sockaddr_is_any(&addr));
	addr = parsed("[::1]:1");
	assert_false(xf_sockaddr_is_any(&addr));
}

static void test_unmap(void **state)
{
	struct xf_addr mapped = parsed("[::ffff:192.0.2.1]:80"), v6 = parsed("[2001:db8::1]:80");
	char out[XF_SOCKADDR_TEXT];

	(void)state;
	xf_sockaddr_unmap(&mapped);
	assert_string_equal(xf_sockaddr_text(&mapped, out), "192.0.2.1:80");
	xf_sockaddr_unmap(&v6);
	assert_string_equal(xf_sockaddr_text(&v6, out), "[2001:db8::1]:80");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts), cmocka_unit_test(test_equal),
		cmocka_unit_test(test_bad),   cmocka_unit_test(test_for_kernel),
		cmocka_unit_test(test_names), cmocka_unit_test(test_all_addresses),
		cmocka_unit_test(test_unmap),
	};

	return cmocka_run_group_tests_name("endpoint", tests, NULL, NULL);
}
