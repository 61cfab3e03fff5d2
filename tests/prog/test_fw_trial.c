// SPDX-License-Identifier: GPL-2.0-only
/* Trials of a rule set: they end by themselves, or are confirmed. */
#include <errno.h>
#include <linux/bpf.h>
#include <unistd.h>

#include "tests/prog/fw.h"
#include "tests/prog/harness.h"

#define SECOND 1000000000ull

/* The first change, which should be quick, does not make them. */
static void a_trial_has_its_tables_from_its_begin(void **state)
{
	const struct xf_fw *fw = *state;
	struct xf_rule rule = xf_fw_from4(10, 1, 2, 3, 32, true);
	uint64_t now = xf_boot_ns(), before, tried;

	assert_int_equal(xf_table__add(fw->table, &rule, now), 0);
	before = xf_fw_memory(fw);
	assert_int_equal(xf_table__try(fw->table, false, now + 100 * SECOND), 0);
	tried = xf_fw_memory(fw);
	assert_true(tried > before);
	assert_int_equal(xf_table__del(fw->table, &rule, now), 0);
	assert_int_equal(xf_fw_memory(fw), tried);
	assert_int_equal(xf_table__confirm(fw->table, now), 0);
	assert_int_equal(xf_fw_memory(fw), before);
	assert_int_equal(xf_fw_rules(fw), 0);
}

/* The program goes back by itself; the table follows when it is used next. */
static void a_trial_ends_by_itself(void **state)
{
	const struct xf_fw *fw = *state;
	struct xf_rule old = xf_fw_from4(10, 1, 2, 3, 32, true),
		       new = xf_fw_from4(10, 1, 2, 4, 32, true);
	uint64_t now = xf_boot_ns(), deadline = now + 3600 * SECOND;

	assert_int_equal(xf_table__add(fw->table, &old, now), 0);
	assert_int_equal(xf_table__try(fw->table, false, deadline), 0);
	assert_int_equal(xf_table__try(fw->table, false, deadline), -EBUSY);
	assert_int_equal(xf_table__trial(fw->table, now), deadline);
	assert_int_equal(xf_table__set_policy(fw->table, true), 0);
	assert_int_equal(xf_fw_verdict_on(fw, 9), XDP_DROP);
	assert_int_equal(xf_table__add(fw->table, &new, now), 0);
	assert_int_equal(xf_table__del(fw->table, &old, now), 0);
	assert_int_equal(xf_table__set_policy(fw->table, false), 0);
	assert_int_equal(xf_fw_verdict_on(fw, 3), XDP_PASS);
	assert_int_equal(xf_fw_verdict_on(fw, 4), XDP_DROP);
	assert_int_equal(xf_fw_verdict_on(fw, 9), XDP_PASS);
	xf_table__put_off(fw->table, xf_boot_ns() + SECOND / 10);
	usleep(110000);
	assert_int_equal(xf_fw_verdict_on(fw, 3), XDP_DROP);
	assert_int_equal(xf_fw_verdict_on(fw, 4), XDP_PASS);
	assert_int_equal(xf_table__trial(fw->table, xf_boot_ns()), 0);
	assert_int_equal(xf_table__confirm(fw->table, xf_boot_ns()), -ETIME);
	assert_int_equal(xf_table__confirm(fw->table, xf_boot_ns()), -ENOENT);
	assert_int_equal(xf_fw_rules(fw), 1);
	assert_int_equal(xf_fw_entry(fw, old).packets, 1);
	assert_int_equal(xf_fw_verdict_on(fw, 3), XDP_DROP);
}

/* Attaching may take longer than the trial. */
static void a_trial_is_put_off(void **state)
{
	const struct xf_fw *fw = *state;
	struct xf_rule rule = xf_fw_from4(10, 1, 2, 3, 32, true);
	uint64_t now = xf_boot_ns();

	assert_int_equal(xf_table__try_first(fw->table, now + 1), 0);
	assert_int_equal(xf_table__add(fw->table, &rule, now), 0);
	assert_int_equal(xf_fw_verdict_on(fw, 3), XDP_PASS);
	xf_table__put_off(fw->table, xf_boot_ns() + 100 * SECOND);
	assert_int_equal(xf_fw_verdict_on(fw, 3), XDP_DROP);
	assert_int_equal(xf_table__confirm(fw->table, xf_boot_ns()), 0);
	xf_table__put_off(fw->table, 1); /* none is running */
	assert_int_equal(xf_fw_verdict_on(fw, 3), XDP_DROP);
}

/* Copying the rules may take longer than the trial, too: the fallback does not get the trial's
 * policy. */
static void a_trial_that_is_over_at_once(void **state)
{
	const struct xf_fw *fw = *state;
	struct xf_rule rule = xf_fw_from4(10, 1, 2, 3, 32, true);

	assert_int_equal(xf_table__add(fw->table, &rule, xf_boot_ns()), 0);
	assert_int_equal(xf_table__try(fw->table, true, xf_boot_ns() + 1), 0);
	assert_int_equal(xf_fw_verdict_on(fw, 9), XDP_PASS);
	xf_table__put_off(fw->table, xf_boot_ns() + 3600 * SECOND);
	assert_int_equal(xf_fw_verdict_on(fw, 9), XDP_DROP);
	xf_table__put_off(fw->table, xf_boot_ns() + SECOND / 10);
	usleep(110000);
	assert_int_equal(xf_fw_verdict_on(fw, 9), XDP_PASS);
	assert_int_equal(xf_fw_rules(fw), 1);
	assert_int_equal(xf_fw_verdict_on(fw, 9), XDP_PASS);
	assert_false(xf_table__denies(fw->table));
	assert_int_equal(xf_fw_verdict_on(fw, 3), XDP_DROP);
}

static void a_confirmed_trial_stays(void **state)
{
	const struct xf_fw *fw = *state;
	struct xf_rule rule = xf_fw_from4(10, 1, 2, 5, 32, false);
	uint64_t now = xf_boot_ns(), deadline;
	struct xf_build *build;

	assert_int_equal(xf_table__try(fw->table, false, now + 3600 * SECOND), 0);
	assert_int_equal(xf_build__begin(&build, fw->table, 1), 0);
	assert_int_equal(xf_build__add(build, &rule, now), 0);
	assert_int_equal(xf_build__commit(build), 0);
	assert_int_equal(xf_table__set_policy(fw->table, true), 0);
	deadline = xf_boot_ns() + SECOND;
	xf_table__put_off(fw->table, deadline);
	assert_int_equal(xf_table__confirm(fw->table, deadline - SECOND), 0);
	while (xf_boot_ns() <= deadline)
		usleep(10000);
	assert_int_equal(xf_fw_verdict_on(fw, 5), XDP_PASS);
	assert_int_equal(xf_fw_verdict_on(fw, 6), XDP_DROP);
	assert_int_equal(xf_fw_rules(fw), 1);
}

#define on_empty_set(test) cmocka_unit_test_setup_teardown(test, xf_fw_set_up, xf_fw_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_empty_set(a_trial_ends_by_itself),
		on_empty_set(a_trial_has_its_tables_from_its_begin),
		on_empty_set(a_trial_is_put_off),
		on_empty_set(a_trial_that_is_over_at_once),
		on_empty_set(a_confirmed_trial_stays),
	};
	const char *why = xf_harness_refusal();

	if (why)
		return xf_skip_all(why);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
