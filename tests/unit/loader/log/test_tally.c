// SPDX-License-Identifier: GPL-2.0-only
/* The counters of an interface: each packet counts once, and the sum equals seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "loader/log/tally.h"

static void test_example(void **state)
{
	const struct xf_counters base = { 10, 20, 30, 40, 50, 60 };
	const struct xf_counters now = {
		.submitted = 10 + 996,
		.lost = 20 + 1,
		.unread = 30 + 2,
		.filtered = 40 + 3,
		.sampled_out = 50 + 4,
		.rate_limited = 60 + 5,
	};
	const struct xf_line_counts taken = { .logged = 985, .lost = 8, .unread = 3 };
	struct xf_tally tally;
	char text[256];

	(void)state;
	xf_tally_make(&tally, &base, &now, &taken);
	assert_string_equal(
	    xf_tally_text(text, sizeof(text), "eth0", &tally),
	    "eth0: seen 1011, logged 985, filtered 3, sampled out 4, rate limited 5, "
	    "lost 9, unread 5");
}

/* Counts from before this reader began do not count. */
static void test_nothing_happened(void **state)
{
	const struct xf_counters counters = { 1, 2, 3, 4, 5, 6 };
	const struct xf_line_counts taken = { 0 };
	struct xf_tally tally;

	(void)state;
	xf_tally_make(&tally, &counters, &counters, &taken);
	assert_int_equal(tally.seen, 0);
	assert_int_equal(tally.lost + tally.unread + tally.filtered, 0);
	assert_int_equal(tally.sampled_out + tally.rate_limited, 0);
}

/* An interface that was there three times, each time with another program. */
static void test_programs_add_up(void **state)
{
	const struct xf_counters base = { 10, 20, 30, 40, 50, 60 };
	const struct xf_counters now = { 11, 22, 33, 44, 55, 66 };
	struct xf_counters sum = { 100, 100, 100, 100, 100, 100 };

	(void)state;
	xf_counters_add(&sum, &base, &now);
	xf_counters_add(&sum, &now, &now);
	xf_counters_add(&sum, &base, &now);
	assert_int_equal(sum.submitted, 102);
	assert_int_equal(sum.lost, 104);
	assert_int_equal(sum.unread, 106);
	assert_int_equal(sum.filtered, 108);
	assert_int_equal(sum.sampled_out, 110);
	assert_int_equal(sum.rate_limited, 112);
}

/* Records that were read against those that the kernel submitted. */
static void test_check(void **state)
{
	static const struct {
		const char *name;
		uint64_t submitted, own, left; /* given to xf_tally_check() */
		uint64_t logged, seen;
		bool exact;
	} rows[] = {
		{ "all read", 100, 100, 0, 100, 105, true },
		{ "none", 0, 0, 0, 0, 5, true },
		{ "one is missing", 100, 99, 0, 99, 105, false },
		{ "one was read twice", 100, 101, 0, 101, 105, false },
		{ "a dead reader left some", 100, 100, 7, 107, 112, true },
		{ "some went to the old rings while ours came", 100, 96, 7, 103, 108, true },
		{ "one of those is missing", 100, 92, 7, 99, 105, false },
		{ "more of ours than were submitted", 100, 101, 7, 108, 105, false },
		{ "read, but in no line", 100, 100, 0, 99, 105, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct xf_counters none = { 0 }, now = { .submitted = rows[i].submitted,
							       .filtered = 2,
							       .lost = 3 };
		const struct xf_line_counts taken = { .logged = rows[i].logged };
		struct xf_tally tally;
		bool exact;

		xf_tally_make(&tally, &none, &now, &taken);
		exact =
		    xf_tally_check(&tally, &taken, rows[i].submitted, rows[i].own, rows[i].left);
		if (exact != rows[i].exact || tally.seen != rows[i].seen)
			fail_msg("%s: %d, seen %d", rows[i].name, exact, (int)tally.seen);
		assert_int_equal(exact, tally.seen == xf_tally_sum(&tally));
	}
}

static uint64_t any(void)
{
	return (uint64_t)random() << 20 ^ random();
}

static void test_the_sum_is_exact(void **state)
{
	(void)state;
	srandom(1);
	for (int i = 0; i < 10000; i++) {
		struct xf_counters base = { any(), any(), any(), any(), any(), any() }, now = base;
		struct xf_line_counts taken = { any(), any(), any() };
		struct xf_tally t;
		uint64_t seen;

		now.submitted += taken.logged + taken.lost + taken.unread;
		now.lost += any();
		now.unread += any();
		now.filtered += any();
		now.sampled_out += any();
		now.rate_limited += any();
		seen = now.submitted - base.submitted + now.lost - base.lost + now.unread -
		       base.unread + now.filtered - base.filtered + now.sampled_out -
		       base.sampled_out + now.rate_limited - base.rate_limited;
		xf_tally_make(&t, &base, &now, &taken);
		assert_int_equal(t.seen, seen);
		assert_int_equal(t.logged + t.filtered + t.sampled_out + t.rate_limited + t.lost +
				     t.unread,
				 seen);
	}
}

static void test_cut_to_size(void **state)
{
	const struct xf_tally tally = { .seen = UINT64_MAX, .logged = UINT64_MAX };
	char *text = malloc(16);

	(void)state;
	assert_string_equal(xf_tally_text(text, 16, "eth0", &tally), "eth0: seen 1844");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_example),		 cmocka_unit_test(test_nothing_happened),
		cmocka_unit_test(test_programs_add_up),	 cmocka_unit_test(test_check),
		cmocka_unit_test(test_the_sum_is_exact), cmocka_unit_test(test_cut_to_size),
	};

	return cmocka_run_group_tests_name("tally", tests, NULL, NULL);
}
