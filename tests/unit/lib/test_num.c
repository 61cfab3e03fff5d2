// SPDX-License-Identifier: GPL-2.0-only
/* Strict numbers: accepted, malformed, and out of range. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/num.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define UNTOUCHED 4711
#define S 1000000000ull

typedef int (*parse_fn)(const char *s, uint64_t min, uint64_t max, uint64_t *val);

struct row {
	const char *name;
	const char *text;
	uint64_t min, max;
	int err;
	uint64_t val;
};

static const struct row numbers[] = {
	{ "zero", "0", 0, 10, 0, 0 },
	{ "one digit", "7", 0, 10, 0, 7 },
	{ "leading zeros are decimal", "0010", 0, 10, 0, 10 },
	{ "the smallest", "5", 5, 10, 0, 5 },
	{ "the largest", "10", 5, 10, 0, 10 },
	{ "below the range", "4", 5, 10, -ERANGE, 0 },
	{ "above the range", "11", 5, 10, -ERANGE, 0 },
	{ "all of 64 bits", "18446744073709551615", 0, UINT64_MAX, 0, UINT64_MAX },
	{ "one more than 64 bits", "18446744073709551616", 0, UINT64_MAX, -ERANGE, 0 },
	{ "ten times too large", "184467440737095516150", 0, UINT64_MAX, -ERANGE, 0 },
	{ "too large, and letters", "99999999999999999999x", 0, UINT64_MAX, -EINVAL, 0 },
	{ "letters behind", "80abc", 0, 100, -EINVAL, 0 },
	{ "letters", "abc", 0, 100, -EINVAL, 0 },
	{ "hexadecimal", "0x10", 0, 100, -EINVAL, 0 },
	{ "empty", "", 0, 100, -EINVAL, 0 },
	{ "negative", "-1", 0, UINT64_MAX, -EINVAL, 0 },
	{ "plus sign", "+1", 0, 100, -EINVAL, 0 },
	{ "space in front", " 1", 0, 100, -EINVAL, 0 },
	{ "space behind", "1 ", 0, 100, -EINVAL, 0 },
	{ "newline behind", "1\n", 0, 100, -EINVAL, 0 },
	{ "decimals", "1.5", 0, 100, -EINVAL, 0 },
	{ "suffix", "1K", 0, 10000, -EINVAL, 0 },
};

static const struct row sizes[] = {
	{ "bytes", "4095", 0, UINT64_MAX, 0, 4095 },
	{ "kibibytes", "3K", 0, UINT64_MAX, 0, 3072 },
	{ "kibibytes, lower case", "3k", 0, UINT64_MAX, 0, 3072 },
	{ "mebibytes", "2M", 0, UINT64_MAX, 0, 2 << 20 },
	{ "mebibytes, lower case", "2m", 0, UINT64_MAX, 0, 2 << 20 },
	{ "gibibytes", "8G", 0, UINT64_MAX, 0, 8ull << 30 },
	{ "gibibytes, lower case", "8g", 0, UINT64_MAX, 0, 8ull << 30 },
	{ "the range is in bytes", "2K", 0, 2047, -ERANGE, 0 },
	{ "too small", "1K", 1025, UINT64_MAX, -ERANGE, 0 },
	{ "the largest with a suffix", "17179869183G", 0, UINT64_MAX, 0, 17179869183ull << 30 },
	{ "overflow by the suffix", "17179869184G", 0, UINT64_MAX, -ERANGE, 0 },
	{ "overflow of the digits", "18446744073709551616", 0, UINT64_MAX, -ERANGE, 0 },
	{ "overflow, then two suffixes", "18446744073709551616KB", 0, UINT64_MAX, -EINVAL, 0 },
	{ "two suffixes", "1KB", 0, UINT64_MAX, -EINVAL, 0 },
	{ "unknown suffix", "1T", 0, UINT64_MAX, -EINVAL, 0 },
	{ "only a suffix", "K", 0, UINT64_MAX, -EINVAL, 0 },
	{ "decimals", "1.5M", 0, UINT64_MAX, -EINVAL, 0 },
	{ "space before the suffix", "1 K", 0, UINT64_MAX, -EINVAL, 0 },
	{ "empty", "", 0, UINT64_MAX, -EINVAL, 0 },
	{ "negative", "-1K", 0, UINT64_MAX, -EINVAL, 0 },
};

static const struct row seconds[] = {
	{ "whole", "2", 0, UINT64_MAX, 0, 2 * S },
	{ "half", "0.5", 0, UINT64_MAX, 0, S / 2 },
	{ "nine decimals", "1.000000001", 0, UINT64_MAX, 0, S + 1 },
	{ "zeros at the end", "1.250000000", 0, UINT64_MAX, 0, S + S / 4 },
	{ "ten decimals", "1.0000000001", 0, UINT64_MAX, -EINVAL, 0 },
	{ "point without decimals", "1.", 0, UINT64_MAX, -EINVAL, 0 },
	{ "decimals without a number", ".5", 0, UINT64_MAX, -EINVAL, 0 },
	{ "two points", "1.5.5", 0, UINT64_MAX, -EINVAL, 0 },
	{ "comma", "1,5", 0, UINT64_MAX, -EINVAL, 0 },
	{ "letters behind", "1.5s", 0, UINT64_MAX, -EINVAL, 0 },
	{ "letters instead of decimals", "1.x", 0, UINT64_MAX, -EINVAL, 0 },
	{ "exponent", "1e3", 0, UINT64_MAX, -EINVAL, 0 },
	{ "sign in the decimals", "1.-5", 0, UINT64_MAX, -EINVAL, 0 },
	{ "zero below the range", "0", 1, UINT64_MAX, -ERANGE, 0 },
	{ "the range is in nanoseconds", "0.000000001", 1, 1, 0, 1 },
	{ "the largest", "18446744073.709551615", 0, UINT64_MAX, 0, UINT64_MAX },
	{ "a nanosecond too many", "18446744073.709551616", 0, UINT64_MAX, -ERANGE, 0 },
	{ "a second too many", "18446744074", 0, UINT64_MAX, -ERANGE, 0 },
	{ "more than 64 bits of seconds", "99999999999999999999.5", 0, UINT64_MAX, -ERANGE, 0 },
	{ "more than 64 bits, bad decimals", "99999999999999999999.x", 0, UINT64_MAX, -EINVAL, 0 },
	{ "empty", "", 0, UINT64_MAX, -EINVAL, 0 },
	{ "negative", "-1", 0, UINT64_MAX, -EINVAL, 0 },
};

static void check_rows(parse_fn parse, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t val = UNTOUCHED, want = rows[i].err ? UNTOUCHED : rows[i].val;
		int err = parse(rows[i].text, rows[i].min, rows[i].max, &val);

		if (err != rows[i].err || val != want)
			fail_msg("%s: \"%s\" gave %d and %llu", rows[i].name, rows[i].text, err,
				 (unsigned long long)val);
	}
}

static void test_numbers(void **state)
{
	(void)state;
	check_rows(xf_num_parse, numbers, ARRAY_SIZE(numbers));
}

static void test_sizes(void **state)
{
	(void)state;
	check_rows(xf_size_parse, sizes, ARRAY_SIZE(sizes));
}

static void test_seconds(void **state)
{
	(void)state;
	check_rows(xf_seconds_parse, seconds, ARRAY_SIZE(seconds));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_seconds),
	};

	return cmocka_run_group_tests_name("num", tests, NULL, NULL);
}
