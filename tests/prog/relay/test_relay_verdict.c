// SPDX-License-Identifier: GPL-2.0-only
/* The sockmap's verdict and filter between two real connections, without the user space of the
 * relay. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sockmap/engine/relay_abi.h"
#include "sockmap/relay/tcp_state.h"
#include "tests/prog/harness.h"
#include "tests/lib/loopback.h"

#define ENTRIES 4

/* Bytes that are sent on client come in at from, are moved to to, and come out of server. */
struct relay {
	struct bpf_object *object;
	int client, from, to, server;
	int src;
	struct xf_relay_flow *flow;
	struct xf_relay_totals *totals;
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

	r->object = bpf_object__open(xf_relay_object());
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
	r->totals = mmap(NULL, sizeof(*r->totals), PROT_READ | PROT_WRITE, MAP_SHARED,
			 map_of(r, "totals"), 0);
	assert_ptr_not_equal(r->totals, MAP_FAILED);
}

static void attach_filter(const struct relay *r)
{
	int filter =
	    bpf_program__fd(bpf_object__find_program_by_name(r->object, "xf_relay_filter"));

	assert_int_equal(setsockopt(r->from, SOL_SOCKET, SO_ATTACH_BPF, &filter, sizeof(filter)),
			 0);
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

/* Fails when the text does not arrive within five seconds. */
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

/* Fails when the program does not tell this within a second. */
static void is_told(const struct relay *r, uint32_t told)
{
	for (int i = 0; i < 1000 && !(__atomic_load_n(&r->flow->told, __ATOMIC_RELAXED) & told);
	     i++)
		usleep(1000);
	assert_true(r->flow->told & told);
}

/* Connect all sockets, and let the first bytes through. */
static void set_up(struct relay *r)
{
	uint64_t from, to;
	uint32_t fd, index = 0;

	load(r);
	xf_connect_pair(&r->client, &r->from);
	xf_connect_pair(&r->to, &r->server);
	from = cookie_of(r->from);
	to = cookie_of(r->to);
	*r->flow = (struct xf_relay_flow) {
		.to = to,
		.written0 = xf_tcp__written_exactly(r->to),
		.base = 1 << 20,
		.limit = 1 << 20,
	};
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
	munmap(r->totals, sizeof(*r->totals));
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

/* The program tells of a gap in the bytes, and no later byte is taken for a missing one. */
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

/* ---- all flows together hold too much ---- */

#define OWN 4096
#define PIECE 9000 /* on loopback it is one segment */

/* Do as user space does when the program tells of the limit: everything was read. */
static void look(const struct relay *r)
{
	__atomic_store_n(&r->flow->acked, r->flow->moved, __ATOMIC_RELAXED);
	__atomic_store_n(&r->flow->told, 0, __ATOMIC_RELAXED);
}

/* This flow holds nothing, the others hold more than the limit; @zone is left. */
static void set_up_scarce(struct relay *r, uint64_t zone)
{
	set_up(r);
	attach_filter(r);
	look(r);
	r->flow->base = OWN;
	r->totals->held_max = 1 << 20;
	r->totals->held = (2 << 20) + 1;
	r->totals->zone = zone + 1;
	r->totals->stops = 1;
}

static void give_bytes(const struct relay *r, size_t n)
{
	static const char bytes[2 * PIECE];

	assert_int_equal(send(r->client, bytes, n, 0), (ssize_t)n);
}

/* Read and return the bytes that have come out. Waits up to @ms for the first. */
static size_t read_out(const struct relay *r, int ms)
{
	struct pollfd readable = { .fd = r->server, .events = POLLIN };
	static char bytes[2 * PIECE];
	ssize_t n = 0;

	if (poll(&readable, 1, ms) == 1)
		n = recv(r->server, bytes, sizeof(bytes), 0);
	assert_true(n >= 0);
	return n;
}

/* Fails unless exactly so many bytes come out, however late a busy machine and TCP's retries make
 * them. */
static void comes_out(const struct relay *r, size_t all)
{
	size_t got = 0, n = 1;

	for (; got < all && n; got += n)
		n = read_out(r, 5000);
	got += read_out(r, 100);
	assert_int_equal(got, all);
}

/* Returns the number of TCP's retries. The first comes after 200 ms, unless the machine is busy. */
static uint32_t retries(const struct relay *r)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);

	assert_int_equal(getsockopt(r->client, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
	return info.tcpi_total_retrans;
}

/* Fails unless segments were trimmed once, and once for each retry. */
static void was_trimmed(const struct relay *r)
{
	uint64_t trimmed = __atomic_load_n(&r->totals->trimmed, __ATOMIC_RELAXED);

	assert_in_range(trimmed, 1, 1 + retries(r));
}

/* A flow may always use its own share: all its bytes arrive, though each segment is larger than the
 * share. */
static void test_own_goes_on(void **state)
{
	struct relay r;
	size_t got = OWN;

	(void)state;
	set_up_scarce(&r, 0);
	give_bytes(&r, PIECE);
	comes_out(&r, OWN);
	is_told(&r, XF_TELL_LIMIT);
	for (int i = 0; i < 100 && got < PIECE; i++) {
		look(&r);
		got += read_out(&r, 100);
	}
	assert_int_equal(got, PIECE);
	assert_int_equal(r.flow->counted, 0);
	assert_int_equal(r.flow->stop, 0);
	tear_down(&r);
}

/* Small messages do not wait for user space. */
static void test_small_goes_on(void **state)
{
	struct relay r;

	(void)state;
	set_up_scarce(&r, 0);
	for (int i = 0; i < 10; i++) {
		give_bytes(&r, 1448);
		comes_out(&r, 1448);
	}
	assert_false(r.flow->told & XF_TELL_LIMIT);
	tear_down(&r);
}

/* One larger piece goes into the zone. It counts, and no other one comes in until it is
 * acknowledged. */
static void test_zone_is_for_one_piece(void **state)
{
	struct relay r;

	(void)state;
	set_up_scarce(&r, 8 * PIECE);
	give_bytes(&r, PIECE);
	comes_out(&r, PIECE);
	assert_in_range(r.flow->counted, PIECE - OWN, PIECE);
	assert_int_equal(r.flow->stop, XF_STOP_FULL);
	give_bytes(&r, 100);
	comes_out(&r, 0);
	tear_down(&r);
}

/* A piece that is larger than the rest of the zone does not come in. */
static void test_zone_is_shared(void **state)
{
	struct relay r;
	size_t got;

	(void)state;
	set_up_scarce(&r, 8 * PIECE - 8);
	give_bytes(&r, PIECE);
	got = read_out(&r, 5000);
	/* The rest of it is small enough for a retry. */
	assert_true(got == OWN || (got == PIECE && retries(&r)));
	tear_down(&r);
}

/* A flow that holds bytes gets in neither a small message nor a piece. */
static void test_holder_waits(void **state)
{
	struct relay r;

	(void)state;
	set_up_scarce(&r, 8 * PIECE);
	r.flow->counted = 1;
	give_bytes(&r, 100);
	comes_out(&r, 0);
	was_trimmed(&r);
	tear_down(&r);
}

/* ---- on the way out of the source map ---- */

/* Small messages need no retry, and segments that could call a verdict whose program is gone stay
 * out. */
static void test_leaving(void **state)
{
	struct relay r;

	(void)state;
	set_up(&r);
	attach_filter(&r);
	r.flow->stop = XF_STOP_LARGE;
	r.totals->hush = 1;
	give_bytes(&r, XF_LARGE_SEGMENT - 1);
	comes_out(&r, XF_LARGE_SEGMENT - 1);
	give_bytes(&r, XF_LARGE_SEGMENT);
	comes_out(&r, 0);
	was_trimmed(&r);
	r.flow->stop = 0;
	comes_out(&r, XF_LARGE_SEGMENT);
	tear_down(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_moves),
		cmocka_unit_test(test_gap),
		cmocka_unit_test(test_own_goes_on),
		cmocka_unit_test(test_small_goes_on),
		cmocka_unit_test(test_zone_is_for_one_piece),
		cmocka_unit_test(test_zone_is_shared),
		cmocka_unit_test(test_holder_waits),
		cmocka_unit_test(test_leaving),
	};

	if (xf_own_loopback())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
