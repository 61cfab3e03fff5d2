// SPDX-License-Identifier: GPL-2.0-only
/* Strings of bounded size: texts that fit, texts that are cut, and lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/strbuf.h"

static void appends_and_cuts(void **state)
{
	struct xf_strbuf buf = XF_STRBUF(8);

	(void)state;
	assert_string_equal(buf.at, "");
	xf_strbuf__add(&buf, "%s-%d", "ab", 1);
	assert_string_equal(buf.at, "ab-1");
	assert_int_equal(buf.len, 4);
	xf_strbuf__add(&buf, "%s", "2345");
	assert_string_equal(buf.at, "ab-1234");
	assert_int_equal(buf.len, 7);
	xf_strbuf__add(&buf, "6");
	assert_string_equal(buf.at, "ab-1234");
	assert_int_equal(buf.len, 7);
}

static void joins_a_list(void **state)
{
	static const struct {
		const char *list[4], *joined;
	} rows[] = {
		{ { NULL }, "" },
		{ { "a", NULL }, "a" },
		{ { "a", "b", NULL }, "a or b" },
		{ { "a", "b", "c", NULL }, "a, b or c" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct xf_strbuf buf = XF_STRBUF(32);

		xf_strbuf__add_list(&buf, rows[i].list, ", ", " or ");
		assert_string_equal(buf.at, rows[i].joined);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends_and_cuts),
		cmocka_unit_test(joins_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
