// SPDX-License-Identifier: GPL-2.0-only
/* The queues of connections that wait: the one that makes way, and the time for which new ones are
 * held back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sockmap/server/waiting.h"

#define PLACES 3

static struct xf_server server;
static struct xf_conn conns[2 * PLACES];
static unsigned int memory; /* so many more connections get some */

bool xf_mover__may_admit(const struct xf_mover *mover)
{
	(void)mover;
	return memory;
}

uint64_t xf_mover__admit(struct xf_mover *mover, int client)
{
	(void)mover;
	(void)client;
	if (!memory)
		return 0;
	memory--;
	return 1;
}

static int set_up(void **state)
{
	(void)state;
	memset(&server, 0, sizeof(server));
	memset(conns, 0, sizeof(conns));
	for (unsigned int i = 0; i < 2 * PLACES; i++)
		conns[i].server = &server;
	server.opts.max_waiting = PLACES;
	memory = 2 * PLACES;
	return xf_loop__new(&server.loop);
}

static int tear_down(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2 * PLACES; i++)
		xf_waiting__leave(&conns[i]);
	assert_int_equal(server.first.n, 0);
	assert_int_equal(server.dials.n, 0);
	assert_null(server.first.longest);
	assert_null(server.first.shortest);
	xf_loop__free(server.loop);
	return 0;
}

/* Let the connections from @at to before @end wait. */
static void wait_in(struct xf_queue *queue, unsigned int at, unsigned int end)
{
	for (; at < end; at++)
		xf_waiting__enter(&conns[at], queue);
}

static void the_longest_waiting_is_surplus_when_all_places_are_taken(void **state)
{
	(void)state;
	assert_null(xf_waiting__surplus(&server));
	wait_in(&server.first, 0, PLACES - 1);
	assert_null(xf_waiting__surplus(&server));
	wait_in(&server.first, PLACES - 1, PLACES);
	assert_ptr_equal(xf_waiting__surplus(&server), &conns[0]);
	xf_waiting__leave(&conns[1]); /* the one in the middle */
	assert_null(xf_waiting__surplus(&server));
	wait_in(&server.first, 1, 2);
	xf_waiting__leave(&conns[0]);
	wait_in(&server.first, 0, 1);
	assert_ptr_equal(xf_waiting__surplus(&server), &conns[2]);
}

static void dials_take_no_place_of_a_first_packet(void **state)
{
	(void)state;
	wait_in(&server.first, 0, PLACES);
	wait_in(&server.dials, 0, 1);
	assert_null(xf_waiting__surplus(&server));
	assert_int_equal(server.dials.n, 1);
}

static void memory_is_reserved_once(void **state)
{
	struct xf_conn *victim;

	(void)state;
	assert_true(xf_waiting__admit(&conns[0], &victim));
	assert_true(xf_waiting__admit(&conns[0], &victim));
	assert_int_equal(memory, 2 * PLACES - 1);
	assert_int_equal(conns[0].reserved, 1);
	assert_null(victim);
}

static void without_memory_the_longest_waiting_of_both_queues_is_named(void **state)
{
	struct xf_conn *victim;

	(void)state;
	memory = 0;
	wait_in(&server.first, 0, 1);
	assert_false(xf_waiting__admit(&conns[0], &victim));
	assert_null(victim); /* never itself */
	wait_in(&server.dials, 1, 2);
	assert_false(xf_waiting__admit(&conns[2], &victim));
	assert_ptr_equal(victim, &conns[0]); /* both wait for the same time */
	conns[0].since++;
	assert_false(xf_waiting__admit(&conns[2], &victim));
	assert_ptr_equal(victim, &conns[1]);
	assert_false(xf_waiting__admit(&conns[1], &victim));
	assert_ptr_equal(victim, &conns[0]);
	assert_int_equal(server.first.n + server.dials.n, 2); /* the victim is not ended */
}

/* Silent clients come one after the other, so that all that wait are new. Returns for how long new
 * ones are held back. Fails when it is too long by the server's own clock. */
static uint64_t held_back(void)
{
	uint64_t began = xf_loop__now(server.loop);

	while (xf_waiting__holds_back(&server)) {
		assert_true(xf_loop__now(server.loop) - began < 100 * XF_MSEC);
		assert_int_equal(xf_loop__turn(server.loop, 1), 0);
		for (struct xf_conn *conn = server.first.longest; conn; conn = conn->shorter)
			conn->since = xf_loop__now(server.loop);
	}
	return xf_loop__now(server.loop) - began;
}

static void others_are_held_back_for_a_moment_at_most(void **state)
{
	(void)state;
	wait_in(&server.first, 0, PLACES - 1);
	assert_false(xf_waiting__holds_back(&server));
	wait_in(&server.first, PLACES - 1, PLACES);
	do /* again when the machine stood still for so long that another burst may be served */
		assert_true(held_back() >= 100 * XF_MSEC);
	while (xf_loop__now(server.loop) - server.grace_at >= XF_NSEC);
	xf_waiting__leave(&conns[0]);
	wait_in(&server.first, PLACES, PLACES + 1);
	assert_int_equal(held_back(), 0);
	/* Later another burst may be served. */
	server.grace_at -= XF_NSEC;
	assert_true(held_back() >= 100 * XF_MSEC);
}

static void a_lack_of_memory_holds_others_back_too(void **state)
{
	(void)state;
	wait_in(&server.dials, 0, 1);
	assert_false(xf_waiting__holds_back(&server));
	memory = 0;
	assert_true(xf_waiting__holds_back(&server));
}

static void a_long_wait_holds_nobody_back(void **state)
{
	(void)state;
	wait_in(&server.first, 0, PLACES);
	conns[0].since -= 100 * XF_MSEC;
	assert_false(xf_waiting__holds_back(&server));
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_longest_waiting_is_surplus_when_all_places_are_taken),
		TEST(dials_take_no_place_of_a_first_packet),
		TEST(memory_is_reserved_once),
		TEST(without_memory_the_longest_waiting_of_both_queues_is_named),
		TEST(others_are_held_back_for_a_moment_at_most),
		TEST(a_lack_of_memory_holds_others_back_too),
		TEST(a_long_wait_holds_nobody_back),
	};

	return cmocka_run_group_tests_name("waiting", tests, NULL, NULL);
}
