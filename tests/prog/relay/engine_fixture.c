// SPDX-License-Identifier: GPL-2.0-only
#include "tests/prog/relay/engine_fixture.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/loopback.h"

static void on_end(struct xf_relay *relay, enum xf_end end, void *arg)
{
	struct fixture *f = arg;

	(void)relay;
	f->ended = true;
	f->end = end;
}

void xf_turns(struct fixture *f, int ms)
{
	uint64_t until;

	xf_loop__turn(f->loop, 0);
	until = xf_loop__now(f->loop) + ms * XF_MSEC;
	while (!f->ended && xf_loop__now(f->loop) < until)
		xf_loop__turn(f->loop, 10);
}

void xf_arrives(struct fixture *f, const char *text)
{
	char got[64] = {};
	size_t n = 0;

	for (int i = 0; i < 500 && n < strlen(text); i++) {
		ssize_t more = recv(f->server, got + n, strlen(text) - n, MSG_DONTWAIT);

		n += more > 0 ? more : 0;
		xf_turns(f, 10);
	}
	assert_string_equal(got, text);
}

void xf_give(struct fixture *f, const char *text)
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
	xf_give(f, "first");
	xf_arrives(f, "first");
	assert_non_null(f->relay->mapped);
}

void xf_begin(struct fixture *f)
{
	begin_beside(f, 0);
}

struct xf_mapped_flow *xf_up(struct fixture *f)
{
	return &f->relay->mapped->flow[0];
}

void xf_finish(struct fixture *f)
{
	if (!f->ended)
		xf_relay__abort(f->relay, XF_END_DRAIN);
	xf_turns(f, 10);
	xf_loop__turn(f->loop, 0);
	if (f->client >= 0)
		close(f->client);
	close(f->server);
	xf_mover__free(f->mover);
	assert_int_equal(xf_budget__left(&f->budget), MEMORY);
	xf_loop__free(f->loop);
}

size_t xf_drain(struct fixture *f, size_t least)
{
	static char data[65536];
	size_t got = 0;
	ssize_t n;

	for (int i = 0; i < 5000 && got < least; i++) {
		n = recv(f->server, data, sizeof(data), MSG_DONTWAIT);
		got += n > 0 ? n : 0;
		xf_turns(f, n > 0 ? 0 : 5);
	}
	return got;
}

void xf_move(struct fixture *f, enum xf_engine_id engine)
{
	f->mover->opts.engine = engine;
	xf_relay__move(f->relay, engine);
}

void xf_leave(struct fixture *f)
{
	xf_move(f, XF_ENGINE_COPY);
	for (int i = 0; i < 500 && !f->ended && f->relay->stopping; i++)
		xf_turns(f, 10);
}
