// SPDX-License-Identifier: GPL-2.0-only
/* The end of a relay, over real sockets on loopback, where the test chooses the order of the peers'
 * packets and the relay's turns. There is no sockmap. */
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "sockmap/relay/budget.h"
#include "sockmap/engine/engine.h"
#include "sockmap/relay/room.h"

#define SMALL (8 * 1024)
#define BYTES (24 * 1024) /* more than a closed socket may still have to deliver */

const struct xf_engine xf_engine_sockmap = {};

int xf_sockmap__new(struct xf_mover *mover)
{
	(void)mover;
	return -1;
}

void xf_sockmap__free(struct xf_sockmap *sockmap)
{
	(void)sockmap;
}

void xf_sockmap__sync(struct xf_relay *relay)
{
	(void)relay;
}

struct fixture {
	struct xf_loop *loop;
	struct xf_mover *mover;
	struct xf_budget budget;
	struct xf_relay *relay;
	int client, server; /* the peers of the relay's two sockets */
	bool ended;
	enum xf_end end;
	struct xf_relay_stats stats;
};

static void on_end(struct xf_relay *relay, enum xf_end end, void *arg)
{
	struct fixture *f = arg;

	xf_relay__stats(relay, &f->stats);
	f->ended = true;
	f->end = end;
}

/* Connect two sockets. The receive buffer of @peer takes less than BYTES. */
static int make_pair(int *peer)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int listener = socket(AF_INET, SOCK_STREAM, 0), small = SMALL, ours;
	socklen_t len = sizeof(at);

	assert_return_code(setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	assert_return_code(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_return_code(listen(listener, 1), 0);
	assert_return_code(getsockname(listener, (struct sockaddr *)&at, &len), 0);
	ours = socket(AF_INET, SOCK_STREAM, 0);
	assert_return_code(connect(ours, (struct sockaddr *)&at, sizeof(at)), 0);
	*peer = accept(listener, NULL, NULL);
	assert_return_code(*peer, 0);
	close(listener);
	assert_return_code(fcntl(ours, F_SETFL, O_NONBLOCK), 0);
	return ours;
}

static void begin(struct fixture *f, enum xf_engine_id engine)
{
	struct xf_mover_opts mover = { .engine = engine, .budget = &f->budget, .max_relays = 1 };
	struct xf_relay_opts opts = { .on_end = on_end, .arg = f };

	memset(f, 0, sizeof(*f));
	xf_budget__init(&f->budget, 64 << 20);
	assert_int_equal(xf_loop__new(&f->loop), 0);
	assert_int_equal(xf_mover__new(&f->mover, f->loop, &mover), 0);
	opts.client = make_pair(&f->client);
	opts.upstream = make_pair(&f->server);
	assert_int_equal(xf_relay__new(f->mover, &opts, &f->relay), 0);
}

static void turns(struct fixture *f, int ms)
{
	uint64_t until;

	xf_loop__turn(f->loop, 0);
	until = xf_loop__now(f->loop) + ms * XF_MSEC;
	while (!f->ended && xf_loop__now(f->loop) < until)
		xf_loop__turn(f->loop, 10);
}

static void finish(struct fixture *f)
{
	assert_int_equal(xf_budget__left(&f->budget), 64 << 20);
	if (f->client >= 0)
		close(f->client);
	if (f->server >= 0)
		close(f->server);
	xf_mover__free(f->mover);
	xf_loop__free(f->loop);
}

static void reset(int *fd)
{
	struct linger at_once = { .l_onoff = 1 };

	setsockopt(*fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(*fd);
	*fd = -1;
}

static void send_all(int fd)
{
	static const char data[BYTES];

	assert_int_equal(send(fd, data, sizeof(data), MSG_NOSIGNAL), sizeof(data));
	assert_return_code(shutdown(fd, SHUT_WR), 0);
}

static const enum xf_engine_id engines[] = { XF_ENGINE_COPY, XF_ENGINE_SPLICE };

/* One side has sent all, and the other one sends its FIN and a reset: in one event, or with a pause
 * between the two. */
static void end_by_reset(enum xf_engine_id engine, bool by_client, bool pause)
{
	struct fixture f;
	int *side = by_client ? &f.client : &f.server;

	begin(&f, engine);
	send_all(by_client ? f.server : f.client);
	if (!pause)
		turns(&f, 30);
	assert_false(f.ended);
	shutdown(*side, SHUT_WR);
	if (pause)
		turns(&f, 30);
	assert_false(f.ended);
	assert_int_equal(f.relay->lingering, pause);
	reset(side);
	turns(&f, 1000);
	assert_true(f.ended);
	assert_int_equal(f.end, by_client ? XF_END_CLIENT_RESET : XF_END_UPSTREAM_RESET);
	assert_int_equal(by_client ? f.stats.to_client : f.stats.to_upstream, BYTES);
	finish(&f);
}

/* Both directions have ended, and no further event or acknowledgement comes. */
static void test_reset_behind_the_last_fin(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		end_by_reset(engines[i / 2], i & 1, false);
}

/* The reset comes while the relay only waits for acknowledgements. */
static void test_reset_while_lingering(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		end_by_reset(engines[i / 2], i & 1, true);
}

/* A late reader gets everything, and the relay does not end before. */
static void test_late_reader(void **state)
{
	static char data[BYTES + 1];
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		begin(&f, engines[i]);
		send_all(f.client);
		shutdown(f.server, SHUT_WR);
		turns(&f, 200);
		assert_false(f.ended);
		for (ssize_t n, got = 0; got < BYTES; got += n) {
			n = recv(f.server, data, sizeof(data), 0);
			assert_in_range(n, 1, BYTES - got);
			xf_loop__turn(f.loop, 0);
		}
		assert_int_equal(recv(f.server, data, sizeof(data), 0), 0);
		turns(&f, 2000);
		assert_true(f.ended);
		assert_int_equal(f.end, XF_END_CLOSED);
		assert_int_equal(f.stats.to_upstream, BYTES);
		finish(&f);
	}
}

/* Bulk that leaves the sockmap gets large buffers as long as newcomers find some memory. */
static void test_bulk_leaves_room(void **state)
{
	static const uint64_t left[] = { 16 << 20, 7 << 20 };
	struct fixture f;
	uint64_t taken;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		begin(&f, XF_ENGINE_COPY);
		taken = xf_budget__left(&f.budget) - left[i];
		assert_true(xf_budget__take(&f.budget, taken));
		f.relay->flow[0].run = XF_BULK_RUN;
		assert_true(xf_room__reserve(f.relay));
		assert_int_equal(f.relay->room[0], i ? XF_ROOM_BASE : XF_ROOM_LARGE);
		xf_budget__give(&f.budget, taken);
		xf_relay__abort(f.relay, XF_END_DRAIN);
		turns(&f, 10);
		finish(&f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reset_behind_the_last_fin),
		cmocka_unit_test(test_reset_while_lingering),
		cmocka_unit_test(test_late_reader),
		cmocka_unit_test(test_bulk_leaves_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
