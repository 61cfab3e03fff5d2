// SPDX-License-Identifier: GPL-2.0-only
/* The event loop polls before it sleeps when it is asked to, while that shortens waits. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "lib/time.h"
#include "tests/unit/lib/loop_fixture.h"

/* Longer than any machine is busy, so that a turn that took less did not wait for its end. */
#define LONG (20 * XF_NSEC)

/* Run @n turns that are asked to poll and find an event at once. */
static void short_waits(struct xf_loop *loop, unsigned int n)
{
	struct item item;

	add_readable(&item, loop, count);
	for (unsigned int i = 0; i < n; i++) {
		xf_loop__poll(loop, LONG);
		assert_int_equal(xf_loop__turn(loop, -1), 0);
	}
	assert_int_equal(item.calls, n);
	xf_loop__close(loop, &item.watch);
}

static void long_wait(struct xf_loop *loop)
{
	xf_loop__poll(loop, 1);
	assert_int_equal(xf_loop__turn(loop, 1), 0);
}

static void polls_while_it_pays(void **state)
{
	struct xf_loop *loop = *state;

	assert_false(xf_loop__is_polling(loop));
	short_waits(loop, 1);
	assert_false(xf_loop__is_polling(loop));
	short_waits(loop, 20);
	assert_true(xf_loop__is_polling(loop));
	/* After any number of short waits a few long ones end the polling, and not a single one. */
	short_waits(loop, 1000);
	long_wait(loop);
	assert_true(xf_loop__is_polling(loop));
	for (int i = 0; i < 10; i++)
		long_wait(loop);
	assert_false(xf_loop__is_polling(loop));
	short_waits(loop, 1);
	assert_false(xf_loop__is_polling(loop));
	short_waits(loop, 20);
	assert_true(xf_loop__is_polling(loop));
	/* A long wait now and then does not end it. */
	for (int i = 0; i < 100; i++) {
		short_waits(loop, 10);
		long_wait(loop);
		assert_true(xf_loop__is_polling(loop));
	}
}

/* Turns that are not asked to poll, and turns that do not wait, do not count as waits. */
static void other_turns_do_not_count(void **state)
{
	struct xf_loop *loop = *state;
	struct item item;

	add_readable(&item, loop, count);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(xf_loop__turn(loop, -1), 0);
		xf_loop__poll(loop, LONG);
		assert_int_equal(xf_loop__turn(loop, 0), 0);
	}
	assert_false(xf_loop__is_polling(loop));
	xf_loop__close(loop, &item.watch);
	short_waits(loop, 20);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(xf_loop__turn(loop, 1), 0);
		xf_loop__poll(loop, 1);
		assert_int_equal(xf_loop__turn(loop, 0), 0);
	}
	assert_true(xf_loop__is_polling(loop));
}

static void polling_finds_what_comes(void **state)
{
	struct xf_loop *loop = *state;
	uint64_t start = xf_now_ns(CLOCK_MONOTONIC);
	pthread_t thread;

	short_waits(loop, 20);
	assert_int_equal(pthread_create(&thread, NULL, wake_soon, loop), 0);
	xf_loop__poll(loop, LONG);
	assert_int_equal(xf_loop__turn(loop, -1), 0);
	assert_true(xf_now_ns(CLOCK_MONOTONIC) - start >= 20 * XF_MSEC);
	assert_true(xf_now_ns(CLOCK_MONOTONIC) - start < LONG);
	assert_true(xf_loop__is_polling(loop));
	pthread_join(thread, NULL);
}

static void polling_does_not_hold_up_a_turn(void **state)
{
	struct xf_loop *loop = *state;
	uint64_t start = xf_now_ns(CLOCK_MONOTONIC);
	struct later later = {};

	short_waits(loop, 20);
	xf_loop__poll(loop, LONG);
	assert_int_equal(xf_loop__turn(loop, 0), 0);
	xf_loop__poll(loop, LONG);
	xf_loop__defer(loop, do_later, &later);
	assert_int_equal(xf_loop__turn(loop, -1), 0);
	assert_int_equal(later.calls, 1);
	xf_loop__poll(loop, LONG);
	assert_int_equal(xf_loop__turn(loop, 10), 0);
	assert_true(xf_now_ns(CLOCK_MONOTONIC) - start < LONG);
}

/* The timer does not come early, nor as late as if the wait had begun anew when polling ended. Of
 * several tries at least one is not disturbed by other processes. */
static void polling_heeds_a_timer(void **state)
{
	struct xf_loop *loop = *state;
	uint64_t start, best = UINT64_MAX;

	for (int i = 0; i < 20 && best >= 190 * XF_MSEC; i++) {
		struct clocked it = { .timer.fn = in_order };

		short_waits(loop, 20);
		last_due = 0;
		start = xf_now_ns(CLOCK_MONOTONIC);
		it.due = start + 100 * XF_MSEC;
		assert_int_equal(xf_loop__arm(loop, &it.timer, it.due), 0);
		xf_loop__poll(loop, LONG);
		assert_int_equal(xf_loop__turn(loop, -1), 0);
		assert_int_equal(it.calls, 1);
		if (xf_now_ns(CLOCK_MONOTONIC) - start < best)
			best = xf_now_ns(CLOCK_MONOTONIC) - start;
	}
	assert_true(best < 190 * XF_MSEC);
}

/* Each turn takes 200 ms; other processes can only reduce its CPU time. */
static void sleeps_when_not_asked(void **state)
{
	struct xf_loop *loop = *state;
	uint64_t start = xf_now_ns(CLOCK_THREAD_CPUTIME_ID);

	xf_loop__poll(loop, LONG); /* asked for, but no wait has been short yet */
	assert_int_equal(xf_loop__turn(loop, 200), 0);
	assert_true(xf_now_ns(CLOCK_THREAD_CPUTIME_ID) - start < 100 * XF_MSEC);
	short_waits(loop, 20);
	assert_true(xf_loop__is_polling(loop));
	start = xf_now_ns(CLOCK_THREAD_CPUTIME_ID);
	assert_int_equal(xf_loop__turn(loop, 200), 0);
	assert_true(xf_now_ns(CLOCK_THREAD_CPUTIME_ID) - start < 100 * XF_MSEC);
	xf_loop__poll(loop, LONG);
	xf_loop__poll(loop, 0); /* the last call counts */
	assert_int_equal(xf_loop__turn(loop, 200), 0);
	assert_true(xf_now_ns(CLOCK_THREAD_CPUTIME_ID) - start < 100 * XF_MSEC);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, loop_set_up, loop_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(polls_while_it_pays),	TEST(other_turns_do_not_count),
		TEST(polling_finds_what_comes), TEST(polling_does_not_hold_up_a_turn),
		TEST(polling_heeds_a_timer),	TEST(sleeps_when_not_asked),
	};

	return cmocka_run_group_tests_name("loop_poll", tests, NULL, NULL);
}
