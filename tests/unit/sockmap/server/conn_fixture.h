/* SPDX-License-Identifier: GPL-2.0-only */
/* A server whose clients are sockets, and which reads first packets as in the product. The dial,
 * the relay and the memory are replaced here, in a header, because an object of the archive of
 * fixtures would replace them in other tests, too. */
#ifndef XF_TEST_CONN_FIXTURE_H
#define XF_TEST_CONN_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "sockmap/server/conn.h"
#include "sockmap/server/phases.h"

#define PLACES 3
#define GUESTS (4 * PLACES)
#define REQUEST "GET / HTTP/1.1\r\nHost: good\r\n\r\n"

/* Client number i has port i + 1. */
struct guest {
	int client;
	int upstream; /* the other end of the last dial, or 0 */
	enum { UNSEEN, WAITS, SERVED, DIALS, ENDED } state;
	enum xf_outcome outcome; /* when ENDED */
	int error;
	struct xf_conn *conn; /* until then */
};

static const char rules[] = "host good -> 192.0.2.1:1\n"
			    "token @secret -> 192.0.2.1:2\n";
static const char token[] = "secret";

static struct xf_server server;
static const struct xf_listener listener = { .server = &server };
static struct guest guests[GUESTS];
static unsigned int memory; /* so many more connections get some */

/* The results of the replaced functions. */
static enum xf_step dial_step;
static struct xf_result dial_result; /* of a dial that fails */
static int relay_error;

static inline struct guest *guest_at(const struct xf_addr *peer)
{
	return &guests[xf_sockaddr_port(peer) - 1];
}

/* ---- the dial ---- */

static inline enum xf_step play_dial(struct xf_conn *conn, struct xf_result *result)
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

/* The replaced relay needs no memory. */
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

void xf_mover__prepare(const struct xf_mover *mover, int fd)
{
	(void)mover;
	(void)fd;
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

static inline void on_end(const struct xf_report *report, void *arg)
{
	struct guest *guest = guest_at(&report->peer);

	(void)arg;
	assert_int_not_equal(guest->state, ENDED);
	guest->state = ENDED;
	guest->outcome = report->outcome;
	guest->error = report->error;
	guest->conn = NULL;
}

static inline uint8_t *read_token(const char *path, size_t *len, char *why, size_t why_len,
				  void *arg)
{
	(void)path;
	(void)why;
	(void)why_len;
	(void)arg;
	*len = strlen(token);
	return (uint8_t *)strdup(token);
}

static inline int conn_set_up(void **state)
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

static inline int conn_tear_down(void **state)
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

/* Let the guests from @at to before @end come and send @text, without a turn of the loop. */
static inline void come_saying(unsigned int at, unsigned int end, const char *text)
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
		xf_conn__new(&listener, ends[0], &peer);
		if (guest->state != ENDED)
			guest->conn = server.conns;
	}
}

static inline void come(unsigned int at, unsigned int end)
{
	come_saying(at, end, "");
}

static inline void say(unsigned int at, const char *text)
{
	assert_int_equal(send(guests[at].client, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static inline void turn(int wait_ms)
{
	assert_int_equal(xf_loop__turn(server.loop, wait_ms), 0);
}

/* Fails when the guests from @at to before @end are in another state, or ended with another outcome
 * than XF_OUTCOME_FIRST_CROWD. */
static inline void are(unsigned int at, unsigned int end, int state)
{
	for (; at < end; at++) {
		assert_int_equal(guests[at].state, state);
		if (state == ENDED)
			assert_int_equal(guests[at].outcome, XF_OUTCOME_FIRST_CROWD);
	}
}

static inline void has_ended(unsigned int at, enum xf_outcome outcome, int error)
{
	assert_int_equal(guests[at].state, ENDED);
	assert_int_equal(guests[at].outcome, outcome);
	assert_int_equal(guests[at].error, error);
}

static inline bool is_closed(int peer)
{
	char byte;

	return !recv(peer, &byte, 1, MSG_DONTWAIT) || errno == ECONNRESET;
}

#endif
