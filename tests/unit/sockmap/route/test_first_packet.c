// SPDX-License-Identifier: GPL-2.0-only
/* The token at the beginning of the first packet. */
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

static void ask_token(const uint8_t *data, size_t len, const void *arg, struct said *said)
{
	char *secret = strdup(arg);

	said->answer =
	    xf_first_token(data, len, (const uint8_t *)secret, strlen(secret), &said->skip);
	if (said->answer != XF_FIRST_YES)
		said->skip = 0;
	free(secret);
}

static void test_token(void **state)
{
	static const struct {
		const char *what, *secret, *data;
		size_t len;
		enum xf_first answer;
		size_t skip, needed;
	} rows[] = {
		{ "right", "secret", TEXT("secret\nabc"), XF_FIRST_YES, 7, 7 },
		{ "right, CR LF", "secret", TEXT("secret\r\nabc"), XF_FIRST_YES, 8, 8 },
		{ "one byte", "x", TEXT("x\n"), XF_FIRST_YES, 2, 2 },
		{ "not yet", "secret", TEXT("secret"), XF_FIRST_MORE, 0, 6 },
		{ "not yet, CR", "secret", TEXT("secret\r"), XF_FIRST_MORE, 0, 7 },
		{ "wrong, but not yet", "secret", TEXT("xxxxxx"), XF_FIRST_MORE, 0, 6 },
		{ "the first is wrong", "secret", TEXT("Xecret\n"), XF_FIRST_NO, 0, 7 },
		{ "the last is wrong", "secret", TEXT("secreT\n"), XF_FIRST_NO, 0, 7 },
		{ "too short", "secret", TEXT("secre\n"), XF_FIRST_NO, 0, 6 },
		{ "too long", "secret", TEXT("secrets\n"), XF_FIRST_NO, 0, 7 },
		{ "endless", "secret", TEXT("xxxxxxxxxxxxxxxxxxxxxx"), XF_FIRST_NO, 0, 7 },
		{ "empty", "secret", TEXT("\nsecret\n"), XF_FIRST_NO, 0, 1 },
		{ "CR twice", "secret", TEXT("secret\r\r\n"), XF_FIRST_NO, 0, 8 },
		{ "CR alone", "secret", TEXT("secret\rx\n"), XF_FIRST_NO, 0, 8 },
		{ "a space behind", "secret", TEXT("secret \n"), XF_FIRST_NO, 0, 7 },
		{ "NUL", "secret", TEXT("secret\0\n"), XF_FIRST_NO, 0, 7 },
		{ "NUL in place of the end", "secret", TEXT("sec\0et\n"), XF_FIRST_NO, 0, 7 },
	};
	size_t needed;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct said said =
		    ask_prefixes(rows[i].what, ask_token, (const uint8_t *)rows[i].data,
				 rows[i].len, rows[i].secret, &needed);

		if (said.answer != rows[i].answer || said.skip != rows[i].skip ||
		    needed != rows[i].needed)
			fail_msg("%s: %d, %zu to skip, after %zu", rows[i].what, said.answer,
				 said.skip, needed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_token),
	};

	return cmocka_run_group_tests_name("first_packet", tests, NULL, NULL);
}
