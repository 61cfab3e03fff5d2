// SPDX-License-Identifier: GPL-2.0-only
/* Each packet counts once, in its class, and the reader is woken as it has asked for. */
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tests/prog/harness.h"

#define SMALL_RING 4096
#define RECORD_IN_RING (sizeof(struct xf_record) + 8) /* with the kernel's header */
#define RING_HOLDS (SMALL_RING / RECORD_IN_RING)
#define NO_WAKE_MS 100
#define WAKE_MS 2000 /* the wake-up comes at once, unless the machine is busy */

static const uint8_t packet[64] = { [12] = 0x88, 0xcc };

static void give(const struct xf_harness *harness, unsigned int n)
{
	assert_int_equal(xf_harness_run(harness, packet, sizeof(packet), n), XDP_PASS);
}

static void assert_counters(const struct xf_harness *harness, uint64_t submitted, uint64_t lost,
			    uint64_t unread)
{
	struct xf_counters sum;

	xf_harness_count(harness, &sum);
	assert_int_equal(sum.submitted, submitted);
	assert_int_equal(sum.lost, lost);
	assert_int_equal(sum.unread, unread);
	assert_int_equal(xf_counters_seen(&sum), submitted + lost + unread);
}

static void no_ring_is_unread(void **state)
{
	const struct xf_harness *harness = *state;

	give(harness, 1000);
	assert_counters(harness, 0, 0, 1000);
}

/* Without a ring packets are unread, whatever the reader has set. */
static void no_ring_comes_before_sampling_and_rate(void **state)
{
	const struct xf_harness *harness = *state;
	const struct xf_config config = { .sample_below = 1, .rate = 1 };

	xf_harness_configure(harness, &config);
	give(harness, 1000);
	assert_counters(harness, 0, 0, 1000);
}

static void full_ring_nobody_reads_is_unread(void **state)
{
	const struct xf_harness *harness = *state;
	struct xf_test_ring ring;
	struct xf_record rec;

	assert_int_equal(xf_test_ring__open(&ring, SMALL_RING), 0);
	xf_harness_install(harness, -1, ring.fd);
	give(harness, 1000);
	assert_counters(harness, RING_HOLDS, 0, 1000 - RING_HOLDS);

	assert_int_equal(xf_test_ring_read(&ring, &rec, 1), RING_HOLDS);
	give(harness, 10);
	assert_counters(harness, RING_HOLDS + 10, 0, 1000 - RING_HOLDS);
	xf_test_ring__close(&ring);
}

static void removed_ring_is_unread(void **state)
{
	const struct xf_harness *harness = *state;
	struct xf_test_ring ring;

	assert_int_equal(xf_test_ring__open(&ring, SMALL_RING), 0);
	xf_harness_install(harness, -1, ring.fd);
	give(harness, 5);
	for (int cpu = 0; cpu < harness->cpus; cpu++)
		assert_int_equal(bpf_map_delete_elem(harness->rings, &cpu), 0);
	give(harness, 7);
	assert_counters(harness, 5, 0, 7);
	xf_test_ring__close(&ring);
}

static void each_cpu_has_a_ring_of_its_own(void **state)
{
	const struct xf_harness *harness = *state;
	struct xf_test_ring ring[2];
	int cpus[2], n = xf_usable_cpus(cpus, 2); /* one: we are pinned to it */
	struct xf_record rec;

	assert_int_equal(n, 1);
	cpus[1] = cpus[0] ? 0 : 1; /* it need not exist, only not be ours */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(xf_test_ring__open(&ring[i], SMALL_RING), 0);
		assert_int_equal(
		    bpf_map_update_elem(harness->rings, &cpus[i], &ring[i].fd, BPF_ANY), 0);
	}
	give(harness, 3);
	assert_int_equal(xf_test_ring_read(&ring[1], &rec, 1), 0);
	assert_int_equal(xf_test_ring_read(&ring[0], &rec, 1), 3);
	assert_counters(harness, 3, 0, 0);
	xf_test_ring__close(&ring[0]);
	xf_test_ring__close(&ring[1]);
}

/* Readers make larger rings than the definition in the object. */
static void ring_of_any_size_fits(void **state)
{
	const struct xf_harness *harness = *state;
	struct xf_test_ring ring;
	struct xf_record rec;

	assert_int_equal(xf_test_ring__open(&ring, 1024 * 1024), 0);
	xf_harness_install(harness, -1, ring.fd);
	give(harness, 10000);
	assert_counters(harness, 10000, 0, 0);
	assert_int_equal(xf_test_ring_read(&ring, &rec, 1), 10000);
	xf_test_ring__close(&ring);
}

/* A ring installed everywhere, and an epoll that waits for it. */
struct waiter {
	struct xf_test_ring ring;
	int epoll;
};

static void wait__open(struct waiter *waiter, const struct xf_harness *harness,
		       const struct xf_config *config)
{
	struct epoll_event event = { .events = EPOLLIN };

	xf_harness_configure(harness, config);
	assert_int_equal(xf_test_ring__open(&waiter->ring, SMALL_RING), 0);
	xf_harness_install(harness, -1, waiter->ring.fd);
	waiter->epoll = epoll_create1(EPOLL_CLOEXEC);
	assert_true(waiter->epoll >= 0);
	assert_int_equal(epoll_ctl(waiter->epoll, EPOLL_CTL_ADD, waiter->ring.fd, &event), 0);
}

static void wait__close(struct waiter *waiter)
{
	close(waiter->epoll);
	xf_test_ring__close(&waiter->ring);
}

static bool is_woken(const struct waiter *waiter, int timeout_ms)
{
	struct epoll_event event;

	return epoll_wait(waiter->epoll, &event, 1, timeout_ms) == 1;
}

static void sleeping_reader_is_woken_at_once(void **state)
{
	const struct xf_harness *harness = *state;
	const struct xf_config config = { .wake_mask = UINT32_MAX, .wake_now = 1 };
	struct waiter waiter;
	struct xf_record rec;

	wait__open(&waiter, harness, &config);
	assert_false(is_woken(&waiter, 0));
	for (int i = 0; i < 3; i++) {
		give(harness, 1);
		assert_true(is_woken(&waiter, WAKE_MS));
		assert_int_equal(xf_test_ring_read(&waiter.ring, &rec, 1), 1);
		assert_false(is_woken(&waiter, 0));
	}
	wait__close(&waiter);
}

static void busy_reader_is_left_alone(void **state)
{
	const struct xf_harness *harness = *state;
	const struct xf_config config = { .wake_mask = UINT32_MAX };
	struct waiter waiter;
	struct xf_record rec;

	wait__open(&waiter, harness, &config);
	give(harness, 20);
	assert_false(is_woken(&waiter, NO_WAKE_MS));
	assert_int_equal(xf_test_ring_read(&waiter.ring, &rec, 1), 20);
	wait__close(&waiter);
}

static void reader_is_woken_for_every_eighth(void **state)
{
	const struct xf_harness *harness = *state;
	const struct xf_config config = { .wake_mask = 7 };
	struct waiter waiter;
	struct xf_record rec;

	wait__open(&waiter, harness, &config);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 7; i++) {
			give(harness, 1);
			assert_false(is_woken(&waiter, i < 6 ? 0 : NO_WAKE_MS));
		}
		give(harness, 1);
		assert_true(is_woken(&waiter, WAKE_MS));
		assert_int_equal(xf_test_ring_read(&waiter.ring, &rec, 1), 8);
		assert_false(is_woken(&waiter, 0));
	}
	wait__close(&waiter);
}

/* The map is as the kernel has made it. */
static void untouched_config_takes_and_wakes_for_all(void **state)
{
	const struct xf_harness *harness = *state;
	const struct xf_config config = { 0 };
	struct waiter waiter;

	wait__open(&waiter, harness, &config);
	give(harness, 1);
	assert_true(is_woken(&waiter, WAKE_MS));
	assert_counters(harness, 1, 0, 0);
	wait__close(&waiter);
}

#define TEST(function)                                                                             \
	cmocka_unit_test_setup_teardown(function, xf_harness_set_up_pinned, xf_harness_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_ring_is_unread),
		TEST(no_ring_comes_before_sampling_and_rate),
		TEST(full_ring_nobody_reads_is_unread),
		TEST(removed_ring_is_unread),
		TEST(each_cpu_has_a_ring_of_its_own),
		TEST(ring_of_any_size_fits),
		TEST(sleeping_reader_is_woken_at_once),
		TEST(busy_reader_is_left_alone),
		TEST(reader_is_woken_for_every_eighth),
		TEST(untouched_config_takes_and_wakes_for_all),
	};
	const char *why = xf_harness_refusal();

	if (why)
		return xf_skip_all(why);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
