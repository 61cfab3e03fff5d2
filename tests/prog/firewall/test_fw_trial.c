// SPDX-License-Identifier: GPL-2.0-only
/* Trials of a rule set end by themselves, or are confirmed. */
#include <errno.h>
#include <linux/bpf.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/prog/firewall/fw.h"
#include "tests/prog/harness.h"
#include "tests/prog/worker.h"

#define SECOND 1000000000ull

/* The first change, which should be quick, does not make them. */
static void a_trial_has_its_tables_from_its_begin(void **state)
{
	const struct xf_fw *fw = *state;
	struct xf_rule rule = xf_fw_from4(10, 1, 2, 3, 32, true);
	uint64_t now = xf_boot_ns(), before, tried;

	assert_int_equal(xf_ruleset__add(fw->ruleset, &rule, now), 0);
	before = xf_fw_memory(fw);
	assert_int_equal(xf_ruleset__try(fw->ruleset, false, now + 100 * SECOND), 0);
	tried = xf_fw_memory(fw);
	assert_true(tried > before);
	assert_int_equal(xf_ruleset__del(fw->ruleset, &rule, now), 0);
	assert_int_equal(xf_fw_memory(fw), tried);
	assert_int_equal(xf_ruleset__confirm(fw->ruleset, now), 0);
	assert_int_equal(xf_fw_memory(fw), before);
	assert_int_equal(xf_fw_rules(fw), 0);
}

/* The program goes back by itself, and the table with its next use. */
static void a_trial_ends_by_itself(void **state)
{
	const struct xf_fw *fw = *state;
	struct xf_rule old = xf_fw_from4(10, 1, 2, 3, 32, true),
		       new = xf_fw_from4(10, 1, 2, 4, 32, true);
	uint64_t now = xf_boot_ns(), deadline = (now + 3600 * SECOND) & ~0xffull;

	assert_int_equal(xf_ruleset__add(fw->ruleset, &old, now), 0);
	assert_int_equal(xf_ruleset__try(fw->ruleset, false, deadline), 0);
	assert_int_equal(xf_ruleset__try(fw->ruleset, false, deadline), -EBUSY);
	assert_int_equal(xf_ruleset__trial(fw->ruleset, now), deadline);
	assert_int_equal(xf_ruleset__set_policy(fw->ruleset, true), 0);
	assert_int_equal(xf_fw_verdict_on(fw, 9), XDP_DROP);
	assert_int_equal(xf_ruleset__add(fw->ruleset, &new, now), 0);
	assert_int_equal(xf_ruleset__del(fw->ruleset, &old, now), 0);
	assert_int_equal(xf_ruleset__set_policy(fw->ruleset, false), 0);
	assert_int_equal(xf_fw_verdict_on(fw, 3), XDP_PASS);
	assert_int_equal(xf_fw_verdict_on(fw, 4), XDP_DROP);
	assert_int_equal(xf_fw_verdict_on(fw, 9), XDP_PASS);
	xf_ruleset__put_off(fw->ruleset, xf_boot_ns() + SECOND / 10);
	usleep(110000);
	assert_int_equal(xf_fw_verdict_on(fw, 3), XDP_DROP);
	assert_int_equal(xf_fw_verdict_on(fw, 4), XDP_PASS);
	assert_int_equal(xf_ruleset__trial(fw->ruleset, xf_boot_ns()), 0);
	assert_int_equal(xf_ruleset__confirm(fw->ruleset, xf_boot_ns()), -ETIME);
	assert_int_equal(xf_ruleset__confirm(fw->ruleset, xf_boot_ns()), -ENOENT);
	assert_int_equal(xf_fw_rules(fw), 1);
	assert_int_equal(xf_fw_entry(fw, old).packets, 1);
	assert_int_equal(xf_fw_verdict_on(fw, 3), XDP_DROP);
}

/* An attach may take longer than the trial, whose end is then put off. */
static void a_trial_is_put_off(void **state)
{
	const struct xf_fw *fw = *state;
	struct xf_rule rule = xf_fw_from4(10, 1, 2, 3, 32, true);
	uint64_t now = xf_boot_ns();

	assert_int_equal(xf_ruleset__try_first(fw->ruleset, now + 1), 0);
	assert_int_equal(xf_ruleset__add(fw->ruleset, &rule, now), 0);
	assert_int_equal(xf_fw_verdict_on(fw, 3), XDP_PASS);
	xf_ruleset__put_off(fw->ruleset, xf_boot_ns() + 100 * SECOND);
	assert_int_equal(xf_fw_verdict_on(fw, 3), XDP_DROP);
	assert_int_equal(xf_ruleset__confirm(fw->ruleset, xf_boot_ns()), 0);
	xf_ruleset__end_trial(fw->ruleset); /* none is running */
	assert_int_equal(xf_fw_verdict_on(fw, 3), XDP_DROP);
}

/* Copying the rules may take longer than the trial, too: the fallback does not get the trial's
 * policy. */
static void a_trial_that_is_over_at_once(void **state)
{
	const struct xf_fw *fw = *state;
	struct xf_rule rule = xf_fw_from4(10, 1, 2, 3, 32, true);

	assert_int_equal(xf_ruleset__add(fw->ruleset, &rule, xf_boot_ns()), 0);
	assert_int_equal(xf_ruleset__try(fw->ruleset, true, xf_boot_ns() + 1), 0);
	assert_int_equal(xf_fw_verdict_on(fw, 9), XDP_PASS);
	xf_ruleset__put_off(fw->ruleset, xf_boot_ns() + 3600 * SECOND);
	assert_int_equal(xf_fw_verdict_on(fw, 9), XDP_DROP);
	xf_ruleset__put_off(fw->ruleset, xf_boot_ns() + SECOND / 10);
	usleep(110000);
	assert_int_equal(xf_fw_verdict_on(fw, 9), XDP_PASS);
	assert_int_equal(xf_fw_rules(fw), 1);
	assert_int_equal(xf_fw_verdict_on(fw, 9), XDP_PASS);
	assert_false(xf_ruleset__denies(fw->ruleset));
	assert_int_equal(xf_fw_verdict_on(fw, 3), XDP_DROP);
}

static void a_confirmed_trial_stays(void **state)
{
	const struct xf_fw *fw = *state;
	struct xf_rule rule = xf_fw_from4(10, 1, 2, 5, 32, false);
	uint64_t now = xf_boot_ns(), deadline;
	struct xf_build *build;

	assert_int_equal(xf_ruleset__try(fw->ruleset, false, now + 3600 * SECOND), 0);
	assert_int_equal(xf_build__begin(&build, fw->ruleset, 1), 0);
	assert_int_equal(xf_build__add(build, &rule, now), 0);
	assert_int_equal(xf_build__commit(build), 0);
	assert_int_equal(xf_ruleset__set_policy(fw->ruleset, true), 0);
	deadline = xf_boot_ns() + SECOND;
	xf_ruleset__put_off(fw->ruleset, deadline);
	assert_int_equal(xf_ruleset__confirm(fw->ruleset, deadline - SECOND), 0);
	while (xf_boot_ns() <= deadline)
		usleep(10000);
	assert_int_equal(xf_fw_verdict_on(fw, 5), XDP_PASS);
	assert_int_equal(xf_fw_verdict_on(fw, 6), XDP_DROP);
	assert_int_equal(xf_fw_rules(fw), 1);
}

/* All rules by one that denies 10.1.2.4, until the deadline. */
static int replace(struct xf_ruleset *ruleset, uint64_t deadline)
{
	struct xf_rule new = xf_fw_from4(10, 1, 2, 4, 32, true);
	struct xf_build *build;

	assert_int_equal(xf_build__begin(&build, ruleset, 1), 0);
	assert_int_equal(xf_build__add(build, &new, xf_boot_ns()), 0);
	return xf_build__try(build, deadline);
}

static void check_verdicts(const struct xf_fw *fw, int on3, int on4)
{
	assert_int_equal(xf_fw_verdict_on(fw, 3), on3);
	assert_int_equal(xf_fw_verdict_on(fw, 4), on4);
	assert_int_equal(xf_fw_verdict_on(fw, 9), XDP_PASS);
}

static void a_replacement_on_trial(void **state)
{
	const struct xf_fw *fw = *state;
	struct xf_rule old = xf_fw_from4(10, 1, 2, 3, 32, true),
		       more = xf_fw_from4(10, 1, 2, 9, 32, true);
	uint64_t later = xf_boot_ns() + 3600 * SECOND, memory;

	assert_int_equal(xf_ruleset__add(fw->ruleset, &old, xf_boot_ns()), 0);
	memory = xf_fw_memory(fw);
	assert_int_equal(replace(fw->ruleset, later), 0);
	check_verdicts(fw, XDP_PASS, XDP_DROP);
	/* A second one is refused, a change is a part of it. */
	assert_int_equal(replace(fw->ruleset, later), -EBUSY);
	assert_int_equal(xf_ruleset__try(fw->ruleset, true, later), -EBUSY);
	assert_int_equal(xf_ruleset__add(fw->ruleset, &more, xf_boot_ns()), 0);
	assert_int_equal(xf_ruleset__set_policy(fw->ruleset, true), 0);
	assert_int_equal(xf_fw_verdict_on(fw, 3), XDP_DROP);
	xf_ruleset__end_trial(fw->ruleset);
	check_verdicts(fw, XDP_DROP, XDP_PASS);
	assert_false(xf_ruleset__trial(fw->ruleset, xf_boot_ns()));
	assert_int_equal(xf_ruleset__confirm(fw->ruleset, xf_boot_ns()), -ETIME);
	assert_int_equal(xf_fw_rules(fw), 1);
	assert_int_equal(xf_fw_entry(fw, old).packets, 1);
	assert_int_equal(xf_fw_memory(fw), memory);
	assert_int_equal(replace(fw->ruleset, later), 0);
	assert_int_equal(xf_ruleset__confirm(fw->ruleset, xf_boot_ns()), 0);
	check_verdicts(fw, XDP_PASS, XDP_DROP);
	assert_int_equal(xf_fw_rules(fw), 1);
	assert_int_equal(xf_fw_memory(fw), memory);
}

/* A time that is over before the new rules are there is no reason for them to stay. */
static void a_replacement_that_is_over_at_once(void **state)
{
	const struct xf_fw *fw = *state;
	struct xf_rule old = xf_fw_from4(10, 1, 2, 3, 32, true);

	assert_int_equal(xf_ruleset__add(fw->ruleset, &old, xf_boot_ns()), 0);
	assert_int_equal(replace(fw->ruleset, 1), 0);
	check_verdicts(fw, XDP_DROP, XDP_PASS);
	xf_ruleset__put_off(fw->ruleset, xf_boot_ns() + 3600 * SECOND);
	check_verdicts(fw, XDP_PASS, XDP_DROP);
	xf_ruleset__end_trial(fw->ruleset);
	assert_int_equal(xf_ruleset__add(fw->ruleset, &old, xf_boot_ns()), -EEXIST);
	check_verdicts(fw, XDP_DROP, XDP_PASS);
}

static void replace_while_traced(void *arg)
{
	struct xf_ruleset *ruleset = xf_fw_open_again(arg);

	assert_int_equal(ptrace(PTRACE_TRACEME, 0, NULL, NULL), 0);
	raise(SIGSTOP);
	assert_int_equal(replace(ruleset, xf_boot_ns() + 3600 * SECOND), 0);
}

/* Kill it when it has made or left so many system calls. Returns whether it was still there. */
static bool kill_at(const struct xf_fw *fw, unsigned int calls)
{
	pid_t pid = xf_worker_start(replace_while_traced, (void *)fw);
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	for (; WIFSTOPPED(status) && calls; calls--) {
		assert_int_equal(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
	}
	if (!WIFSTOPPED(status))
		return false;
	xf_worker_kill(pid);
	return true;
}

static void killed_at_each_call_the_old_rules_come_back(void **state)
{
	const struct xf_fw *fw = *state;
	struct xf_rule old = xf_fw_from4(10, 1, 2, 3, 32, true),
		       other = xf_fw_from4(99, 1, 2, 3, 32, true);
	unsigned int calls = 0, tried = 0;
	uint64_t memory;

	assert_int_equal(xf_ruleset__add(fw->ruleset, &old, xf_boot_ns()), 0);
	memory = xf_fw_memory(fw);
	while (kill_at(fw, ++calls)) {
		struct xf_ruleset *ruleset = xf_fw_open_again(fw);

		/* The new rules are there on trial only. */
		if (xf_fw_verdict_on(fw, 3) == XDP_PASS) {
			tried++;
			assert_true(xf_ruleset__trial(ruleset, xf_boot_ns()));
			check_verdicts(fw, XDP_PASS, XDP_DROP);
		}
		xf_ruleset__end_trial(ruleset);
		check_verdicts(fw, XDP_DROP, XDP_PASS);
		assert_int_equal(xf_ruleset__add(ruleset, &other, xf_boot_ns()), 0);
		assert_int_equal(xf_ruleset__del(ruleset, &other, xf_boot_ns()), 0);
		check_verdicts(fw, XDP_DROP, XDP_PASS);
		assert_int_equal(xf_fw_rules(fw), 1);
		assert_int_equal(xf_fw_memory(fw), memory);
		xf_ruleset__close(ruleset);
	}
	assert_in_range(calls, 20, 2000);
	assert_in_range(tried, 1, calls - 10);
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
		on_empty_set(a_replacement_on_trial),
		on_empty_set(a_replacement_that_is_over_at_once),
		on_empty_set(killed_at_each_call_the_old_rules_come_back),
	};
	const char *why = xf_harness_refusal();

	if (why)
		return xf_skip_all(why);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
