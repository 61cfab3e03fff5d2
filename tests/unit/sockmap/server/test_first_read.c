// SPDX-License-Identifier: GPL-2.0-only
/* Reading a first packet up to its limit, from a socket, whole and in pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "sockmap/server/phases.h"

#define START "GET / HTTP/1.1\r\nHost: good\r\nX: "
#define END "\r\n\r\n"
#define LIMIT XF_FIRST_MAX

static const char rules[] = "host good -> 192.0.2.1:1\n"
			    "host other -> 192.0.2.1:2\n"
			    "any -> 192.0.2.1:3\n";

/* A connection and its server, with the fields that first_read.c uses. */
struct stage {
	struct xf_server server;
	struct xf_conn conn;
	int client;
	enum xf_step step; /* the last one */
	struct xf_result result;
};

static int set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	struct xf_routes_error error;
	int ends[2];

	if (!stage || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) ||
	    xf_routes__parse(&stage->conn.routes, rules, strlen(rules), NULL, NULL, &error) ||
	    xf_sockaddr_parse("192.0.2.9:1", 0, &stage->conn.peer, NULL))
		return -1;
	stage->conn.server = &stage->server;
	stage->conn.fd = ends[0];
	stage->client = ends[1];
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;

	close(stage->client);
	close(stage->conn.fd);
	free(stage->conn.data);
	xf_routes__put(stage->conn.routes);
	free(stage);
	return 0;
}

/* Returns a request of @len bytes. Only its last byte shows that no second Host comes. Behind it
 * the buffer has 'x'. */
static const char *request(size_t len)
{
	static char text[4 * LIMIT];

	memset(text, 'x', sizeof(text));
	memcpy(text, START, strlen(START));
	memcpy(text + len - strlen(END), END, strlen(END));
	return text;
}

static void reads(struct stage *stage)
{
	stage->step = xf_first__read(&stage->conn, &stage->result);
}

/* Send @len bytes in pieces of @piece bytes, and read each before the next. Fails when another
 * piece than the last one decides. */
static void sends(struct stage *stage, const char *data, size_t len, size_t piece)
{
	for (size_t at = 0; at < len; at += piece) {
		size_t n = len - at < piece ? len - at : piece;

		assert_int_equal(stage->step, XF_STEP_WAIT);
		assert_int_equal(send(stage->client, data + at, n, MSG_NOSIGNAL), n);
		reads(stage);
	}
}

static void is_routed(struct stage *stage, const char *data, size_t len, unsigned int line)
{
	assert_int_equal(stage->step, XF_STEP_DECIDED);
	assert_int_equal(stage->result.decision.kind, XF_DECIDE_ROUTE);
	assert_int_equal(stage->result.decision.route->line, line);
	assert_int_equal(stage->result.len, len);
	if (len)
		assert_memory_equal(stage->result.data, data, len);
}

static void has_failed(struct stage *stage, enum xf_outcome outcome)
{
	assert_int_equal(stage->step, XF_STEP_FAILED);
	assert_int_equal(stage->result.outcome, outcome);
	assert_false(stage->result.lacking);
}

static void in_one_piece(void **state)
{
	sends(*state, request(LIMIT), LIMIT, LIMIT);
	is_routed(*state, request(LIMIT), LIMIT, 1);
}

static void one_byte_less(void **state)
{
	sends(*state, request(LIMIT - 1), LIMIT - 1, LIMIT);
	is_routed(*state, request(LIMIT - 1), LIMIT - 1, 1);
}

static void in_small_pieces(void **state)
{
	sends(*state, request(LIMIT), LIMIT, 1000);
	is_routed(*state, request(LIMIT), LIMIT, 1);
}

static void the_last_byte_alone(void **state)
{
	sends(*state, request(LIMIT), LIMIT - 1, LIMIT - 1);
	sends(*state, request(LIMIT) + LIMIT - 1, 1, 1);
	is_routed(*state, request(LIMIT), LIMIT, 1);
}

/* Bytes behind the limit stay in the socket. */
static void more_behind_it(void **state)
{
	struct stage *stage = *state;
	char byte;

	sends(stage, request(LIMIT), LIMIT + 1000, LIMIT + 1000);
	is_routed(stage, request(LIMIT), LIMIT, 1);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(recv(stage->conn.fd, &byte, 1, MSG_DONTWAIT), 1);
	assert_int_equal(recv(stage->conn.fd, &byte, 1, MSG_DONTWAIT), -1);
}

static void one_byte_too_many(void **state)
{
	sends(*state, request(LIMIT + 1), LIMIT + 1, LIMIT + 1);
	has_failed(*state, XF_OUTCOME_FIRST_SIZE);
}

static void one_byte_too_many_in_pieces(void **state)
{
	sends(*state, request(LIMIT + 1), LIMIT + 1, 1000);
	has_failed(*state, XF_OUTCOME_FIRST_SIZE);
}

/* At the limit a decision that needs another byte is too large. */
static void no_decision_at_the_limit(void **state)
{
	sends(*state, request(LIMIT + 1), LIMIT - 1, LIMIT - 1);
	sends(*state, request(LIMIT + 1) + LIMIT - 1, 1, 1);
	has_failed(*state, XF_OUTCOME_FIRST_SIZE);
}

static void far_too_many(void **state)
{
	sends(*state, request(3 * LIMIT), 3 * LIMIT, 3 * LIMIT);
	has_failed(*state, XF_OUTCOME_FIRST_SIZE);
}

/* The end of the stream decides. */
static void an_end_decides(void **state)
{
	static char word[LIMIT - 1];
	struct stage *stage = *state;

	memset(word, 'x', sizeof(word));
	sends(stage, word, sizeof(word), 5000);
	assert_int_equal(stage->step, XF_STEP_WAIT);
	assert_int_equal(shutdown(stage->client, SHUT_WR), 0);
	reads(stage);
	is_routed(stage, word, sizeof(word), 3);
}

/* In pieces of every size no byte is lost or read twice, and only the last piece decides. */
static void any_pieces(void **state)
{
	const char *data = request(LIMIT);
	size_t at = 0, n;

	srand(1);
	for (; at < LIMIT; at += n) {
		n = 1 + rand() % 700;
		n = n < LIMIT - at ? n : LIMIT - at;
		sends(*state, data + at, n, n);
	}
	is_routed(*state, data, LIMIT, 1);
}

/* When the time is over a silent client goes to the rule for all, with bytes that have just come as
 * before, and one that has begun to send is too late. */
static void late_and_silent(void **state)
{
	struct stage *stage = *state;

	stage->step = xf_first__timed_out(&stage->conn, &stage->result);
	assert_int_equal(stage->step, XF_STEP_DECIDED);
	is_routed(stage, NULL, 0, 3);
}

static void late_with_a_part(void **state)
{
	struct stage *stage = *state;

	sends(stage, request(LIMIT), 5, 1);
	stage->step = xf_first__timed_out(&stage->conn, &stage->result);
	has_failed(stage, XF_OUTCOME_FIRST_TIMEOUT);
}

static void late_with_unread_bytes(void **state)
{
	struct stage *stage = *state;
	const char *data = request(1000);

	assert_int_equal(send(stage->client, data, 1000, MSG_NOSIGNAL), 1000);
	stage->step = xf_first__timed_out(&stage->conn, &stage->result);
	is_routed(stage, data, 1000, 1);
}

static void late_with_an_unread_part(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(send(stage->client, "GET", 3, MSG_NOSIGNAL), 3);
	stage->step = xf_first__timed_out(&stage->conn, &stage->result);
	has_failed(stage, XF_OUTCOME_FIRST_TIMEOUT);
}

/* A read from an empty socket, as for making way, changes nothing. */
static void nothing_yet(void **state)
{
	struct stage *stage = *state;

	reads(stage);
	assert_int_equal(stage->step, XF_STEP_WAIT);
	sends(stage, request(LIMIT), 5000, 5000);
	reads(stage);
	assert_int_equal(stage->step, XF_STEP_WAIT);
	sends(stage, request(LIMIT) + 5000, LIMIT - 5000, 1000);
	is_routed(stage, request(LIMIT), LIMIT, 1);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(in_one_piece),
		TEST(one_byte_less),
		TEST(in_small_pieces),
		TEST(the_last_byte_alone),
		TEST(more_behind_it),
		TEST(one_byte_too_many),
		TEST(one_byte_too_many_in_pieces),
		TEST(no_decision_at_the_limit),
		TEST(far_too_many),
		TEST(an_end_decides),
		TEST(any_pieces),
		TEST(nothing_yet),
		TEST(late_and_silent),
		TEST(late_with_a_part),
		TEST(late_with_unread_bytes),
		TEST(late_with_an_unread_part),
	};

	return cmocka_run_group_tests_name("first_read", tests, NULL, NULL);
}
