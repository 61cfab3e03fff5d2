// SPDX-License-Identifier: GPL-2.0-only
/* The event loop: what is removed is never called, timers come in order and not early, and nothing
 * spins. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/loop.h"
#include "lib/time.h"

static int set_up(void **state)
{
	return xf_loop__new((struct xf_loop **)state);
}

static int tear_down(void **state)
{
	xf_loop__free(*state);
	return 0;
}

/* A descriptor that stays readable, and what its callback does to another one. */
struct item {
	struct xf_watch watch;
	struct xf_loop *loop;
	struct item *victim;
	unsigned int calls;
};

static void count(struct xf_watch *watch, uint32_t events)
{
	struct item *item = xf_container_of(watch, struct item, watch);

	assert_true(events & EPOLLIN);
	item->calls++;
}

static void remove_other(struct xf_watch *watch, uint32_t events)
{
	struct item *item = xf_container_of(watch, struct item, watch);

	count(watch, events);
	xf_loop__close(item->loop, &item->victim->watch);
}

static void add_readable(struct item *item, struct xf_loop *loop,
			 void (*fn)(struct xf_watch *, uint32_t))
{
	int fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);

	*item = (struct item) { .watch = { .fd = -1, .fn = fn }, .loop = loop };
	assert_true(fd >= 0);
	assert_int_equal(xf_loop__add(loop, &item->watch, fd, EPOLLIN), 0);
	assert_int_equal(item->watch.fd, fd);
}

/* Both are ready in one turn; whichever comes first takes the other away. */
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

struct clocked {
	struct xf_timer timer;
	uint64_t due;
	unsigned int calls;
};

static uint64_t last_due;

static void in_order(struct xf_timer *timer, uint64_t now)
{
	struct clocked *it = xf_container_of(timer, struct clocked, timer);

	assert_int_equal(timer->pos, 0);
	assert_true(now >= it->due);
	assert_true(it->due >= last_due);
	last_due = it->due;
	it->calls++;
}

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
	for (int i = 0; i < TIMERS; i++) { /* move all, take some away again */
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

/* A timer in the middle of a millisecond: one turn waits for it, and does not end before. */
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
	assert_int_equal(it.calls, 0); /* or it had waited for the hour */
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

/* Once a turn, and the turns do not wait for it. */
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

/* ---- later ---- */

struct later {
	struct xf_loop *loop;
	struct item *item;
	unsigned int calls;
	bool again;
};

static void do_later(void *arg)
{
	struct later *later = arg;

	later->calls++;
	if (later->item)
		assert_int_equal(later->item->calls, 1); /* events come first */
	if (later->again) {
		later->again = false;
		xf_loop__defer(later->loop, do_later, later);
	}
}

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
	/* Nothing is ready: that something is deferred is enough for the turn not to wait. */
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

/* ---- busy polling ---- */

static void *wake_soon(void *loop)
{
	usleep(20000);
	xf_loop__wake(loop);
	return NULL;
}

/* Longer than any machine is busy: a wait with an end of its own is short. */
#define LONG (20 * XF_NSEC)

/* With something to do each time it looks, asked to poll. */
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

static uint64_t cpu_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return ts.tv_sec * XF_NSEC + ts.tv_nsec;
}

static void polls_while_it_pays(void **state)
{
	struct xf_loop *loop = *state;

	assert_false(xf_loop__is_polling(loop));
	short_waits(loop, 1);
	assert_false(xf_loop__is_polling(loop));
	short_waits(loop, 20);
	assert_true(xf_loop__is_polling(loop));
	/* However long it has paid, a few long waits end it, and not one. */
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
	/* Now and then a long one does not. */
	for (int i = 0; i < 100; i++) {
		short_waits(loop, 10);
		long_wait(loop);
		assert_true(xf_loop__is_polling(loop));
	}
}

/* Turns that nobody asked about, and those that do not wait, say nothing about waits. */
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

/* Not before it is due, and not as late as if the wait had begun anew when polling ended: of some
 * tries at least one is not disturbed by what else the machine does. */
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

/* 200 ms each; what else the machine does can only make it less CPU. */
static void sleeps_when_not_asked(void **state)
{
	struct xf_loop *loop = *state;
	uint64_t start = cpu_now();

	xf_loop__poll(loop, LONG); /* asked for, but it has not paid yet */
	assert_int_equal(xf_loop__turn(loop, 200), 0);
	assert_true(cpu_now() - start < 100 * XF_MSEC);
	short_waits(loop, 20);
	assert_true(xf_loop__is_polling(loop));
	start = cpu_now();
	assert_int_equal(xf_loop__turn(loop, 200), 0);
	assert_true(cpu_now() - start < 100 * XF_MSEC);
	xf_loop__poll(loop, LONG);
	xf_loop__poll(loop, 0); /* the last word counts */
	assert_int_equal(xf_loop__turn(loop, 200), 0);
	assert_true(cpu_now() - start < 100 * XF_MSEC);
}

/* ---- waking ---- */

static void another_thread_wakes(void **state)
{
	uint64_t start = xf_now_ns(CLOCK_MONOTONIC);
	pthread_t thread;

	xf_loop__wake(*state); /* before the turn counts too, and several are one */
	xf_loop__wake(*state);
	assert_int_equal(xf_loop__turn(*state, -1), 0);
	assert_int_equal(pthread_create(&thread, NULL, wake_soon, *state), 0);
	assert_int_equal(xf_loop__turn(*state, -1), 0);
	assert_true(xf_now_ns(CLOCK_MONOTONIC) - start >= 20 * XF_MSEC);
	pthread_join(thread, NULL);
}

/* ---- everything at random, for the sanitizers ---- */

#define ACTORS 200

struct actor {
	struct xf_watch watch;
	struct xf_timer timer;
	struct stage *stage;
	unsigned int slot;
	bool gone; /* deferred: no call may come any more */
};

struct stage {
	struct xf_loop *loop;
	struct actor *actors[ACTORS];
	unsigned int calls, born, freed;
};

static void act(struct stage *stage);

static void on_actor(struct xf_watch *watch, uint32_t events)
{
	struct actor *actor = xf_container_of(watch, struct actor, watch);

	(void)events;
	assert_false(actor->gone);
	act(actor->stage);
}

static void on_actor_timer(struct xf_timer *timer, uint64_t now)
{
	struct actor *actor = xf_container_of(timer, struct actor, timer);

	(void)now;
	assert_false(actor->gone);
	act(actor->stage);
}

static void free_actor(void *arg)
{
	struct actor *actor = arg;

	actor->stage->freed++;
	free(actor);
}

static void birth(struct stage *stage, unsigned int slot)
{
	struct actor *actor = calloc(1, sizeof(*actor));

	assert_non_null(actor);
	actor->watch = (struct xf_watch) { .fd = -1, .fn = on_actor };
	actor->timer.fn = on_actor_timer;
	actor->stage = stage;
	actor->slot = slot;
	assert_int_equal(xf_loop__add(stage->loop, &actor->watch,
				      eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC), EPOLLIN),
			 0);
	stage->actors[slot] = actor;
	stage->born++;
}

static void death(struct actor *actor)
{
	struct stage *stage = actor->stage;
	int fd = actor->watch.fd;

	actor->gone = true;
	if (rand() % 2) {
		xf_loop__close(stage->loop, &actor->watch);
	} else {
		xf_loop__del(stage->loop, &actor->watch);
		close(fd);
	}
	xf_loop__disarm(stage->loop, &actor->timer);
	stage->actors[actor->slot] = NULL;
	xf_loop__defer(stage->loop, free_actor, actor);
}

static void act(struct stage *stage)
{
	stage->calls++;
	for (int i = 0; i < 3; i++) {
		unsigned int slot = rand() % ACTORS;
		struct actor *actor = stage->actors[slot];

		if (!actor)
			birth(stage, slot);
		else if (rand() % 3 == 0)
			death(actor);
		else if (rand() % 3 == 0)
			xf_loop__disarm(stage->loop, &actor->timer);
		else
			assert_int_equal(xf_loop__arm(stage->loop, &actor->timer,
						      xf_loop__now(stage->loop) + rand() % XF_MSEC),
					 0);
	}
}

static void random_acts(void **state)
{
	struct stage stage = { .loop = *state };

	srand(7);
	birth(&stage, 0);
	for (int i = 0; i < 2000; i++)
		assert_int_equal(xf_loop__turn(stage.loop, i % 2), 0);
	for (int i = 0; i < ACTORS; i++)
		if (stage.actors[i])
			death(stage.actors[i]);
	assert_int_equal(xf_loop__turn(stage.loop, 0), 0);
	assert_true(stage.calls > 10000);
	assert_int_equal(stage.born, stage.freed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(removed_in_the_same_turn, set_up, tear_down),
		cmocka_unit_test_setup_teardown(watches_change, set_up, tear_down),
		cmocka_unit_test_setup_teardown(timers_come_in_order, set_up, tear_down),
		cmocka_unit_test_setup_teardown(waits_for_a_timer_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(waits_no_longer_than_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_timer_for_now_does_not_hold_the_turn, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(deferred_comes_last, set_up, tear_down),
		cmocka_unit_test(free_does_what_was_deferred),
		cmocka_unit_test_setup_teardown(polls_while_it_pays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_turns_do_not_count, set_up, tear_down),
		cmocka_unit_test_setup_teardown(polling_finds_what_comes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(polling_does_not_hold_up_a_turn, set_up, tear_down),
		cmocka_unit_test_setup_teardown(polling_heeds_a_timer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sleeps_when_not_asked, set_up, tear_down),
		cmocka_unit_test_setup_teardown(another_thread_wakes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(random_acts, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
