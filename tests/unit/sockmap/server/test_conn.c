// SPDX-License-Identifier: GPL-2.0-only
/* How conn.c acts on the steps of the phases, and how connections make way for others. Clients are
 * sockets, first packets are read for good; the dial, the relay and the memory are played here. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "sockmap/server/conn.h"
#include "sockmap/server/phases.h"
#include "tests/unit/capture.h"

#define PLACES 3
#define GUESTS (4 * PLACES)
#define REQUEST "GET / HTTP/1.1\r\nHost: good\r\n\r\n"

static const char rules[] = "host good -> 192.0.2.1:1\n"
			    "token @secret -> 192.0.2.1:2\n";
static const char token[] = "secret";

/* Guest number i comes from port i + 1. */
struct guest {
	int client;
	int upstream; /* the other end of what was dialled last, 0: none */
	enum { UNSEEN, WAITS, SERVED, DIALS, ENDED } state;
	enum xf_outcome outcome; /* when ENDED */
	int error;
	struct xf_conn *conn; /* until then */
};

static struct xf_server server;
static struct guest guests[GUESTS];
static unsigned int memory; /* so many more can have some */

/* The answers of what is played here. */
static enum xf_step dial_step;
static struct xf_result dial_result; /* of a dial that fails */
static int relay_error;

static struct guest *guest_at(const struct xf_addr *peer)
{
	return &guests[xf_sockaddr_port(peer) - 1];
}

/* ---- the dial ---- */

static enum xf_step play_dial(struct xf_conn *conn, struct xf_result *result)
{
	struct guest *guest = guest_at(&conn->peer);
	int ends[2];

	assert_int_equal(conn->phase, XF_PHASE_DIAL);
	if (dial_step == XF_STEP_FAILED) {
		*result = dial_result;
		return dial_step;
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
	if (guest->upstream)
		close(guest->upstream);
	result->fd = ends[0];
	guest->upstream = ends[1];
	guest->state = DIALS;
	return dial_step;
}

enum xf_step xf_dial__begin(struct xf_conn *conn, struct xf_result *result)
{
	struct guest *guest = guest_at(&conn->peer);

	assert_int_equal(guest->state, WAITS);
	assert_int_equal(conn->prefix_len, strlen(REQUEST));
	assert_memory_equal(conn->prefix, REQUEST, strlen(REQUEST));
	return play_dial(conn, result);
}

enum xf_step xf_dial__answered(struct xf_conn *conn, struct xf_result *result)
{
	result->fd = conn->upstream.fd;
	return dial_step;
}

enum xf_step xf_dial__client_event(struct xf_conn *conn, uint32_t events, struct xf_result *result)
{
	(void)events;
	result->fd = conn->upstream.fd;
	return dial_step;
}

enum xf_step xf_dial__timed_out(struct xf_conn *conn, struct xf_result *result)
{
	xf_loop__close(server.loop, &conn->upstream);
	return play_dial(conn, result);
}

/* ---- the relay and the memory ---- */

struct xf_relay {
	struct xf_relay_opts opts;
};

/* A relay needs no memory here. */
int xf_relay__new(struct xf_mover *mover, const struct xf_relay_opts *opts, struct xf_relay **relay)
{
	struct xf_conn *conn = opts->arg;

	(void)mover;
	memory += opts->reserved;
	if (relay_error)
		return relay_error;
	*relay = calloc(1, sizeof(**relay));
	assert_non_null(*relay);
	(*relay)->opts = *opts;
	guest_at(&conn->peer)->state = SERVED;
	return 0;
}

void xf_relay__abort(struct xf_relay *relay, enum xf_end end)
{
	close(relay->opts.client);
	if (relay->opts.upstream >= 0)
		close(relay->opts.upstream);
	free(relay->opts.prefix);
	relay->opts.on_end(relay, end, relay->opts.arg);
	free(relay);
}

void xf_relay__stats(struct xf_relay *relay, struct xf_relay_stats *stats)
{
	(void)relay;
	*stats = (struct xf_relay_stats) {};
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

void xf_mover__dismiss(struct xf_mover *mover, uint64_t reserved)
{
	(void)mover;
	memory += reserved;
}

/* ---- guests ---- */

static void on_end(const struct xf_report *report, void *arg)
{
	struct guest *guest = guest_at(&report->peer);

	(void)arg;
	assert_int_not_equal(guest->state, ENDED);
	guest->state = ENDED;
	guest->outcome = report->outcome;
	guest->error = report->error;
	guest->conn = NULL;
}

static uint8_t *read_token(const char *path, size_t *len, char *why, size_t why_len, void *arg)
{
	(void)path;
	(void)why;
	(void)why_len;
	(void)arg;
	*len = strlen(token);
	return (uint8_t *)strdup(token);
}

static int set_up(void **state)
{
	struct xf_routes_error error;

	(void)state;
	memset(&server, 0, sizeof(server));
	memset(guests, 0, sizeof(guests));
	server.opts.max_waiting = PLACES;
	server.opts.first_timeout = 3600 * XF_NSEC;
	server.opts.dial_timeout = 1800 * XF_NSEC;
	server.opts.on_end = on_end;
	memory = GUESTS;
	dial_step = XF_STEP_DECIDED;
	relay_error = 0;
	if (xf_routes__parse(&server.opts.routes, rules, strlen(rules), read_token, NULL, &error))
		return -1;
	return xf_loop__new(&server.loop);
}

static int tear_down(void **state)
{
	(void)state;
	while (server.conns)
		xf_conn__abort(server.conns, XF_OUTCOME_DRAIN);
	for (struct guest *guest = guests; guest < guests + GUESTS && guest->state; guest++) {
		close(guest->client);
		if (guest->upstream)
			close(guest->upstream);
	}
	assert_int_equal(server.counters.active, 0);
	assert_int_equal(server.first.n, 0);
	assert_int_equal(server.dials.n, 0);
	assert_int_equal(memory, GUESTS);
	xf_loop__free(server.loop);
	xf_routes__put(server.opts.routes);
	return 0;
}

/* The guests from @at to before @end come, and have said @text; no event is handled meanwhile. */
static void come_saying(unsigned int at, unsigned int end, const char *text)
{
	struct xf_addr peer;
	int ends[2];

	assert_int_equal(xf_sockaddr_parse("192.0.2.9:1", 0, &peer, NULL), 0);
	for (; at < end; at++) {
		struct guest *guest = &guests[at];

		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends), 0);
		peer.in.sin_port = htons(at + 1);
		guest->client = ends[1];
		guest->state = WAITS;
		assert_int_equal(send(guest->client, text, strlen(text), MSG_NOSIGNAL),
				 strlen(text));
		xf_conn__new(&server, ends[0], &peer);
		if (guest->state != ENDED)
			guest->conn = server.conns;
	}
}

static void come(unsigned int at, unsigned int end)
{
	come_saying(at, end, "");
}

static void say(unsigned int at, const char *text)
{
	assert_int_equal(send(guests[at].client, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void turn(int wait_ms)
{
	assert_int_equal(xf_loop__turn(server.loop, wait_ms), 0);
}

static void are(unsigned int at, unsigned int end, int state)
{
	for (; at < end; at++) {
		assert_int_equal(guests[at].state, state);
		if (state == ENDED)
			assert_int_equal(guests[at].outcome, XF_OUTCOME_FIRST_CROWD);
	}
}

static void has_ended(unsigned int at, enum xf_outcome outcome, int error)
{
	assert_int_equal(guests[at].state, ENDED);
	assert_int_equal(guests[at].outcome, outcome);
	assert_int_equal(guests[at].error, error);
}

static bool is_closed(int peer)
{
	char byte;

	return !recv(peer, &byte, 1, MSG_DONTWAIT) || errno == ECONNRESET;
}

/* ---- making way ---- */

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

/* A connection that is read to make way and then waits for an upstream has only begun to. */
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
	/* In its turn it makes way, too. */
	turn(2);
	come(PLACES + 1, 2 * PLACES + 1);
	are(0, PLACES + 1, ENDED);
	are(PLACES + 1, 2 * PLACES + 1, WAITS);
	assert_true(is_closed(guests[0].upstream));
	memory += GUESTS - PLACES;
}

/* ---- steps ---- */

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
}

static void the_first_packet_has_a_deadline(void **state)
{
	(void)state;
	server.opts.first_timeout = 0;
	come(0, 1);
	turn(0);
	has_ended(0, XF_OUTCOME_FIRST_TIMEOUT, 0);
}

/* An answer of the upstream after which the dial goes on, and an event of the client that was not
 * asked for, leave the deadline where it was. */
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
	turn(0); /* the first one is given up */
	are(0, 1, DIALS);
	assert_true(conn->timer.at >= xf_loop__now(server.loop) + 1799 * XF_NSEC);
	assert_int_equal(conn->since, since); /* it has waited since the first one */
	dial_step = XF_STEP_DECIDED;
	turn(0); /* a unix socket can be written to: that is an answer */
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

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_longest_waiting_makes_way),
		TEST(a_first_packet_that_has_come_is_served),
		TEST(a_burst_is_served),
		TEST(a_dribbling_client_makes_way_in_its_turn),
		TEST(a_client_that_hung_up_is_not_crowded_out),
		TEST(memory_is_made_in_the_same_way),
		TEST(a_dial_that_begins_when_it_makes_way_stays),
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
