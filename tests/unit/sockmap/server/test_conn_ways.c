// SPDX-License-Identifier: GPL-2.0-only
/* Connections that wait make way for new ones, when no place or no memory is left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "tests/unit/sockmap/server/conn_fixture.h"

static void the_longest_waiting_makes_way(void **state)
{
	(void)state;
	come(0, PLACES + 2);
	are(0, 2, ENDED);
	are(2, PLACES + 2, WAITS);
}

static void a_first_packet_that_has_come_is_served(void **state)
{
	(void)state;
	come(0, PLACES);
	say(0, REQUEST);
	come(PLACES, PLACES + 1);
	are(0, 1, SERVED);
	are(1, PLACES + 1, WAITS);
	come(PLACES + 1, PLACES + 2);
	are(1, 2, ENDED);
	are(2, PLACES + 2, WAITS);
}

/* More clients than there are places come at a time. */
static void a_burst_is_served(void **state)
{
	(void)state;
	for (unsigned int at = 0; at < GUESTS; at += PLACES) {
		come(at, at + PLACES);
		for (unsigned int i = at; i < at + PLACES; i++)
			say(i, REQUEST);
	}
	are(0, GUESTS - PLACES, SERVED);
	turn(0);
	are(0, GUESTS, SERVED);
}

static void a_dribbling_client_makes_way_in_its_turn(void **state)
{
	(void)state;
	come(0, PLACES);
	say(0, "G");
	turn(0);
	say(0, "E");
	say(1, "G");
	come(PLACES, PLACES + 2);
	are(0, 2, ENDED);
	are(2, PLACES + 2, WAITS);
}

static void a_client_that_hung_up_is_not_crowded_out(void **state)
{
	(void)state;
	come(0, PLACES);
	assert_int_equal(shutdown(guests[0].client, SHUT_WR), 0);
	come(PLACES, PLACES + 1);
	has_ended(0, XF_OUTCOME_CLIENT_GONE, 0);
	are(1, PLACES + 1, WAITS);
}

static void memory_is_made_in_the_same_way(void **state)
{
	(void)state;
	server.opts.max_waiting = GUESTS;
	memory = PLACES;
	come(0, PLACES);
	say(0, REQUEST);
	come(PLACES, PLACES + 2);
	are(0, 1, SERVED);
	are(1, 2, ENDED);
	are(2, PLACES + 2, WAITS);
	memory += GUESTS - PLACES;
}

/* A connection that is read to make way and then dials is the newest in the queue of dials. */
static void a_dial_that_begins_when_it_makes_way_stays(void **state)
{
	(void)state;
	server.opts.max_waiting = GUESTS;
	memory = PLACES;
	dial_step = XF_STEP_WAIT;
	come(0, 1);
	turn(2);
	come(1, PLACES);
	turn(2);
	say(0, REQUEST);
	come(PLACES, PLACES + 1);
	are(0, 1, DIALS);
	are(1, 2, ENDED);
	are(2, PLACES + 1, WAITS);
	/* It makes way when it is the oldest. */
	turn(2);
	come(PLACES + 1, 2 * PLACES + 1);
	are(0, PLACES + 1, ENDED);
	are(PLACES + 1, 2 * PLACES + 1, WAITS);
	assert_true(is_closed(guests[0].upstream));
	memory += GUESTS - PLACES;
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, conn_set_up, conn_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_longest_waiting_makes_way),
		TEST(a_first_packet_that_has_come_is_served),
		TEST(a_burst_is_served),
		TEST(a_dribbling_client_makes_way_in_its_turn),
		TEST(a_client_that_hung_up_is_not_crowded_out),
		TEST(memory_is_made_in_the_same_way),
		TEST(a_dial_that_begins_when_it_makes_way_stays),
	};

	return cmocka_run_group_tests_name("conn_ways", tests, NULL, NULL);
}
