// SPDX-License-Identifier: GPL-2.0-only
/* The clock's history of offsets: steps in both directions, slewing, suspend, and more steps than
 * are remembered. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/time.h"
#include "loader/log/clock.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MS 1000000ll
#define SEC (1000 * MS)
#define HOUR (3600 * SEC)
#define OFFSET (1700000000 * SEC) /* wall - boot when the tests begin */

/* Samples at boot times, each with the distance of the wall clock from OFFSET, then packets. */
struct story {
	const char *name;
	struct sample {
		int64_t boot_ns, off_ns;
		bool announced, step;
	} samples[6];
	struct packet {
		int64_t boot_ns, off_ns;
	} packets[6];
};

static const struct story stories[] = {
	{ "no step",
	  { { 10 * SEC, 0, false, false }, { 20 * SEC, 0, false, false } },
	  { { 5 * SEC, 0 }, { 10 * SEC, 0 }, { 15 * SEC, 0 }, { 20 * SEC, 0 }, { 25 * SEC, 0 } } },
	{ "forward, announced",
	  { { 10 * SEC, 0, false, false }, { 20 * SEC, HOUR, true, true } },
	  { { 5 * SEC, 0 },
	    { 10 * SEC, 0 },
	    { 20 * SEC - 1, 0 },
	    { 20 * SEC, HOUR },
	    { 21 * SEC, HOUR } } },
	{ "backward, announced",
	  { { 10 * SEC, 0, false, false }, { 20 * SEC, -HOUR, true, true } },
	  { { 5 * SEC, 0 }, { 20 * SEC - 1, 0 }, { 20 * SEC, -HOUR }, { 21 * SEC, -HOUR } } },
	{ "forward, dated to the middle",
	  { { 10 * SEC, 0, false, false }, { 20 * SEC, 2 * MS, false, true } },
	  { { 10 * SEC, 0 }, { 15 * SEC - 1, 0 }, { 15 * SEC, 2 * MS }, { 20 * SEC, 2 * MS } } },
	{ "backward, dated to the middle",
	  { { 10 * SEC, 0, false, false }, { 20 * SEC, -2 * MS, false, true } },
	  { { 15 * SEC - 1, 0 }, { 15 * SEC, -2 * MS } } },
	{ "the middle is that of the last check",
	  { { 10 * SEC, 0, false, false },
	    { 18 * SEC, 0, false, false },
	    { 20 * SEC, HOUR, false, true } },
	  { { 15 * SEC, 0 }, { 19 * SEC - 1, 0 }, { 19 * SEC, HOUR } } },
	{ "exactly 1 ms is a step",
	  { { 10 * SEC, 0, false, false }, { 20 * SEC, MS, true, true } },
	  { { 19 * SEC, 0 }, { 20 * SEC, MS } } },
	{ "exactly 1 ms back is a step",
	  { { 10 * SEC, 0, false, false }, { 20 * SEC, -MS, true, true } },
	  { { 19 * SEC, 0 }, { 20 * SEC, -MS } } },
	{ "slewing replaces",
	  { { 10 * SEC, 0, false, false }, { 20 * SEC, MS - 1, false, false } },
	  { { 15 * SEC, MS - 1 }, { 20 * SEC, MS - 1 }, { 30 * SEC, MS - 1 } } },
	{ "slewing adds up without a step",
	  { { 10 * SEC, 0, false, false },
	    { 11 * SEC, 900000, false, false },
	    { 12 * SEC, 1800000, false, false },
	    { 13 * SEC, 2700000, false, false } },
	  { { 13 * SEC, 2700000 }, { 20 * SEC, 2700000 } } },
	{ "slewing after a step leaves the time before it alone",
	  { { 10 * SEC, 0, false, false },
	    { 20 * SEC, HOUR, true, true },
	    { 21 * SEC, HOUR + 1000, false, false } },
	  { { 19 * SEC, 0 }, { 20 * SEC, HOUR + 1000 } } },
	{ "forward and back",
	  { { 10 * SEC, 0, false, false },
	    { 20 * SEC, HOUR, true, true },
	    { 30 * SEC, 0, true, true } },
	  { { 15 * SEC, 0 }, { 25 * SEC, HOUR }, { 30 * SEC, 0 }, { 35 * SEC, 0 } } },
	{ "suspend: both clocks went on",
	  { { 10 * SEC, 0, false, false }, { 8 * HOUR, 0, true, false } },
	  { { 10 * SEC, 0 }, { 4 * HOUR, 0 }, { 9 * HOUR, 0 } } },
	{ "suspend, and the clock was set on waking up",
	  { { 10 * SEC, 0, false, false }, { 8 * HOUR, -SEC, true, true } },
	  { { 4 * HOUR, 0 }, { 8 * HOUR, -SEC } } },
	{ "packets from before the first sample",
	  { { 10 * SEC, 0, false, false } },
	  { { 1, 0 }, { 9 * SEC, 0 } } },
};

static void sample(struct xf_clock *clock, const char *name, const struct sample *s)
{
	if (xf_clock__sample(clock, s->boot_ns, OFFSET + s->off_ns + s->boot_ns, s->announced) !=
	    s->step)
		fail_msg("%s: the sample at %lld is%s a step", name, (long long)s->boot_ns,
			 s->step ? " not" : "");
}

static void test_stories(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(stories); i++) {
		const struct story *story = &stories[i];
		struct xf_clock clock = { .timer_fd = -1 };

		for (int n = 0; n < 6 && story->samples[n].boot_ns; n++)
			sample(&clock, story->name, &story->samples[n]);
		for (int n = 0; n < 6 && story->packets[n].boot_ns; n++) {
			const struct packet *p = &story->packets[n];
			int64_t off = xf_clock__wall(&clock, p->boot_ns) - p->boot_ns - OFFSET;

			if (off != p->off_ns)
				fail_msg("%s: the packet at %lld is off by %lld ns", story->name,
					 (long long)p->boot_ns, (long long)(off - p->off_ns));
		}
	}
}

/* The newest XF_CLOCK_STEPS offsets are exact; older packets get the oldest of them. */
static void test_more_steps_than_remembered(void **state)
{
	struct xf_clock clock = { .timer_fd = -1 };
	int steps = 3 * XF_CLOCK_STEPS;

	(void)state;
	for (int i = 1; i <= steps; i++) {
		assert_int_equal(
		    xf_clock__sample(&clock, i * SEC, OFFSET + i * HOUR + i * SEC, true), i > 1);
		assert_true(clock.n <= XF_CLOCK_STEPS);
	}
	assert_int_equal(clock.n, XF_CLOCK_STEPS);
	for (int i = 1; i <= steps; i++) {
		int oldest = steps - XF_CLOCK_STEPS + 1, known = i < oldest ? oldest : i;

		assert_int_equal(xf_clock__wall(&clock, i * SEC) - i * SEC, OFFSET + known * HOUR);
		assert_int_equal(xf_clock__wall(&clock, i * SEC + SEC - 1) - (i * SEC + SEC - 1),
				 OFFSET + known * HOUR);
	}
}

/* Fails when the time is not between two readings of the wall clock, give or take less than a step.
 */
static void wall_is_right(const struct xf_clock *clock)
{
	int64_t before = xf_now_ns(CLOCK_REALTIME);
	int64_t wall = xf_clock__wall(clock, xf_now_ns(CLOCK_BOOTTIME));

	assert_true(wall > before - MS);
	assert_true(wall < (int64_t)xf_now_ns(CLOCK_REALTIME) + MS);
}

static void test_real_clocks(void **state)
{
	struct pollfd fd;
	struct xf_clock clock;

	(void)state;
	assert_int_equal(xf_clock__open(&clock), 0);
	assert_int_equal(clock.n, 1);
	fd = (struct pollfd) { .fd = clock.timer_fd, .events = POLLIN };
	assert_int_equal(poll(&fd, 1, 0), 0);
	for (int i = 0; i < 1000; i++) {
		assert_false(xf_clock__check(&clock));
		wall_is_right(&clock);
	}
	assert_int_equal(clock.n, 1);
	xf_clock__close(&clock);
	assert_int_equal(clock.timer_fd, -1);
	xf_clock__close(&clock);
}

/* The test fakes a step by moving the remembered offset, and the next check finds the true one
 * again. */
static void test_check_finds_a_step(void **state)
{
	struct xf_clock clock;

	(void)state;
	assert_int_equal(xf_clock__open(&clock), 0);
	clock.step[0].offset_ns -= HOUR;
	assert_true(xf_clock__check(&clock));
	assert_int_equal(clock.n, 2);
	wall_is_right(&clock);
	assert_false(xf_clock__check(&clock));
	xf_clock__close(&clock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stories),
		cmocka_unit_test(test_more_steps_than_remembered),
		cmocka_unit_test(test_real_clocks),
		cmocka_unit_test(test_check_finds_a_step),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
