// SPDX-License-Identifier: GPL-2.0-only
/* The sockmap's verdict between two real connections, without the user space of the
 * relay. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
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
	struct ring_buffer *ring;
	int events; /* read from the ring */
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

static uint64_t load64(const void *word)
{
	return __atomic_load_n((const uint64_t *)word, __ATOMIC_SEQ_CST);
}

/* Read the event that is in the ring, if there is one, and return its number of events so far. */
static int count_event(void *arg, void *data, size_t len)
{
	struct relay *r = arg;
	const struct xf_relay_event *event = data;

	assert_int_equal(len, sizeof(*event));
	assert_int_equal(event->cookie, cookie_of(r->from));
	r->events++;
	return 0;
}

static int events(struct relay *r)
{
	ring_buffer__consume(r->ring);
	return r->events;
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
		.limit = 1 << 20,
	};
	assert_int_equal(bpf_map_update_elem(map_of(r, "by_cookie"), &from, &index, 0), 0);
	fd = r->to;
	assert_int_equal(bpf_map_update_elem(map_of(r, "dst"), &to, &fd, 0), 0);
	enter(r);
	r->events = 0;
	r->ring = ring_buffer__new(map_of(r, "events"), count_event, r, NULL);
	assert_non_null(r->ring);
	r->totals->bulk = r->totals->busy = UINT64_MAX;
	give(r, "first");
	arrives(r->server, "first");
	assert_int_equal(events(r), 0);
}

static void tear_down(struct relay *r)
{
	ring_buffer__free(r->ring);
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
	assert_int_equal(r.flow->redirected, strlen("firstsecondthird"));
	assert_int_equal(r.flow->passed, 0);
	tear_down(&r);
}

/* What would be more than the limit stays with the socket that received it, and so does everything
 * behind it until it is forwarded. One event tells of that. */
static void test_passes(void **state)
{
	struct relay r;

	(void)state;
	set_up(&r);
	r.flow->limit = strlen("more") - 1;
	give(&r, "more");
	arrives(r.from, "more");
	assert_int_equal(load64(&r.flow->passed), strlen("more"));
	assert_int_equal(events(&r), 1);
	r.flow->limit = 1 << 20;
	give(&r, "behind");
	arrives(r.from, "behind");
	assert_int_equal(load64(&r.flow->passed), strlen("morebehind"));
	assert_int_equal(events(&r), 1);
	nothing_arrives(r.server);
	/* Forwarded bytes are on their way, too. */
	r.flow->forwarded = r.flow->passed;
	r.flow->limit = strlen("morebehind");
	give(&r, "!");
	arrives(r.from, "!");
	assert_int_equal(send(r.to, "morebehind!", 11, 0), 11);
	arrives(r.server, "morebehind!");
	r.flow->forwarded = r.flow->passed;
	give(&r, "again");
	arrives(r.server, "again");
	assert_int_equal(load64(&r.flow->redirected), strlen("firstagain"));
	tear_down(&r);
}

/* After user space has looked there is another event. */
static void test_tells_again(void **state)
{
	struct relay r;

	(void)state;
	set_up(&r);
	r.flow->limit = 0;
	for (int i = 1; i <= 3; i++) {
		give(&r, "x");
		arrives(r.from, "x");
		assert_int_equal(events(&r), i);
		assert_int_equal(load64(&r.flow->told), XF_TELL_PASSED);
		r.flow->told = 0;
	}
	tear_down(&r);
}

/* Whatever is passed while a socket leaves its map would be lost; but when bytes were passed
 * before, it does not leave, and their order is kept. */
static void test_leaves(void **state)
{
	struct relay r;

	(void)state;
	set_up(&r);
	r.flow->limit = 0;
	give(&r, "waits");
	arrives(r.from, "waits");
	r.flow->leaves = 1;
	give(&r, "behind");
	arrives(r.from, "behind");
	r.flow->forwarded = r.flow->passed;
	give(&r, "last");
	arrives(r.server, "last");
	assert_int_equal(load64(&r.flow->passed), strlen("waitsbehind"));
	tear_down(&r);
}

/* A redirect that the kernel refuses loses nothing. */
static void test_no_destination(void **state)
{
	struct relay r;
	uint64_t to;

	(void)state;
	set_up(&r);
	to = cookie_of(r.to);
	assert_int_equal(bpf_map_delete_elem(map_of(&r, "dst"), &to), 0);
	give(&r, "kept");
	arrives(r.from, "kept");
	assert_int_equal(load64(&r.flow->redirected), strlen("first"));
	assert_int_equal(load64(&r.flow->passed), strlen("kept"));
	tear_down(&r);
}

static void test_tells_of_bulk_and_messages(void **state)
{
	struct relay r;

	(void)state;
	set_up(&r);
	r.flow->pair = 1;
	r.totals->bulk = strlen("first") + 3;
	give(&r, "12");
	arrives(r.server, "12");
	assert_int_equal(load64(&r.flow->told), 0);
	give(&r, "3");
	arrives(r.server, "3");
	assert_int_equal(load64(&r.flow->told), XF_TELL_BULK);
	assert_int_equal(load64(&r.flow->run), 0);
	r.totals->busy = 3; /* three messages were moved */
	give(&r, "4");
	arrives(r.server, "4");
	assert_int_equal(load64(&r.flow->told), XF_TELL_BULK | XF_TELL_BUSY);
	assert_int_equal(events(&r), 1);
	tear_down(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_moves),
		cmocka_unit_test(test_passes),
		cmocka_unit_test(test_tells_again),
		cmocka_unit_test(test_leaves),
		cmocka_unit_test(test_no_destination),
		cmocka_unit_test(test_tells_of_bulk_and_messages),
	};

	if (xf_own_loopback())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
