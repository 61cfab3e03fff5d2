// SPDX-License-Identifier: GPL-2.0-only
/* The sockmap engine with its programs, in the test's process: lost bytes, ends, and
 * reservations. The
 * test reads from the relay's own sockets, as if the kernel had dropped the bytes. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sockmap/relay/budget.h"
#include "sockmap/engine/engine.h"
#include "sockmap/relay/room.h"
#include "sockmap/engine/sockmap_impl.h"
#include "sockmap/relay/tcp_state.h"
#include "tests/prog/harness.h"
#include "tests/lib/loopback.h"

#define MEMORY (64 << 20)

struct fixture {
	struct xf_loop *loop;
	struct xf_mover *mover;
	struct xf_budget budget;
	struct xf_relay *relay;
	int client, server; /* the peers of the relay's two sockets */
	bool ended;
	enum xf_end end;
};

static void on_end(struct xf_relay *relay, enum xf_end end, void *arg)
{
	struct fixture *f = arg;

	(void)relay;
	f->ended = true;
	f->end = end;
}

static void turns(struct fixture *f, int ms)
{
	uint64_t until;

	xf_loop__turn(f->loop, 0);
	until = xf_loop__now(f->loop) + ms * XF_MSEC;
	while (!f->ended && xf_loop__now(f->loop) < until)
		xf_loop__turn(f->loop, 10);
}

/* Fails when the text does not arrive within five seconds. */
static void arrives(struct fixture *f, const char *text)
{
	char got[64] = {};
	size_t n = 0;

	for (int i = 0; i < 500 && n < strlen(text); i++) {
		ssize_t more = recv(f->server, got + n, strlen(text) - n, MSG_DONTWAIT);

		n += more > 0 ? more : 0;
		turns(f, 10);
	}
	assert_string_equal(got, text);
}

static void give(struct fixture *f, const char *text)
{
	assert_int_equal(send(f->client, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Begin while others have taken so much of the budget. */
static void begin_beside(struct fixture *f, uint64_t taken)
{
	struct xf_mover_opts mover = {
		.engine = XF_ENGINE_SOCKMAP,
		.budget = &f->budget,
		.max_relays = 1,
	};
	struct xf_relay_opts opts = { .on_end = on_end, .arg = f };

	memset(f, 0, sizeof(*f));
	xf_budget__init(&f->budget, MEMORY + taken);
	assert_true(xf_budget__take(&f->budget, taken));
	assert_int_equal(xf_loop__new(&f->loop), 0);
	assert_int_equal(xf_mover__new(&f->mover, f->loop, &mover), 0);
	xf_connect_pair(&f->client, &opts.client);
	xf_connect_pair(&opts.upstream, &f->server);
	assert_int_equal(fcntl(opts.client, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(fcntl(opts.upstream, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(xf_relay__new(f->mover, &opts, &f->relay), 0);
	give(f, "first");
	arrives(f, "first");
	assert_non_null(f->relay->mapped);
}

static void begin(struct fixture *f)
{
	begin_beside(f, 0);
}

static struct xf_mapped_flow *up(struct fixture *f)
{
	return &f->relay->mapped->flow[0];
}

static void finish(struct fixture *f)
{
	if (!f->ended)
		xf_relay__abort(f->relay, XF_END_DRAIN);
	turns(f, 10);
	xf_loop__turn(f->loop, 0);
	close(f->client);
	close(f->server);
	xf_mover__free(f->mover);
	assert_int_equal(xf_budget__left(&f->budget), MEMORY);
	xf_loop__free(f->loop);
}

/* Send from the client, and take the bytes out of the relay's socket before they are moved. */
static void lose(struct fixture *f, const char *text)
{
	char got[64];
	ssize_t n = -1;

	give(f, text);
	for (int i = 0; i < 5000 && n < 0; i++) {
		n = recv(f->relay->side[0].watch.fd, got, sizeof(got), 0);
		usleep(1000);
	}
	assert_int_equal(n, (ssize_t)strlen(text));
}

/* Fails when bytes behind the lost ones are delivered, or the server is not reset. */
static void is_reset(struct fixture *f)
{
	char got[64];

	turns(f, 5000);
	assert_true(f->ended);
	assert_int_equal(f->end, XF_END_ERROR);
	assert_int_equal(recv(f->server, got, sizeof(got), 0), -1);
	assert_int_equal(errno, ECONNRESET);
}

/* ---- the moments when sources enter and leave the map ---- */

/* The fixture whose sources enter, whether the next one is the second, and the text that is lost
 * when the first one leaves. */
static struct fixture *moving;
static bool is_second;
static const char *eaten;

int __real_bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags);
int __wrap_bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags);
int __real_bpf_map_delete_elem(int fd, const void *key);
int __wrap_bpf_map_delete_elem(int fd, const void *key);

static bool is_source(int map)
{
	return moving && moving->mover->sockmap && map == moving->mover->sockmap->src;
}

int __wrap_bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags)
{
	if (is_source(fd) && is_second)
		shutdown(moving->server, SHUT_WR);
	is_second = is_second || is_source(fd);
	return __real_bpf_map_update_elem(fd, key, value, flags);
}

int __wrap_bpf_map_delete_elem(int fd, const void *key)
{
	int ret = __real_bpf_map_delete_elem(fd, key);

	if (is_source(fd) && eaten)
		lose(moving, eaten);
	eaten = is_source(fd) ? NULL : eaten;
	return ret;
}

/* Another engine is wanted from now on. */
static void move(struct fixture *f, enum xf_engine_id engine)
{
	f->mover->opts.engine = engine;
	xf_relay__move(f->relay, engine);
}

static void leaves(struct fixture *f)
{
	move(f, XF_ENGINE_COPY);
	for (int i = 0; i < 500 && !f->ended && f->relay->stopping; i++)
		turns(f, 10);
}

static void test_lost_on_leaving(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	moving = &f;
	eaten = "lost";
	leaves(&f);
	moving = NULL;
	assert_null(eaten);
	is_reset(&f);
	finish(&f);
}

static void test_leaves_and_comes_back(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	for (int i = 0; i < 20; i++) {
		leaves(&f);
		assert_false(f.relay->stopping);
		assert_null(f.relay->mapped);
		give(&f, "outside");
		arrives(&f, "outside");
		move(&f, XF_ENGINE_SOCKMAP);
		assert_non_null(f.relay->mapped);
		give(&f, "inside");
		arrives(&f, "inside");
	}
	assert_int_equal(up(&f)->state, XF_MAPPED);
	finish(&f);
}

/* The second source is refused, because its FIN has come: that direction goes by hand, and the
 * first one stays. */
static void test_second_source_is_refused(void **state)
{
	struct fixture f;
	char byte;

	(void)state;
	begin(&f);
	leaves(&f);
	is_second = false;
	moving = &f;
	move(&f, XF_ENGINE_SOCKMAP);
	moving = NULL;
	assert_true(is_second);
	assert_non_null(f.relay->mapped);
	assert_int_equal(f.relay->mapped->flow[1].state, XF_BY_HAND);
	give(&f, "more");
	arrives(&f, "more");
	turns(&f, 50);
	assert_int_equal(recv(f.client, &byte, 1, MSG_DONTWAIT), 0);
	assert_false(f.ended);
	shutdown(f.client, SHUT_WR);
	turns(&f, 2000);
	assert_int_equal(f.end, XF_END_CLOSED);
	finish(&f);
}

/* ---- a receiver that does not read ---- */

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
		turns(f, 5);
	}
	return sent;
}

static size_t drain(struct fixture *f, size_t least)
{
	static char data[65536];
	size_t got = 0;
	ssize_t n;

	for (int i = 0; i < 5000 && got < least; i++) {
		n = recv(f->server, data, sizeof(data), MSG_DONTWAIT);
		got += n > 0 ? n : 0;
		turns(f, n > 0 ? 0 : 5);
	}
	return got;
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
	begin(&f);
	idle = reserved(&f);
	assert_int_equal(idle, f.relay->limit[0] + f.relay->limit[1]);
	sent = fill(&f);
	assert_true(f.relay->paused[0]);
	assert_true(xf_mapped__waits(up(&f)));
	assert_in_range(reserved(&f), idle + f.relay->buffer[0], MEMORY);
	assert_int_equal(f.relay->mapped->timer.pos, 0);
	assert_int_equal(drain(&f, sent), sent);
	turns(&f, 20);
	assert_false(f.relay->paused[0]);
	assert_false(xf_mapped__waits(up(&f)));
	assert_int_equal(f.relay->moves, 1);
	finish(&f);
}

/* All bytes come before the FIN, however they went. */
static void test_end_while_stalled(void **state)
{
	struct fixture f;
	size_t sent;
	char byte;

	(void)state;
	begin(&f);
	sent = fill(&f);
	shutdown(f.client, SHUT_WR);
	shutdown(f.server, SHUT_WR);
	turns(&f, 50);
	assert_false(f.ended);
	assert_int_equal(drain(&f, sent), sent);
	turns(&f, 2000);
	assert_int_equal(f.end, XF_END_CLOSED);
	assert_int_equal(recv(f.server, &byte, 1, 0), 0);
	finish(&f);
}

/* A direction whose reader has stalled keeps the relay from leaving, but the other one goes on. */
static void test_leaves_later(void **state)
{
	struct fixture f;
	char got[8] = "";
	size_t sent;

	(void)state;
	begin(&f);
	sent = fill(&f);
	move(&f, XF_ENGINE_COPY);
	turns(&f, 100);
	assert_true(f.relay->stopping);
	assert_int_equal(send(f.server, "answer", 6, 0), 6);
	turns(&f, 100);
	assert_int_equal(recv(f.client, got, sizeof(got), MSG_DONTWAIT), 6);
	assert_int_equal(drain(&f, sent), sent);
	turns(&f, 200);
	assert_false(f.relay->stopping);
	assert_int_equal(f.relay->engine->id, XF_ENGINE_COPY);
	finish(&f);
}

/* Without memory for the bytes that wait the connection is ended. */
static void test_no_memory(void **state)
{
	struct fixture f;
	uint64_t left;

	(void)state;
	begin(&f);
	left = xf_budget__left(&f.budget);
	assert_true(xf_budget__take(&f.budget, left));
	fill(&f);
	assert_true(f.ended);
	assert_int_equal(f.end, XF_END_MEMORY);
	xf_budget__give(&f.budget, left);
	finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lost_on_leaving),
		cmocka_unit_test(test_leaves_and_comes_back),
		cmocka_unit_test(test_second_source_is_refused),
		cmocka_unit_test(test_stalled),
		cmocka_unit_test(test_end_while_stalled),
		cmocka_unit_test(test_leaves_later),
		cmocka_unit_test(test_no_memory),
	};

	if (xf_own_loopback())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
