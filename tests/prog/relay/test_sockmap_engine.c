// SPDX-License-Identifier: GPL-2.0-only
/* The sockmap engine with its programs, in the test's process: lost bytes, and reservations. The
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

/* A flow that is out of the map until its bytes are written ends meanwhile, and user space reads
 * the rest. */
static void test_lost_before_an_end(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	xf_mapped__drain(f.mover->sockmap, up(&f));
	lose(&f, "lost");
	give(&f, "behind");
	shutdown(f.client, SHUT_WR);
	is_reset(&f);
	finish(&f);
}

/* ---- the second source is refused, because its FIN has come, and the first one is taken out again
 * ---- */

/* The fixture whose sources enter the map, the next one, and the text that is lost when the first
 * one leaves. */
static struct fixture *entering;
static bool is_second;
static const char *eaten;

int __real_bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags);
int __wrap_bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags);
int __real_bpf_map_delete_elem(int fd, const void *key);
int __wrap_bpf_map_delete_elem(int fd, const void *key);

static bool is_source(int map)
{
	return entering && entering->mover->sockmap && map == entering->mover->sockmap->src;
}

int __wrap_bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags)
{
	if (is_source(fd) && is_second)
		shutdown(entering->server, SHUT_WR);
	is_second = is_second || is_source(fd);
	return __real_bpf_map_update_elem(fd, key, value, flags);
}

int __wrap_bpf_map_delete_elem(int fd, const void *key)
{
	int ret = __real_bpf_map_delete_elem(fd, key);

	if (is_source(fd) && eaten)
		lose(entering, eaten);
	return ret;
}

static void begin_half_closed(struct fixture *f, const char *lost)
{
	begin(f);
	xf_relay__move(f->relay, XF_ENGINE_COPY);
	assert_null(f->relay->mapped);
	is_second = false;
	eaten = lost;
	entering = f;
	xf_relay__move(f->relay, XF_ENGINE_SOCKMAP);
	entering = NULL;
	assert_true(is_second);
}

static void test_lost_in_withdrawal(void **state)
{
	struct fixture f;

	(void)state;
	begin_half_closed(&f, "lost");
	give(&f, "behind");
	is_reset(&f);
	finish(&f);
}

static void test_withdrawal(void **state)
{
	struct fixture f;

	(void)state;
	begin_half_closed(&f, NULL);
	assert_null(f.relay->mapped);
	give(&f, "more");
	arrives(&f, "more");
	assert_false(f.ended);
	finish(&f);
}

/* No byte is lost, and the FIN arrives. */
static void test_end_while_drained(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	xf_mapped__drain(f.mover->sockmap, up(&f));
	give(&f, "last");
	shutdown(f.client, SHUT_WR);
	arrives(&f, "last");
	shutdown(f.server, SHUT_WR);
	turns(&f, 2000);
	assert_true(f.ended);
	assert_int_equal(f.end, XF_END_CLOSED);
	finish(&f);
}

/* When all flows hold too much for this one to go back, its bytes are passed on, a few at a time.
 */
static void hold_back(struct fixture *f)
{
	struct xf_sockmap *sm = f->mover->sockmap;

	xf_mapped__drain(sm, up(f));
	sm->totals->held = 3 * sm->totals->held_max;
	up(f)->shared->base = 8;
	/* Act as after a limit that the program told of. */
	xf_loop__arm(f->loop, &f->relay->mapped->timer, xf_loop__now(f->loop));
}

static void test_passed_on(void **state)
{
	struct fixture f;
	uint64_t read;

	(void)state;
	begin(&f);
	hold_back(&f);
	read = up(&f)->consumed0;
	give(&f, "a little at a time");
	arrives(&f, "a little at a time");
	assert_in_range(up(&f)->consumed0 - read, 8, strlen("a little at a time"));
	finish(&f);
}

static void test_lost_before_it_is_passed_on(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	hold_back(&f);
	lose(&f, "lost");
	give(&f, "behind that which is lost");
	is_reset(&f);
	finish(&f);
}

/* The other direction has ended while a flow was out: no map takes its source any more, and it
 * moves to an engine that waits for events of the socket. */
static void test_cannot_go_back(void **state)
{
	struct fixture f;

	(void)state;
	begin(&f);
	hold_back(&f);
	give(&f, "a little at a time");
	shutdown(f.server, SHUT_WR);
	arrives(&f, "a little at a time");
	turns(&f, 200);
	assert_false(f.ended);
	assert_null(f.relay->mapped);
	assert_int_equal(f.relay->engine->id, XF_ENGINE_COPY);
	for (int i = 0; i < 3; i++) {
		give(&f, "more");
		arrives(&f, "more");
	}
	assert_int_equal(f.relay->engine->id, XF_ENGINE_COPY);
	shutdown(f.client, SHUT_WR);
	turns(&f, 2000);
	assert_int_equal(f.end, XF_END_CLOSED);
	finish(&f);
}

/* A connection in the map has its own share reserved, and a paused one a receive buffer that the
 * filter can give; bytes that came before the relay knew of the socket are read by then. */
static void test_reserved(void **state)
{
	struct fixture f;
	uint64_t pool;

	(void)state;
	begin(&f);
	pool = f.mover->sockmap->pool;
	assert_int_equal(xf_budget__left(&f.budget), MEMORY - pool - 2 * XF_ROOM_OWN);
	assert_in_range(up(&f)->shared->base, XF_ROOM_OWN, UINT64_MAX);
	f.relay->room[0] = XF_ROOM_SMALL;
	f.relay->buffer[0] = XF_ROOM_OFFERED + 5;
	xf_mapped__drain(f.mover->sockmap, up(&f));
	assert_int_equal(xf_room__pause_size(up(&f)->flow), XF_ROOM_OFFERED);
	assert_int_equal(xf_budget__left(&f.budget),
			 MEMORY - pool - 2 * XF_ROOM_OWN - XF_ROOM_OFFERED);
	finish(&f);
}

/* Idle connections reserve nothing of the last eighth of the budget, which is left to new ones. */
static void test_reserved_when_tight(void **state)
{
	struct fixture f;

	(void)state;
	begin_beside(&f, MEMORY / 2 * 3);
	assert_int_equal(xf_budget__left(&f.budget), MEMORY - f.mover->sockmap->pool);
	assert_in_range(up(&f)->shared->base, 1, f.mover->sockmap->pool / 4);
	finish(&f);
}

/* Memory that the filter could have given to a flow goes back when the last waiting flow is gone.
 */
static void test_offered_room_goes_back(void **state)
{
	struct fixture f;
	uint64_t taken, pool;

	(void)state;
	begin(&f);
	f.relay->room[0] = XF_ROOM_SMALL;
	taken = xf_budget__left(&f.budget);
	pool = f.mover->sockmap->pool;
	assert_true(xf_budget__take(&f.budget, taken));
	xf_mapped__drain(f.mover->sockmap, up(&f));
	assert_int_equal(f.mover->sockmap->roomless, 1);
	xf_budget__give(&f.budget, taken);
	xf_sockmap__offer(f.mover->sockmap);
	assert_int_equal(f.mover->sockmap->offered, 1);
	xf_relay__abort(f.relay, XF_END_DRAIN);
	turns(&f, 10);
	assert_int_equal(xf_budget__left(&f.budget), MEMORY - pool);
	finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lost_before_an_end),
		cmocka_unit_test(test_end_while_drained),
		cmocka_unit_test(test_cannot_go_back),
		cmocka_unit_test(test_lost_in_withdrawal),
		cmocka_unit_test(test_withdrawal),
		cmocka_unit_test(test_passed_on),
		cmocka_unit_test(test_lost_before_it_is_passed_on),
		cmocka_unit_test(test_reserved),
		cmocka_unit_test(test_reserved_when_tight),
		cmocka_unit_test(test_offered_room_goes_back),
	};

	if (xf_own_loopback())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
