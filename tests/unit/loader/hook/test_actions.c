// SPDX-License-Identifier: GPL-2.0-only
/* Lists of XDP actions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "loader/hook/actions.h"

static const struct {
	const char *text;
	int err;
	unsigned int set;
	const char *out;
} cases[] = {
	{ "XDP_PASS", 0, 1 << 2, "XDP_PASS" },
	{ "pass", 0, 1 << 2, "XDP_PASS" },
	{ "XDP_PASS,XDP_TX", 0, 1 << 2 | 1 << 3, "XDP_PASS,XDP_TX" },
	{ "redirect,XDP_pass,aborted,drop", 0, 1 << 4 | 1 << 2 | 1 << 0 | 1 << 1,
	  "XDP_ABORTED,XDP_DROP,XDP_PASS,XDP_REDIRECT" },
	{ "XDP_PASS,XDP_PASS", 0, 1 << 2, "XDP_PASS" },
	{ "XDP_DROP", -EINVAL, 0, "" },
	{ "", -EINVAL, 0, "" },
	{ "XDP_PASS,", -EINVAL, 0, "" },
	{ ",XDP_PASS", -EINVAL, 0, "" },
	{ "XDP_PAS", -EINVAL, 0, "" },
	{ "XDP_PASSX", -EINVAL, 0, "" },
	{ "XDP_PASS XDP_TX", -EINVAL, 0, "" },
};

static void list_is_parsed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned int set = 0;
		char out[128];

		print_message("%s\n", cases[i].text);
		assert_int_equal(xf_actions_parse(cases[i].text, &set), cases[i].err);
		assert_int_equal(set, cases[i].set);
		assert_string_equal(xf_actions_text(out, sizeof(out), set), cases[i].out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(list_is_parsed),
	};

	return cmocka_run_group_tests_name("actions", tests, NULL, NULL);
}
