// SPDX-License-Identifier: GPL-2.0-only
/* The errors of a routes file: their line, their column and their text. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/sockmap/route/routes_fixture.h"

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
	{ TEXT("foo -> 192.0.2.1:80"), 1, 1,
	  "expected sni, host, alpn, token, any, ->|found 'foo'" },
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
	{ TEXT("-> 192.0.2.1:80,example.org"), 1, 17, "found 'example.org'" },
	{ TEXT("-> 192.0.2.1:80,example..org:80"), 1, 17, "found 'example..org:80'" },
	{ TEXT("-> 192.0.2.1:80, 192.0.2.2:80"), 1, 17, "expected ADDR:PORT" },
	{ TEXT("-> 192.0.2.1:80 192.0.2.2:80"), 1, 17, "end of the line, found '192.0.2.2:80'" },
	{ TEXT("-> 2001:db8::1:80"), 1, 4, "brackets" },
	{ TEXT(
	      "-> 192.0.2.1:x0000000000000000000000000000000000000000000000000000000000000000000000"
	      "0000000000000000000000000000000000000000000000000000000000000000000000000000000008"
	      "0"),
	  1, 4, "expected a port|found '192.0.2.1:x00|...'" },
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
	{ TEXT("alpn"), 1, 5, "expected the name of a protocol|end of the line" },
	{ TEXT("alpn -> reject"), 1, 6, "expected the name of a protocol|found '->'" },
	{ TEXT("alpn h2,h3 -> reject"), 1, 6, "expected the name of a protocol|found 'h2,h3'" },
	{ TEXT("alpn h\xc3 -> reject"), 1, 6, "expected the name of a protocol" },
	{ TEXT("sni a -> reject\n sni A. -> reject"), 2, 2, "line 1 takes every|line 2 is for" },
	{ TEXT("host *.b -> reject\nsni *.b -> reject\nhost c.a.b -> reject"), 3, 1,
	  "line 1 takes every|line 3 is for" },
	{ TEXT("sni *.b -> reject\nsni *.a.b -> reject"), 2, 1, "line 1 takes every" },
	{ TEXT("sni *.b -> reject\nsni *.b -> reject"), 2, 1, "line 1 takes every" },
	{ TEXT("host ::1 -> reject\nhost [0::1] -> reject"), 2, 1, "line 1 takes every" },
	{ TEXT("alpn h2 -> reject\nalpn h2 -> reject"), 2, 1, "line 1 takes every" },
	{ TEXT("token @a -> reject\ntoken @bb -> reject\ntoken @plain -> reject"), 3, 1,
	  "line 1 takes every" },
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

/* An error shows a part of a long word. */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_long_word),
	};

	return cmocka_run_group_tests_name("routes_errors", tests, NULL, NULL);
}
