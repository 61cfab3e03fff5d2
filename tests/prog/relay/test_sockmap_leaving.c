// SPDX-License-Identifier: GPL-2.0-only
/* The moments when sources enter and leave the sockmap, and lost bytes. The tests read from the
 * relay's own sockets, as if the kernel had dropped the bytes. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/cap_sets.h"
#include "sockmap/relay/tcp_state.h"
#include "tests/lib/loopback.h"
#include "tests/prog/relay/engine_fixture.h"

/* Send from the client, and take the bytes out of the relay's socket before they are moved. */
static void lose(struct fixture *f, const char *text)
{
	char got[64];
	ssize_t n = -1;

	xf_give(f, text);
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

	xf_turns(f, 5000);
	assert_true(f->ended);
	assert_int_equal(f->end, XF_END_ERROR);
	assert_int_equal(recv(f->server, got, sizeof(got), 0), -1);
	assert_int_equal(errno, ECONNRESET);
}

/* The client resets the connection, and the error is taken, as by the kernel's own sending. */
static void reset_client(struct fixture *f)
{
	struct linger at_once = { .l_onoff = 1 };
	int from = f->relay->side[0].watch.fd;

	setsockopt(f->client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(f->client);
	f->client = -1;
	for (int i = 0; i < 5000 && !xf_tcp__is_closed(from); i++)
		usleep(1000);
	assert_int_equal(xf_tcp__error(from), ECONNRESET);
}

/* The fixture whose sources enter, whether the next one is the second, the text that is lost when
 * the first one leaves, and the function that sends before. */
static struct fixture *moving;
static bool is_second;
static const char *eaten;
static bool resets; /* after that */
static void (*comes)(struct fixture *f);

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

/* A verdict that runs while its socket is taken out of the map may find its program gone, and the
 * kernel drops the segment then. */
static void nothing_is_shown(void (*call)(struct fixture *f))
{
	struct xf_relay_flow *shared = moving->relay->mapped->flow[0].shared;
	uint64_t shown = shared->redirected + shared->passed;

	call(moving);
	assert_int_equal(shared->redirected + shared->passed, shown);
}

int __wrap_bpf_map_delete_elem(int fd, const void *key)
{
	void (*call)(struct fixture * f) = comes;
	int ret;

	if (is_source(fd) && call) {
		comes = NULL;
		nothing_is_shown(call);
	}
	ret = __real_bpf_map_delete_elem(fd, key);
	if (is_source(fd) && eaten) {
		xf_tcp__detach(moving->relay->side[0].watch.fd);
		lose(moving, eaten);
		if (resets)
			reset_client(moving);
	}
	eaten = is_source(fd) ? NULL : eaten;
	return ret;
}

static void test_lost_on_leaving(void **state)
{
	struct fixture f;

	(void)state;
	xf_begin(&f);
	moving = &f;
	eaten = "lost";
	xf_leave(&f);
	moving = NULL;
	assert_null(eaten);
	is_reset(&f);
	xf_finish(&f);
}

/* The reset may have discarded them. */
static void test_lost_on_leaving_by_a_reset(void **state)
{
	struct fixture f;

	(void)state;
	xf_begin(&f);
	moving = &f;
	eaten = "lost";
	resets = true;
	xf_leave(&f);
	moving = NULL;
	resets = false;
	xf_turns(&f, 5000);
	assert_int_equal(f.end, XF_END_CLIENT_RESET);
	xf_finish(&f);
}

/* More was received than was shown to the verdict when the end is announced. */
static void test_lost_by_a_reset(void **state)
{
	struct fixture f;

	(void)state;
	xf_begin(&f);
	xf_up(&f)->shared->redirected -= 2;
	reset_client(&f);
	xf_turns(&f, 5000);
	assert_int_equal(f.end, XF_END_CLIENT_RESET);
	xf_finish(&f);
}

static bool is_acknowledged(const struct fixture *f)
{
	for (int i = 0; i < 50 && xf_tcp__unacked(f->client); i++)
		usleep(1000);
	return !xf_tcp__unacked(f->client);
}

/* One at a time, until they do not get in any more: a thread that waits for its CPU takes long. */
static void small_segments_come(struct fixture *f)
{
	static const char segment[4000];

	for (int i = 0; i < 1000; i++)
		if (send(f->client, segment, sizeof(segment), MSG_DONTWAIT) < 0 ||
		    !is_acknowledged(f))
			return;
}

static void last_bytes_and_fin_come(struct fixture *f)
{
	xf_give(f, "last");
	is_acknowledged(f);
	shutdown(f->client, SHUT_WR);
	is_acknowledged(f);
}

static void set_effective(uint64_t caps)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	assert_int_equal(syscall(SYS_capget, &header, data), 0);
	data[0].effective = caps;
	data[1].effective = caps >> 32;
	assert_int_equal(syscall(SYS_capset, &header, data), 0);
}

/* Without capabilities, as the relay has none then. Returns how many bytes came. */
static size_t leaves_while(struct fixture *f, void (*call)(struct fixture *f))
{
	uint64_t before = xf_tcp__written(f->client);
	struct xf_cap_sets sets;

	assert_int_equal(xf_cap_sets_get(&sets), 0);
	comes = call;
	moving = f;
	set_effective(0);
	xf_leave(f);
	set_effective(sets.effective);
	moving = NULL;
	assert_null(comes);
	return xf_tcp__written(f->client) - before;
}

static void test_nothing_is_shown_on_leaving(void **state)
{
	struct fixture f;
	size_t bytes;

	(void)state;
	xf_begin(&f);
	bytes = leaves_while(&f, small_segments_come);
	assert_in_range(bytes, 1, MEMORY);
	assert_int_equal(xf_drain(&f, bytes), bytes);
	xf_finish(&f);
}

static void test_no_fin_is_shown_on_leaving(void **state)
{
	struct fixture f;
	char byte;

	(void)state;
	xf_begin(&f);
	leaves_while(&f, last_bytes_and_fin_come);
	xf_arrives(&f, "last");
	xf_turns(&f, 1000);
	assert_int_equal(recv(f.server, &byte, 1, MSG_DONTWAIT), 0);
	xf_finish(&f);
}

static void test_leaves_and_comes_back(void **state)
{
	struct fixture f;

	(void)state;
	xf_begin(&f);
	for (int i = 0; i < 20; i++) {
		xf_leave(&f);
		assert_false(f.relay->stopping);
		assert_null(f.relay->mapped);
		xf_give(&f, "outside");
		xf_arrives(&f, "outside");
		xf_move(&f, XF_ENGINE_SOCKMAP);
		assert_non_null(f.relay->mapped);
		xf_give(&f, "inside");
		xf_arrives(&f, "inside");
	}
	assert_int_equal(xf_up(&f)->state, XF_MAPPED);
	xf_finish(&f);
}

/* The second source is refused, because its FIN has come: that direction goes by hand, and the
 * first one stays. */
static void test_second_source_is_refused(void **state)
{
	struct fixture f;
	char byte;

	(void)state;
	xf_begin(&f);
	xf_leave(&f);
	is_second = false;
	moving = &f;
	xf_move(&f, XF_ENGINE_SOCKMAP);
	moving = NULL;
	assert_true(is_second);
	assert_non_null(f.relay->mapped);
	assert_int_equal(f.relay->mapped->flow[1].state, XF_BY_HAND);
	xf_give(&f, "more");
	xf_arrives(&f, "more");
	xf_turns(&f, 50);
	assert_int_equal(recv(f.client, &byte, 1, MSG_DONTWAIT), 0);
	assert_false(f.ended);
	shutdown(f.client, SHUT_WR);
	xf_turns(&f, 2000);
	assert_int_equal(f.end, XF_END_CLOSED);
	xf_finish(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lost_on_leaving),
		cmocka_unit_test(test_lost_on_leaving_by_a_reset),
		cmocka_unit_test(test_lost_by_a_reset),
		cmocka_unit_test(test_nothing_is_shown_on_leaving),
		cmocka_unit_test(test_no_fin_is_shown_on_leaving),
		cmocka_unit_test(test_leaves_and_comes_back),
		cmocka_unit_test(test_second_source_is_refused),
	};

	if (xf_own_loopback())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
