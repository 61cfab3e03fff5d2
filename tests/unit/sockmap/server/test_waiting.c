// SPDX-License-Identifier: GPL-2.0-only
/* Who makes room for those who come: what clients sent and when comes through sockets, what follows
 * a decision is played here. */
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

#define PLACES 3
#define GUESTS (4 * PLACES)
#define REQUEST "GET / HTTP/1.1\r\nHost: good\r\n\r\n"

static const char rules[] = "host good -> 192.0.2.1:1\n";

struct guest {
	struct xf_conn conn;
	int client;
	enum { UNSEEN, WAITS, SERVED, DIALS, ENDED } state;
	enum xf_outcome outcome; /* of what is ENDED */
};

static struct xf_server server;
static struct guest guests[GUESTS];
static unsigned int memory;	/* so many more can have some */
static bool upstream_is_silent; /* who is decided about waits for it */

static struct guest *guest_of(struct xf_conn *conn)
{
	return xf_container_of(conn, struct guest, conn);
}

static void leave(struct xf_conn *conn)
{
	xf_waiting__leave(conn);
	xf_loop__disarm(server.loop, &conn->timer);
	xf_loop__del(server.loop, &conn->client);
	memory += conn->reserved;
	conn->reserved = 0;
}

void xf_conn__decided(struct xf_conn *conn, const struct xf_decision *decision, const uint8_t *data,
		      size_t len)
{
	struct guest *guest = guest_of(conn);

	assert_int_equal(guest->state, WAITS);
	assert_int_equal(decision->kind, XF_DECIDE_ROUTE);
	assert_int_equal(len, strlen(REQUEST));
	assert_memory_equal(data, REQUEST, len);
	if (upstream_is_silent) {
		guest->state = DIALS;
		xf_waiting__enter(conn, &server.dials);
		return;
	}
	guest->state = SERVED;
	leave(conn);
}

void xf_conn__end(struct xf_conn *conn, enum xf_outcome outcome, int err)
{
	struct guest *guest = guest_of(conn);

	assert_int_equal(err, 0);
	assert_true(guest->state == WAITS || guest->state == DIALS);
	guest->state = ENDED;
	guest->outcome = outcome;
	leave(conn);
}

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

void xf_conn__failed(struct xf_conn *conn, int err)
{
	(void)conn;
	fail_msg("failed: %s", strerror(err));
}

static int set_up(void **state)
{
	(void)state;
	memset(&server, 0, sizeof(server));
	memset(guests, 0, sizeof(guests));
	server.opts.max_waiting = PLACES;
	server.opts.first_timeout = 3600 * XF_NSEC;
	memory = GUESTS;
	upstream_is_silent = false;
	return xf_loop__new(&server.loop);
}

static int tear_down(void **state)
{
	(void)state;
	for (struct guest *guest = guests; guest < guests + GUESTS && guest->state; guest++) {
		leave(&guest->conn);
		close(guest->client);
		close(guest->conn.fd);
		free(guest->conn.data);
		xf_routes__put(guest->conn.routes);
	}
	assert_int_equal(server.first.n, 0);
	assert_int_equal(server.dials.n, 0);
	assert_int_equal(memory, GUESTS);
	xf_loop__free(server.loop);
	return 0;
}

/* The guests from @at to before @end come; no event is handled meanwhile. */
static void come(unsigned int at, unsigned int end)
{
	struct xf_routes_error error;
	int ends[2];

	for (; at < end; at++) {
		struct guest *guest = &guests[at];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
		assert_int_equal(
		    xf_routes__parse(&guest->conn.routes, rules, strlen(rules), NULL, NULL, &error),
		    0);
		assert_int_equal(xf_sockaddr_parse("192.0.2.9:1", 0, &guest->conn.peer, NULL), 0);
		guest->conn.server = &server;
		guest->conn.accepted = xf_loop__now(server.loop);
		guest->conn.client.fd = -1;
		guest->conn.fd = ends[0];
		guest->client = ends[1];
		guest->state = WAITS;
		xf_first__begin(&guest->conn);
	}
}

static void say(unsigned int at, const char *text)
{
	assert_int_equal(send(guests[at].client, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void are(unsigned int at, unsigned int end, int state)
{
	for (; at < end; at++) {
		assert_int_equal(guests[at].state, state);
		if (state == ENDED)
			assert_int_equal(guests[at].outcome, XF_OUTCOME_FIRST_CROWD);
	}
}

static void who_has_waited_longest_makes_room(void **state)
{
	(void)state;
	come(0, PLACES + 2);
	are(0, 2, ENDED);
	are(2, PLACES + 2, WAITS);
}

static void who_has_spoken_is_served(void **state)
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

/* More than there are places, all at a time. */
static void a_burst_is_served(void **state)
{
	(void)state;
	for (unsigned int at = 0; at < GUESTS; at += PLACES) {
		come(at, at + PLACES);
		for (unsigned int i = at; i < at + PLACES; i++)
			say(i, REQUEST);
	}
	are(0, GUESTS - PLACES, SERVED);
	assert_int_equal(xf_loop__turn(server.loop, 0), 0);
	are(0, GUESTS, SERVED);
}

static void who_dribbles_goes_in_its_turn(void **state)
{
	(void)state;
	come(0, PLACES);
	say(0, "G");
	assert_int_equal(xf_loop__turn(server.loop, 0), 0);
	say(0, "E");
	say(1, "G");
	come(PLACES, PLACES + 2);
	are(0, 2, ENDED);
	assert_int_equal(guests[0].conn.len, 2);
	are(2, PLACES + 2, WAITS);
}

static void who_has_hung_up_is_not_crowded_out(void **state)
{
	(void)state;
	come(0, PLACES);
	assert_int_equal(shutdown(guests[0].client, SHUT_WR), 0);
	come(PLACES, PLACES + 1);
	assert_int_equal(guests[0].state, ENDED);
	assert_int_equal(guests[0].outcome, XF_OUTCOME_CLIENT_GONE);
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

/* Who is heard and then waits for an upstream has only begun to. */
static void who_dials_since_it_was_heard_stays(void **state)
{
	(void)state;
	server.opts.max_waiting = GUESTS;
	memory = PLACES;
	upstream_is_silent = true;
	come(0, 1);
	assert_int_equal(xf_loop__turn(server.loop, 2), 0);
	come(1, PLACES);
	assert_int_equal(xf_loop__turn(server.loop, 2), 0);
	say(0, REQUEST);
	come(PLACES, PLACES + 1);
	are(0, 1, DIALS);
	are(1, 2, ENDED);
	are(2, PLACES + 1, WAITS);
	/* In its turn it makes room, too. */
	assert_int_equal(xf_loop__turn(server.loop, 2), 0);
	come(PLACES + 1, 2 * PLACES + 1);
	are(0, PLACES + 1, ENDED);
	are(PLACES + 1, 2 * PLACES + 1, WAITS);
	memory += GUESTS - PLACES;
}

/* Silent ones that come one after the other: those that wait have always just come. Returns for how
 * long. It is never too long, by the time that the server goes by; how late the machine lets it
 * look again is not its concern. */
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
	come(0, PLACES - 1);
	assert_false(xf_waiting__holds_back(&server));
	come(PLACES - 1, PLACES);
	do /* again when the machine stood still so long that there may be another burst */
		assert_true(held_back() >= 100 * XF_MSEC);
	while (xf_loop__now(server.loop) - server.grace_at >= XF_NSEC);
	come(PLACES, PLACES + 1);
	assert_int_equal(held_back(), 0);
	/* A while later there may be another burst. */
	server.grace_at -= XF_NSEC;
	assert_true(held_back() >= 100 * XF_MSEC);
}

static void who_waits_for_long_holds_nobody_back(void **state)
{
	(void)state;
	come(0, PLACES);
	guests[0].conn.since -= 100 * XF_MSEC;
	assert_false(xf_waiting__holds_back(&server));
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(who_has_waited_longest_makes_room),
		TEST(who_has_spoken_is_served),
		TEST(a_burst_is_served),
		TEST(who_dribbles_goes_in_its_turn),
		TEST(who_has_hung_up_is_not_crowded_out),
		TEST(memory_is_made_in_the_same_way),
		TEST(who_dials_since_it_was_heard_stays),
		TEST(others_are_held_back_for_a_moment_at_most),
		TEST(who_waits_for_long_holds_nobody_back),
	};

	return cmocka_run_group_tests_name("waiting", tests, NULL, NULL);
}
