// SPDX-License-Identifier: GPL-2.0-only
/* The event loop: a removed watch is never called, timers come in order and not early, and the loop
 * does not spin. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/time.h"
#include "tests/unit/lib/loop_fixture.h"

static void remove_other(struct xf_watch *watch, uint32_t events)
{
	struct item *item = xf_container_of(watch, struct item, watch);

	count(watch, events);
	xf_loop__close(item->loop, &item->victim->watch);
}

/* Both descriptors are ready in one turn; the first callback closes the other one. */
static void removed_in_the_same_turn(void **state)
{
	struct xf_loop *loop = *state;
	struct item a, b;

	add_readable(&a, loop, remove_other);
	add_readable(&b, loop, remove_other);
	a.victim = &b;
	b.victim = &a;
	assert_int_equal(xf_loop__turn(loop, 0), 0);
	assert_int_equal(a.calls + b.calls, 1);
	assert_int_equal((a.calls ? &b : &a)->watch.fd, -1);
	assert_int_equal(xf_loop__turn(loop, 0), 0);
	assert_int_equal(a.calls + b.calls, 2);
	xf_loop__close(loop, &a.watch);
	xf_loop__close(loop, &b.watch);
}

static void watches_change(void **state)
{
	struct xf_loop *loop = *state;
	struct item item;
	int fd;

	add_readable(&item, loop, count);
	fd = item.watch.fd;
	assert_int_equal(xf_loop__mod(loop, &item.watch, 0), 0);
	assert_int_equal(xf_loop__turn(loop, 0), 0);
	assert_int_equal(item.calls, 0);
	assert_int_equal(xf_loop__mod(loop, &item.watch, EPOLLIN), 0);
	assert_int_equal(xf_loop__turn(loop, 0), 0);
	assert_int_equal(item.calls, 1);
	xf_loop__del(loop, &item.watch);
	xf_loop__del(loop, &item.watch);
	assert_int_equal(item.watch.fd, -1);
	assert_int_equal(xf_loop__turn(loop, 0), 0);
	assert_int_equal(item.calls, 1);
	close(fd);
	assert_int_equal(xf_loop__add(loop, &item.watch, fd, EPOLLIN), -EBADF);
	assert_int_equal(item.watch.fd, -1);
}

/* ---- timers ---- */

#define TIMERS 500

static void timers_come_in_order(void **state)
{
	static struct clocked all[TIMERS];
	struct xf_loop *loop = *state;
	uint64_t start = xf_loop__now(loop);
	unsigned int fired = 0, left = 0;

	srand(1);
	last_due = 0;
	for (int i = 0; i < TIMERS; i++) {
		all[i] = (struct clocked) { .timer.fn = in_order };
		assert_int_equal(xf_loop__arm(loop, &all[i].timer, start + rand() % 1000), 0);
	}
	for (int i = 0; i < TIMERS; i++) { /* move all, disarm some again */
		all[i].due = start + rand() % (20 * XF_MSEC);
		assert_int_equal(xf_loop__arm(loop, &all[i].timer, all[i].due), 0);
		if (i % 3 == 0)
			xf_loop__disarm(loop, &all[i].timer);
		else
			left++;
	}
	for (unsigned int turns = 0; fired < left; turns++) {
		assert_true(turns < 1000);
		assert_int_equal(xf_loop__turn(loop, -1), 0);
		fired = 0;
		for (int i = 0; i < TIMERS; i++)
			fired += all[i].calls;
	}
	for (int i = 0; i < TIMERS; i++)
		assert_int_equal(all[i].calls, i % 3 != 0);
}

/* One turn waits for a timer in the middle of a millisecond, and does not end before. */
static void waits_for_a_timer_once(void **state)
{
	struct xf_loop *loop = *state;
	struct clocked it = { .timer.fn = in_order };

	last_due = 0;
	it.due = xf_now_ns(CLOCK_MONOTONIC) + 5 * XF_MSEC + XF_MSEC / 2;
	assert_int_equal(xf_loop__arm(loop, &it.timer, it.due), 0);
	assert_int_equal(xf_loop__turn(loop, -1), 0);
	assert_int_equal(it.calls, 1);
	assert_true(xf_now_ns(CLOCK_MONOTONIC) >= it.due);
}

static void waits_no_longer_than_told(void **state)
{
	struct xf_loop *loop = *state;
	struct clocked it = { .timer.fn = in_order };
	uint64_t start = xf_now_ns(CLOCK_MONOTONIC);

	assert_int_equal(xf_loop__arm(loop, &it.timer, start + 3600 * XF_NSEC), 0);
	assert_int_equal(xf_loop__turn(loop, 10), 0);
	assert_true(xf_now_ns(CLOCK_MONOTONIC) - start >= 10 * XF_MSEC);
	assert_int_equal(it.calls, 0); /* the turn did not wait for the hour */
	xf_loop__disarm(loop, &it.timer);
	xf_loop__disarm(loop, &it.timer);
}

struct restless {
	struct xf_timer timer;
	struct xf_loop *loop;
	unsigned int calls;
};

static void arm_again(struct xf_timer *timer, uint64_t now)
{
	struct restless *it = xf_container_of(timer, struct restless, timer);

	it->calls++;
	assert_int_equal(xf_loop__arm(it->loop, timer, now), 0);
}

/* The timer comes once a turn, and the turns do not wait. */
static void a_timer_for_now_does_not_hold_the_turn(void **state)
{
	struct restless it = { .timer.fn = arm_again, .loop = *state };

	assert_int_equal(xf_loop__arm(*state, &it.timer, 0), 0);
	for (unsigned int i = 1; i <= 10; i++) {
		assert_int_equal(xf_loop__turn(*state, -1), 0);
		assert_int_equal(it.calls, i);
	}
	xf_loop__disarm(*state, &it.timer);
}

/* ---- deferred calls ---- */

static void deferred_comes_last(void **state)
{
	struct xf_loop *loop = *state;
	struct item item;
	struct later later = { .loop = loop, .item = &item, .again = true };

	add_readable(&item, loop, count);
	xf_loop__defer(loop, do_later, &later);
	assert_int_equal(later.calls, 0);
	assert_int_equal(xf_loop__turn(loop, -1), 0);
	assert_int_equal(later.calls, 2);
	xf_loop__close(loop, &item.watch);
	/* Nothing is ready, but a turn does not wait while a call is deferred. */
	later.item = NULL;
	xf_loop__defer(loop, do_later, &later);
	assert_int_equal(xf_loop__turn(loop, -1), 0);
	assert_int_equal(later.calls, 3);
}

static void free_does_what_was_deferred(void **state)
{
	struct later later = {};
	struct xf_loop *loop;

	(void)state;
	assert_int_equal(xf_loop__new(&loop), 0);
	xf_loop__defer(loop, do_later, &later);
	xf_loop__free(loop);
	assert_int_equal(later.calls, 1);
	xf_loop__free(NULL);
}

/* ---- waking ---- */

static void another_thread_wakes(void **state)
{
	uint64_t start = xf_now_ns(CLOCK_MONOTONIC);
	pthread_t thread;

	xf_loop__wake(*state); /* a wake-up before the turn counts, too, and several count as one */
	xf_loop__wake(*state);
	assert_int_equal(xf_loop__turn(*state, -1), 0);
	assert_int_equal(pthread_create(&thread, NULL, wake_soon, *state), 0);
	assert_int_equal(xf_loop__turn(*state, -1), 0);
	assert_true(xf_now_ns(CLOCK_MONOTONIC) - start >= 20 * XF_MSEC);
	pthread_join(thread, NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, loop_set_up, loop_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(removed_in_the_same_turn),	 TEST(watches_change),
		TEST(timers_come_in_order),	 TEST(waits_for_a_timer_once),
		TEST(waits_no_longer_than_told), TEST(a_timer_for_now_does_not_hold_the_turn),
		TEST(deferred_comes_last),	 TEST(free_does_what_was_deferred),
		TEST(another_thread_wakes),
	};

	return cmocka_run_group_tests_name("loop", tests, NULL, NULL);
}
