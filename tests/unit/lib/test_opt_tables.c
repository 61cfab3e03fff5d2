// SPDX-License-Identifier: GPL-2.0-only
/* Tables of options within tables, over structs within structs. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/opt.h"
#include "tests/unit/capture.h"

struct inner {
	int filler;
	int verbose;
	bool stats_seen;
	uint32_t stats;
};

struct outer {
	int verbose; /* where it would go without the table's offset */
	struct {
		int filler;
		struct inner inner;
		bool force;
	} middle;
	bool last;
};

static const struct xf_opt inner_opts[] = {
	{ .name = "verbose",
	  .short_name = 'v',
	  .type = XF_OPT_COUNT,
	  .offset = offsetof(struct inner, verbose),
	  .help = "say more" },
	{ .name = "stats",
	  .type = XF_OPT_U32,
	  .offset = offsetof(struct inner, stats),
	  .seen_offset = offsetof(struct inner, stats_seen),
	  .help = "now and then" },
	{ .type = XF_OPT_END },
};

static const struct xf_opt middle_opts[] = {
	{ .type = XF_OPT_TABLE,
	  .table = inner_opts,
	  .offset = offsetof(struct outer, middle.inner) - offsetof(struct outer, middle) },
	{ .name = "force",
	  .short_name = 'f',
	  .type = XF_OPT_FLAG,
	  .offset = offsetof(struct outer, middle.force) - offsetof(struct outer, middle),
	  .help = "overwrite" },
	{ .type = XF_OPT_END },
};

static const struct xf_opt outer_opts[] = {
	{ .type = XF_OPT_TABLE, .table = middle_opts, .offset = offsetof(struct outer, middle) },
	{ .name = "last",
	  .short_name = 'l',
	  .type = XF_OPT_FLAG,
	  .offset = offsetof(struct outer, last),
	  .help = "the last one" },
	{ .type = XF_OPT_END },
};

static void test_tables(void **state)
{
	char *argv[] = { "load", "-vfvl", "--verbose", "--stats", "7", NULL };
	struct outer args = {};
	struct capture cap;
	struct xf_rest rest;

	(void)state;
	assert_int_equal(xf_opts_parse(outer_opts, 5, argv, &args, &rest), 0);
	assert_int_equal(args.verbose, 0);
	assert_int_equal(args.middle.inner.verbose, 3);
	assert_int_equal(args.middle.inner.stats, 7);
	assert_true(args.middle.inner.stats_seen);
	assert_true(args.middle.force);
	assert_true(args.last);
	argv[1] = argv[3];
	argv[2] = argv[4];
	capture_begin(&cap);
	assert_int_equal(xf_opts_parse(outer_opts, 5, argv, &args, &rest), -EINVAL);
	assert_non_null(strstr(capture_end(&cap), "--stats is given twice"));
	argv[1] = "--versose";
	capture_begin(&cap);
	assert_int_equal(xf_opts_parse(outer_opts, 2, argv, &args, &rest), -EINVAL);
	assert_non_null(strstr(capture_end(&cap), "did you mean --verbose?"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
	};

	return cmocka_run_group_tests_name("opt_tables", tests, NULL, NULL);
}
