// SPDX-License-Identifier: GPL-2.0-only
/* The suggestion for a misspelt word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/opt.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static void test_nearest(void **state)
{
	static const char *const names[] = { "log", "follow", "status", "unload", "forward", NULL };
	static const struct {
		const char *word, *want;
	} rows[] = {
		{ "lgo", "log" },
		{ "lo", "log" },
		{ "logs", "log" },
		{ "log", "log" },
		{ "folow", "follow" },
		{ "folwo", NULL },
		{ "fllwo", NULL },
		{ "followw", "follow" },
		{ "statsu", "status" },
		{ "stats", "status" },
		{ "unlaod", "unload" },
		{ "forwrd", "forward" },
		{ "fxrwxrd", "forward" },
		{ "fxxwxrd", NULL },
		{ "", NULL },
		{ "x", NULL },
		{ "a-word-that-is-longer-than-any-option-could-ever-be", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *got = xf_nearest(rows[i].word, names);

		if (got != rows[i].want && (!got || !rows[i].want || strcmp(got, rows[i].want)))
			fail_msg("\"%s\": \"%s\"", rows[i].word, got ? got : "(none)");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nearest),
	};

	return cmocka_run_group_tests_name("nearest", tests, NULL, NULL);
}
