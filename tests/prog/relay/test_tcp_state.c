// SPDX-License-Identifier: GPL-2.0-only
/* The length of a TCP socket's receive queue is right whether or not a sockmap has the socket. */
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sockmap/relay/tcp_state.h"
#include "tests/prog/harness.h"
#include "tests/lib/loopback.h"

struct pair {
	int from, to, map; /* what is sent to from comes out of to, which the map may have */
	uint64_t received; /* by to, when nothing was sent yet */
};

static void set_up(struct pair *pair, bool mapped)
{
	uint64_t key = 1;

	xf_connect_pair(&pair->from, &pair->to);
	pair->received = xf_tcp__received(pair->to);
	pair->map = bpf_map_create(BPF_MAP_TYPE_SOCKHASH, NULL, sizeof(key), sizeof(int), 1, NULL);
	assert_true(pair->map >= 0);
	if (mapped)
		assert_int_equal(bpf_map_update_elem(pair->map, &key, &pair->to, BPF_ANY), 0);
}

static void tear_down(const struct pair *pair)
{
	close(pair->from);
	close(pair->to);
	close(pair->map);
}

/* Send @n bytes. Loopback delivers before send() returns, or a moment later. */
static void give(const struct pair *pair, size_t n, uint64_t all)
{
	uint8_t *data = calloc(1, n);

	assert_int_equal(send(pair->from, data, n, 0), (ssize_t)n);
	free(data);
	for (int i = 0; i < 1000 && xf_tcp__received(pair->to) - pair->received < all; i++)
		usleep(1000);
	assert_int_equal(xf_tcp__received(pair->to) - pair->received, all);
}

static void holds(const struct pair *pair, uint64_t waiting, uint64_t consumed)
{
	assert_int_equal(xf_tcp__in_queue(pair->to), waiting);
	assert_int_equal(xf_tcp__consumed(pair->to) - pair->received, consumed);
}

static void read_some(const struct pair *pair, size_t n)
{
	uint8_t *data = malloc(n);

	assert_int_equal(recv(pair->to, data, n, MSG_WAITALL), (ssize_t)n);
	free(data);
}

static void counts(bool mapped)
{
	struct pair pair;
	char byte;

	set_up(&pair, mapped);
	holds(&pair, 0, 0);
	give(&pair, 1, 1);
	holds(&pair, 1, 0);
	give(&pair, 50000, 50001);
	holds(&pair, 50001, 0);
	read_some(&pair, 20001);
	holds(&pair, 30000, 20001);
	shutdown(pair.from, SHUT_WR);
	for (int i = 0; i < 1000 && xf_tcp__is_established(pair.to); i++)
		usleep(1000);
	holds(&pair, 30000, 20002);
	read_some(&pair, 30000);
	holds(&pair, 0, 50002);
	assert_int_equal(recv(pair.to, &byte, 1, 0), 0);
	holds(&pair, 0, 50002);
	tear_down(&pair);
}

static void test_without_map(void **state)
{
	(void)state;
	counts(false);
}

static void test_in_map(void **state)
{
	(void)state;
	counts(true);
}

/* The next read gets the reset. */
static void leaves_error(bool with_data)
{
	static const struct linger at_once = { .l_onoff = 1 };
	struct pollfd gone;
	struct pair pair;
	char byte;

	set_up(&pair, true);
	if (with_data)
		give(&pair, 1, 1);
	setsockopt(pair.from, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(pair.from);
	gone = (struct pollfd) { .fd = pair.to };
	assert_int_equal(poll(&gone, 1, 5000), 1);
	xf_tcp__in_queue(pair.to);
	xf_tcp__consumed(pair.to);
	if (with_data)
		assert_int_equal(recv(pair.to, &byte, 1, 0), 1);
	assert_int_equal(recv(pair.to, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	close(pair.to);
	close(pair.map);
}

static void test_reset_stays(void **state)
{
	(void)state;
	leaves_error(false);
	leaves_error(true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_map),
		cmocka_unit_test(test_in_map),
		cmocka_unit_test(test_reset_stays),
	};

	if (xf_own_loopback())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
