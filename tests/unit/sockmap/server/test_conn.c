// SPDX-License-Identifier: GPL-2.0-only
/* conn.c acts on the steps of the phases: it goes on, waits with a deadline, or ends the
 * connection. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>

#include <cmocka.h>

#include "tests/unit/sockmap/server/conn_fixture.h"
#include "tests/unit/capture.h"

static void an_echo_is_relayed_at_once(void **state)
{
	(void)state;
	server.opts.echo = true;
	come(0, 1);
	are(0, 1, SERVED);
	assert_int_equal(guests[0].conn->relay->opts.upstream, -1);
}

static void a_first_packet_that_is_there_is_relayed_at_once(void **state)
{
	(void)state;
	come_saying(0, 1, REQUEST);
	are(0, 1, SERVED);
	assert_int_equal(server.first.n, 0);
	assert_int_equal(guests[0].conn->relay->opts.prefix_len, strlen(REQUEST));
}

static void a_wrong_first_packet_ends_with_its_outcome(void **state)
{
	(void)state;
	come_saying(0, 1, "guess\n");
	has_ended(0, XF_OUTCOME_BAD_TOKEN, 0);
	assert_true(is_closed(guests[0].client));
	come_saying(1, 2, "GET / http/1.1\r\n");
	has_ended(1, XF_OUTCOME_AMBIGUOUS, 0);
	assert_true(is_closed(guests[1].client));
}

static void the_first_packet_has_a_deadline(void **state)
{
	(void)state;
	server.opts.first_timeout = 0;
	come(0, 1);
	turn(0);
	has_ended(0, XF_OUTCOME_FIRST_TIMEOUT, 0);
}

/* The deadline stays when the dial goes on after an answer of the upstream, and at an event of the
 * client that was not asked for. */
static void an_event_that_decides_nothing_moves_no_deadline(void **state)
{
	struct xf_conn *conn;
	uint64_t at;

	(void)state;
	dial_step = XF_STEP_WAIT;
	come_saying(0, 1, REQUEST);
	are(0, 1, DIALS);
	conn = guests[0].conn;
	at = conn->timer.at;
	turn(5);
	turn(5);
	assert_true(xf_loop__now(server.loop) > conn->accepted);
	conn->client.fn(&conn->client, EPOLLIN);
	conn->upstream.fn(&conn->upstream, EPOLLOUT);
	are(0, 1, DIALS);
	assert_int_equal(conn->timer.at, at);
	assert_int_equal(server.dials.n, 1);
}

static void the_next_upstream_has_a_deadline_of_its_own(void **state)
{
	struct xf_conn *conn;
	uint64_t since;

	(void)state;
	server.opts.dial_timeout = 0;
	dial_step = XF_STEP_WAIT;
	come_saying(0, 1, REQUEST);
	conn = guests[0].conn;
	since = conn->since;
	server.opts.dial_timeout = 1800 * XF_NSEC;
	turn(0); /* the first upstream is given up */
	are(0, 1, DIALS);
	assert_true(conn->timer.at >= xf_loop__now(server.loop) + 1799 * XF_NSEC);
	assert_int_equal(conn->since, since); /* the wait began with the first upstream */
	dial_step = XF_STEP_DECIDED;
	turn(0); /* a unix socket is writable at once, which is an answer */
	are(0, 1, SERVED);
}

/* Returns the messages. */
static const char *fail_to_dial(unsigned int at, struct capture *cap)
{
	dial_step = XF_STEP_FAILED;
	capture_begin(cap);
	come_saying(at, at + 1, REQUEST);
	assert_true(is_closed(guests[at].client));
	return capture_end(cap);
}

static void only_a_lack_is_warned_about(void **state)
{
	struct capture cap;
	const char *text;

	(void)state;
	xf_step_failed(&dial_result, XF_OUTCOME_REFUSED, ECONNREFUSED);
	assert_string_equal(fail_to_dial(0, &cap), "");
	has_ended(0, XF_OUTCOME_REFUSED, ECONNREFUSED);
	xf_step_failed(&dial_result, XF_OUTCOME_ERROR, EADDRNOTAVAIL);
	assert_string_equal(fail_to_dial(1, &cap), "");
	has_ended(1, XF_OUTCOME_ERROR, EADDRNOTAVAIL);

	xf_step_lacking(&dial_result, ENOBUFS);
	text = fail_to_dial(2, &cap);
	assert_non_null(strstr(text, "no memory is left"));
	has_ended(2, XF_OUTCOME_MEMORY, ENOBUFS);
	xf_step_lacking(&dial_result, EMFILE);
	text = fail_to_dial(3, &cap);
	assert_non_null(strstr(text, "no descriptor is left"));
	has_ended(3, XF_OUTCOME_ERROR, EMFILE);
	assert_int_equal(server.counters.refused_fds, 1);
	xf_step_lacking(&dial_result, ENOSPC);
	text = fail_to_dial(4, &cap);
	assert_non_null(strstr(text, "cannot serve a connection"));
	has_ended(4, XF_OUTCOME_ERROR, ENOSPC);
}

static void a_dial_that_cannot_wait_for_want_of_memory(void **state)
{
	struct capture cap;

	(void)state;
	dial_step = XF_STEP_WAIT;
	memory = 0;
	capture_begin(&cap);
	come_saying(0, 1, REQUEST);
	assert_non_null(strstr(capture_end(&cap), "no memory is left"));
	has_ended(0, XF_OUTCOME_MEMORY, ENOMEM);
	assert_true(is_closed(guests[0].upstream));
	memory = GUESTS;
}

static void a_relay_that_cannot_start(void **state)
{
	struct capture cap;

	(void)state;
	relay_error = -ENOMEM;
	capture_begin(&cap);
	come_saying(0, 1, REQUEST);
	assert_non_null(strstr(capture_end(&cap), "no memory is left"));
	has_ended(0, XF_OUTCOME_MEMORY, ENOMEM);
	assert_true(is_closed(guests[0].client));
	assert_true(is_closed(guests[0].upstream));
}

static void any_phase_can_be_aborted(void **state)
{
	(void)state;
	come_saying(0, 1, REQUEST);
	dial_step = XF_STEP_WAIT;
	come_saying(1, 2, REQUEST);
	come(2, 3);
	are(0, 1, SERVED);
	are(1, 2, DIALS);
	are(2, 3, WAITS);
	for (unsigned int i = 0; i < 3; i++) {
		xf_conn__abort(guests[i].conn, XF_OUTCOME_DRAIN);
		has_ended(i, XF_OUTCOME_DRAIN, 0);
		assert_true(is_closed(guests[i].client));
	}
	assert_true(is_closed(guests[0].upstream));
	assert_true(is_closed(guests[1].upstream));
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, conn_set_up, conn_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_echo_is_relayed_at_once),
		TEST(a_first_packet_that_is_there_is_relayed_at_once),
		TEST(a_wrong_first_packet_ends_with_its_outcome),
		TEST(the_first_packet_has_a_deadline),
		TEST(an_event_that_decides_nothing_moves_no_deadline),
		TEST(the_next_upstream_has_a_deadline_of_its_own),
		TEST(only_a_lack_is_warned_about),
		TEST(a_dial_that_cannot_wait_for_want_of_memory),
		TEST(a_relay_that_cannot_start),
		TEST(any_phase_can_be_aborted),
	};

	return cmocka_run_group_tests_name("conn", tests, NULL, NULL);
}
