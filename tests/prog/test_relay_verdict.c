// SPDX-License-Identifier: GPL-2.0-only
/* The sockmap's verdict program between two real connections, without the user space that belongs
 * to it: what it does by itself. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sockmap/relay_abi.h"
#include "sockmap/tcp_state.h"
#include "tests/prog/harness.h"
#include "tests/prog/loopback.h"

#define ENTRIES 4

/* What is sent to client comes in at from, is moved to to, and comes out of server. */
struct relay {
	struct bpf_object *object;
	int client, from, to, server;
	int src;
	struct xf_relay_flow *flow;
};

static uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len), 0);
	return cookie;
}

static int map_of(const struct relay *r, const char *name)
{
	return bpf_map__fd(bpf_object__find_map_by_name(r->object, name));
}

static void load(struct relay *r)
{
	static const char *const maps[] = { "src", "dst", "by_cookie", "flows" };
	struct bpf_program *verdict;

	r->object = bpf_object__open("build/sockmap/relay.bpf.o");
	assert_non_null(r->object);
	for (size_t i = 0; i < sizeof(maps) / sizeof(*maps); i++)
		bpf_map__set_max_entries(bpf_object__find_map_by_name(r->object, maps[i]), ENTRIES);
	assert_int_equal(bpf_object__load(r->object), 0);
	r->src = map_of(r, "src");
	verdict = bpf_object__find_program_by_name(r->object, "xf_relay_verdict");
	assert_int_equal(
	    bpf_prog_attach(bpf_program__fd(verdict), r->src, BPF_SK_SKB_STREAM_VERDICT, 0), 0);
	r->flow = mmap(NULL, ENTRIES * sizeof(*r->flow), PROT_READ | PROT_WRITE, MAP_SHARED,
		       map_of(r, "flows"), 0);
	assert_ptr_not_equal(r->flow, MAP_FAILED);
}

static void enter(const struct relay *r)
{
	uint64_t from = cookie_of(r->from);
	uint32_t fd = r->from;

	assert_int_equal(bpf_map_update_elem(r->src, &from, &fd, BPF_NOEXIST), 0);
	xf_tcp__kick(r->from);
}

static void leave(const struct relay *r)
{
	uint64_t from = cookie_of(r->from);

	assert_int_equal(bpf_map_delete_elem(r->src, &from), 0);
}

static void give(const struct relay *r, const char *text)
{
	assert_int_equal(send(r->client, text, strlen(text), 0), (ssize_t)strlen(text));
}

/* Within five seconds. */
static void arrives(int fd, const char *text)
{
	struct pollfd readable = { .fd = fd, .events = POLLIN };
	char got[64] = {};

	for (size_t n = 0; n < strlen(text);) {
		ssize_t more;

		assert_int_equal(poll(&readable, 1, 5000), 1);
		more = recv(fd, got + n, strlen(text) - n, 0);
		assert_true(more > 0);
		n += more;
	}
	assert_string_equal(got, text);
}

static void nothing_arrives(int fd)
{
	struct pollfd readable = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&readable, 1, 300), 0);
}

/* The program says so within a second. */
static void is_told(const struct relay *r, uint32_t told)
{
	for (int i = 0; i < 1000 && !(__atomic_load_n(&r->flow->told, __ATOMIC_RELAXED) & told);
	     i++)
		usleep(1000);
	assert_true(r->flow->told & told);
}

/* The first bytes have gone through. */
static void set_up(struct relay *r)
{
	uint64_t from, to;
	uint32_t fd, index = 0;

	load(r);
	xf_connect_pair(&r->client, &r->from);
	xf_connect_pair(&r->to, &r->server);
	from = cookie_of(r->from);
	to = cookie_of(r->to);
	*r->flow = (struct xf_relay_flow) { .to = to, .base = 1 << 20, .limit = 1 << 20 };
	assert_int_equal(bpf_map_update_elem(map_of(r, "by_cookie"), &from, &index, 0), 0);
	fd = r->to;
	assert_int_equal(bpf_map_update_elem(map_of(r, "dst"), &to, &fd, 0), 0);
	enter(r);
	give(r, "first");
	arrives(r->server, "first");
}

static void tear_down(struct relay *r)
{
	munmap(r->flow, ENTRIES * sizeof(*r->flow));
	close(r->client);
	close(r->from);
	close(r->to);
	close(r->server);
	bpf_object__close(r->object);
}

static void test_moves(void **state)
{
	struct relay r;

	(void)state;
	set_up(&r);
	leave(&r);
	give(&r, "second");
	enter(&r);
	arrives(r.server, "second");
	give(&r, "third");
	arrives(r.server, "third");
	assert_false(r.flow->told & XF_TELL_LOST);
	assert_int_equal(r.flow->moved, strlen("firstsecondthird"));
	tear_down(&r);
}

/* Bytes that are gone are told, and nothing of what comes behind them is taken for them: not the
 * next bytes, nor those after these. */
static void test_gap(void **state)
{
	struct relay r;

	(void)state;
	set_up(&r);
	leave(&r);
	give(&r, "lost");
	arrives(r.from, "lost");
	enter(&r);
	give(&r, "behind");
	is_told(&r, XF_TELL_LOST);
	nothing_arrives(r.server);
	give(&r, "more");
	nothing_arrives(r.server);
	assert_int_equal(r.flow->moved, strlen("first"));
	tear_down(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_moves),
		cmocka_unit_test(test_gap),
	};

	if (xf_own_loopback())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
