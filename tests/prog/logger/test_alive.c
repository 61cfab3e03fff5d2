// SPDX-License-Identifier: GPL-2.0-only
/* Packets count as lost while the reader of a full ring lives, and as unread from its end on. */
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/prog/harness.h"
#include "tests/prog/worker.h"

#define SMALL_RING 4096

static const uint8_t packet[64] = { [12] = 0x88, 0xcc };

/* Run the program on @n packets. Returns the counters. */
static struct xf_counters give(const struct xf_harness *harness, unsigned int n)
{
	struct xf_counters before, after;

	xf_harness_count(harness, &before);
	assert_int_equal(xf_harness_run(harness, packet, sizeof(packet), n), XDP_PASS);
	xf_harness_count(harness, &after);
	assert_int_equal(xf_counters_seen(&after) - xf_counters_seen(&before), n);
	after.submitted -= before.submitted;
	after.lost -= before.lost;
	after.unread -= before.unread;
	return after;
}

/* Install a ring everywhere and fill it. */
static void install_full_ring(const struct xf_harness *harness, struct xf_test_ring *ring)
{
	struct xf_counters got;

	assert_int_equal(xf_test_ring__open(ring, SMALL_RING), 0);
	xf_harness_install(harness, -1, ring->fd);
	got = give(harness, SMALL_RING / sizeof(struct xf_record));
	assert_true(got.submitted > 0 && got.unread > 0);
}

/* Open the map anew: an entry goes with the open file through which it came, and that of the object
 * stays open while the test runs. */
static int open_again(int map)
{
	struct bpf_map_info info = { 0 };
	uint32_t len = sizeof(info);

	if (bpf_obj_get_info_by_fd(map, &info, &len))
		return -1;
	return bpf_map_get_fd_by_id(info.id);
}

struct reader {
	const struct xf_harness *harness;
	int ready; /* gets a byte when the reader has entered itself */
};

static void live(void *arg)
{
	const struct reader *reader = arg;
	int alive = open_again(reader->harness->alive);

	assert_true(alive >= 0);
	assert_int_equal(xf_alive_insert(alive), 0);
	assert_int_equal(write(reader->ready, "1", 1), 1);
	for (;;)
		pause();
}

/* Start a reader in a process of its own, and wait until it has entered itself. */
static pid_t start_reader(const struct xf_harness *harness)
{
	struct reader reader = { .harness = harness };
	int ready[2];
	char byte = 0;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	reader.ready = ready[1];
	pid = xf_worker_start(live, &reader);
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void killed_reader_turns_lost_into_unread(void **state)
{
	const struct xf_harness *harness = *state;
	struct xf_test_ring ring;
	struct xf_counters got;
	pid_t reader;

	install_full_ring(harness, &ring);
	reader = start_reader(harness);
	got = give(harness, 500);
	assert_int_equal(got.lost, 500);

	xf_worker_kill(reader);
	got = give(harness, 300);
	assert_int_equal(got.unread, 300);
	xf_test_ring__close(&ring);
}

static void next_reader_makes_it_lost_again(void **state)
{
	const struct xf_harness *harness = *state;
	struct xf_test_ring ring;
	struct xf_counters got;

	install_full_ring(harness, &ring);
	for (int i = 0; i < 3; i++) {
		pid_t reader = start_reader(harness);

		got = give(harness, 50);
		assert_int_equal(got.lost, 50);
		xf_worker_kill(reader);
		got = give(harness, 50);
		assert_int_equal(got.unread, 50);
	}
	xf_test_ring__close(&ring);
}

static void reader_that_closes_is_gone_too(void **state)
{
	const struct xf_harness *harness = *state;
	int alive = open_again(harness->alive);
	struct xf_test_ring ring;
	struct xf_counters got;

	assert_true(alive >= 0);
	install_full_ring(harness, &ring);
	assert_int_equal(xf_alive_insert(alive), 0);
	got = give(harness, 20);
	assert_int_equal(got.lost, 20);
	close(alive);
	got = give(harness, 20);
	assert_int_equal(got.unread, 20);
	xf_test_ring__close(&ring);
}

/* A killed reader has left room in its ring: records are still submitted, and no packet counts
 * twice. */
static void room_in_the_ring_comes_first(void **state)
{
	const struct xf_harness *harness = *state;
	struct xf_test_ring ring;
	struct xf_counters got;
	pid_t reader;

	assert_int_equal(xf_test_ring__open(&ring, SMALL_RING), 0);
	xf_harness_install(harness, -1, ring.fd);
	reader = start_reader(harness);
	got = give(harness, 10);
	assert_int_equal(got.submitted, 10);
	xf_worker_kill(reader);
	got = give(harness, 10);
	assert_int_equal(got.submitted, 10);
	xf_test_ring__close(&ring);
}

#define TEST(function)                                                                             \
	cmocka_unit_test_setup_teardown(function, xf_harness_set_up_pinned, xf_harness_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(killed_reader_turns_lost_into_unread),
		TEST(next_reader_makes_it_lost_again),
		TEST(reader_that_closes_is_gone_too),
		TEST(room_in_the_ring_comes_first),
	};
	const char *why = xf_harness_refusal();

	if (!why)
		why = xf_alive_refusal();
	if (why)
		return xf_skip_all(why);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
