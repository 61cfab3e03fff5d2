// SPDX-License-Identifier: GPL-2.0-only
/* The sockmap engine with its programs, in the test's process: reservations and ends while a
 * receiver does not read. */
#include <sys/socket.h>

#include "tests/lib/loopback.h"
#include "tests/prog/relay/engine_fixture.h"

/* Send until nothing is taken any more. Returns the bytes. */
static size_t fill(struct fixture *f)
{
	static const char data[65536];
	size_t sent = 0;
	ssize_t n;

	for (int still = 0; still < 20;) {
		n = send(f->client, data, sizeof(data), MSG_DONTWAIT | MSG_NOSIGNAL);
		sent += n > 0 ? n : 0;
		still = n > 0 ? 0 : still + 1;
		xf_turns(f, 5);
	}
	return sent;
}

static uint64_t reserved(const struct fixture *f)
{
	return f->budget.limit - xf_budget__left(&f->budget);
}

/* While bytes wait for user space their memory is reserved, and no timer looks for the receiver. */
static void test_stalled(void **state)
{
	struct fixture f;
	uint64_t idle;
	size_t sent;

	(void)state;
	xf_begin(&f);
	idle = reserved(&f);
	assert_int_equal(idle, f.relay->limit[0] + f.relay->limit[1]);
	sent = fill(&f);
	assert_true(f.relay->paused[0]);
	assert_true(xf_mapped__waits(xf_up(&f)));
	assert_in_range(reserved(&f), idle + f.relay->buffer[0], MEMORY);
	assert_int_equal(f.relay->mapped->timer.pos, 0);
	assert_int_equal(xf_drain(&f, sent), sent);
	xf_turns(&f, 20);
	assert_false(f.relay->paused[0]);
	assert_false(xf_mapped__waits(xf_up(&f)));
	assert_int_equal(f.relay->moves, 1);
	xf_finish(&f);
}

/* All bytes come before the FIN, however they went. */
static void test_end_while_stalled(void **state)
{
	struct fixture f;
	size_t sent;
	char byte;

	(void)state;
	xf_begin(&f);
	sent = fill(&f);
	shutdown(f.client, SHUT_WR);
	shutdown(f.server, SHUT_WR);
	xf_turns(&f, 50);
	assert_false(f.ended);
	assert_int_equal(xf_drain(&f, sent), sent);
	xf_turns(&f, 2000);
	assert_int_equal(f.end, XF_END_CLOSED);
	assert_int_equal(recv(f.server, &byte, 1, 0), 0);
	xf_finish(&f);
}

/* A direction whose reader has stalled keeps the relay from leaving, but the other one goes on. */
static void test_leaves_later(void **state)
{
	struct fixture f;
	char got[8] = "";
	size_t sent;

	(void)state;
	xf_begin(&f);
	sent = fill(&f);
	xf_move(&f, XF_ENGINE_COPY);
	xf_turns(&f, 100);
	assert_true(f.relay->stopping);
	assert_int_equal(send(f.server, "answer", 6, 0), 6);
	xf_turns(&f, 100);
	assert_int_equal(recv(f.client, got, sizeof(got), MSG_DONTWAIT), 6);
	assert_int_equal(xf_drain(&f, sent), sent);
	xf_turns(&f, 200);
	assert_false(f.relay->stopping);
	assert_int_equal(f.relay->engine->id, XF_ENGINE_COPY);
	xf_finish(&f);
}

/* Without memory for the bytes that wait the connection is ended. */
static void test_no_memory(void **state)
{
	struct fixture f;
	uint64_t left;

	(void)state;
	xf_begin(&f);
	left = xf_budget__left(&f.budget);
	assert_true(xf_budget__take(&f.budget, left));
	fill(&f);
	assert_true(f.ended);
	assert_int_equal(f.end, XF_END_MEMORY);
	xf_budget__give(&f.budget, left);
	xf_finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stalled),
		cmocka_unit_test(test_end_while_stalled),
		cmocka_unit_test(test_leaves_later),
		cmocka_unit_test(test_no_memory),
	};

	if (xf_own_loopback())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
