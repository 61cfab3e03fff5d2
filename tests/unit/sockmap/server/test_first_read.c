// SPDX-License-Identifier: GPL-2.0-only
/* Reading a first packet, up to its limit: what a client sends comes through a socket, whole and in
 * pieces. What follows a decision is played here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "sockmap/server/server_impl.h"

#define START "GET / HTTP/1.1\r\nHost: good\r\nX: "
#define END "\r\n\r\n"
#define LIMIT XF_FIRST_MAX

static const char rules[] = "host good -> 192.0.2.1:1\n"
			    "host other -> 192.0.2.1:2\n"
			    "any -> 192.0.2.1:3\n";

/* What became of the connection. */
static struct {
	bool over;
	enum xf_decision_kind kind; /* MORE: it was ended, with this outcome */
	unsigned int line;
	enum xf_outcome outcome;
	size_t len;
	uint8_t data[LIMIT];
} fate;

static void leave(struct xf_conn *conn)
{
	assert_false(fate.over);
	fate.over = true;
	xf_waiting__leave(conn);
	xf_loop__disarm(conn->server->loop, &conn->timer);
	xf_loop__del(conn->server->loop, &conn->client);
}

void xf_conn__decided(struct xf_conn *conn, const struct xf_decision *decision, const uint8_t *data,
		      size_t len)
{
	leave(conn);
	fate.kind = decision->kind;
	fate.line = decision->route ? decision->route->line : 0;
	fate.len = len;
	assert_in_range(len, 0, LIMIT);
	memcpy(fate.data, data, len);
}

void xf_conn__end(struct xf_conn *conn, enum xf_outcome outcome, int err)
{
	assert_int_equal(err, 0);
	leave(conn);
	fate.kind = XF_DECIDE_MORE;
	fate.outcome = outcome;
}

bool xf_mover__may_admit(const struct xf_mover *mover)
{
	(void)mover;
	return true;
}

uint64_t xf_mover__admit(struct xf_mover *mover, int client)
{
	(void)mover;
	(void)client;
	return 1;
}

void xf_conn__failed(struct xf_conn *conn, int err)
{
	(void)conn;
	fail_msg("failed: %s", strerror(err));
}

/* One connection of a server that has nothing but what first.c looks at. */
struct stage {
	struct xf_server server;
	struct xf_conn conn;
	int client;
};

static int set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	struct xf_routes_error error;
	int ends[2];

	if (!stage || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) ||
	    xf_loop__new(&stage->server.loop) ||
	    xf_routes__parse(&stage->conn.routes, rules, strlen(rules), NULL, NULL, &error) ||
	    xf_sockaddr_parse("192.0.2.9:1", 0, &stage->conn.peer, NULL))
		return -1;
	stage->server.opts.max_waiting = 10;
	stage->server.opts.first_timeout = 3600 * XF_NSEC;
	stage->conn.server = &stage->server;
	stage->conn.client.fd = -1;
	stage->conn.accepted = xf_loop__now(stage->server.loop);
	stage->conn.fd = ends[0];
	stage->client = ends[1];
	memset(&fate, 0, sizeof(fate));
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;

	if (!fate.over)
		leave(&stage->conn);
	assert_int_equal(stage->server.first.n, 0);
	close(stage->client);
	close(stage->conn.fd);
	free(stage->conn.data);
	xf_routes__put(stage->conn.routes);
	xf_loop__free(stage->server.loop);
	free(stage);
	return 0;
}

/* A request that ends with its @len'th byte: not before that is it clear that no second Host comes.
 * What is behind it in the buffer is 'x'. */
static const char *request(size_t len)
{
	static char text[4 * LIMIT];

	memset(text, 'x', sizeof(text));
	memcpy(text, START, strlen(START));
	memcpy(text + len - strlen(END), END, strlen(END));
	return text;
}

/* The client sends @len bytes, @piece at a time; each is read before the next is sent, and the
 * first before the server looks. */
static void sends(struct stage *stage, const char *data, size_t len, size_t piece)
{
	for (size_t at = 0; at < len; at += piece) {
		size_t n = len - at < piece ? len - at : piece;

		assert_int_equal(send(stage->client, data + at, n, MSG_NOSIGNAL), n);
		if (!at)
			xf_first__begin(&stage->conn);
		else
			assert_int_equal(xf_loop__turn(stage->server.loop, 0), 0);
	}
}

static void is_routed(const char *data, size_t len, unsigned int line)
{
	assert_true(fate.over);
	assert_int_equal(fate.kind, XF_DECIDE_ROUTE);
	assert_int_equal(fate.line, line);
	assert_int_equal(fate.len, len);
	assert_memory_equal(fate.data, data, len);
}

static void is_too_large(void)
{
	assert_true(fate.over);
	assert_int_equal(fate.kind, XF_DECIDE_MORE);
	assert_int_equal(fate.outcome, XF_OUTCOME_FIRST_SIZE);
}

static void in_one_piece(void **state)
{
	sends(*state, request(LIMIT), LIMIT, LIMIT);
	is_routed(request(LIMIT), LIMIT, 1);
}

static void one_byte_less(void **state)
{
	sends(*state, request(LIMIT - 1), LIMIT - 1, LIMIT);
	is_routed(request(LIMIT - 1), LIMIT - 1, 1);
}

static void in_small_pieces(void **state)
{
	sends(*state, request(LIMIT), LIMIT, 1000);
	is_routed(request(LIMIT), LIMIT, 1);
}

static void the_last_byte_alone(void **state)
{
	struct stage *stage = *state;

	sends(stage, request(LIMIT), LIMIT - 1, LIMIT - 1);
	assert_false(fate.over);
	assert_int_equal(stage->server.first.n, 1);
	assert_int_equal(send(stage->client, request(LIMIT) + LIMIT - 1, 1, 0), 1);
	assert_int_equal(xf_loop__turn(stage->server.loop, 0), 0);
	is_routed(request(LIMIT), LIMIT, 1);
}

/* What comes behind the limit stays where it is. */
static void more_behind_it(void **state)
{
	struct stage *stage = *state;
	char byte;

	sends(stage, request(LIMIT), LIMIT + 1000, LIMIT + 1000);
	is_routed(request(LIMIT), LIMIT, 1);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(recv(stage->conn.fd, &byte, 1, MSG_DONTWAIT), 1);
	assert_int_equal(recv(stage->conn.fd, &byte, 1, MSG_DONTWAIT), -1);
}

static void one_byte_too_many(void **state)
{
	sends(*state, request(LIMIT + 1), LIMIT + 1, LIMIT + 1);
	is_too_large();
}

static void one_byte_too_many_in_pieces(void **state)
{
	sends(*state, request(LIMIT + 1), LIMIT + 1, 1000);
	is_too_large();
}

/* There is no need to see the byte that is too many: one is needed. */
static void no_decision_at_the_limit(void **state)
{
	struct stage *stage = *state;

	sends(stage, request(LIMIT + 1), LIMIT - 1, LIMIT - 1);
	assert_false(fate.over);
	assert_int_equal(send(stage->client, request(LIMIT + 1) + LIMIT - 1, 1, 0), 1);
	assert_int_equal(xf_loop__turn(stage->server.loop, 0), 0);
	is_too_large();
}

static void far_too_many(void **state)
{
	sends(*state, request(3 * LIMIT), 3 * LIMIT, 3 * LIMIT);
	is_too_large();
}

/* The client has said all: what it is not is clear then. */
static void an_end_decides(void **state)
{
	struct stage *stage = *state;

	sends(stage, request(LIMIT + 1), LIMIT - 1, 5000);
	assert_false(fate.over);
	assert_int_equal(shutdown(stage->client, SHUT_WR), 0);
	assert_int_equal(xf_loop__turn(stage->server.loop, 0), 0);
	is_routed(request(LIMIT + 1), LIMIT - 1, 3);
}

/* Whatever the pieces, nothing is lost or read twice. */
static void any_pieces(void **state)
{
	struct stage *stage = *state;
	const char *data = request(LIMIT);
	size_t at = 0, n;

	srand(1);
	for (; at < LIMIT; at += n) {
		n = 1 + rand() % 700;
		n = n < LIMIT - at ? n : LIMIT - at;
		assert_int_equal(send(stage->client, data + at, n, 0), n);
		if (!at)
			xf_first__begin(&stage->conn);
		else
			assert_int_equal(xf_loop__turn(stage->server.loop, 0), 0);
		assert_int_equal(fate.over, at + n == LIMIT);
	}
	is_routed(data, LIMIT, 1);
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
	};

	return cmocka_run_group_tests_name("first_read", tests, NULL, NULL);
}
