// SPDX-License-Identifier: GPL-2.0-only
/* Sampling takes its share of the packets, and the rate limit holds in every second, over all CPUs.
 */
#include <linux/bpf.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "tests/prog/harness.h"

#define SECOND 1000000000ull
#define LIMIT 20000
#define MAX_THREADS 2
#define RING_SIZE (16u << 20) /* room for all that may pass in 5 s, even on one CPU */
#define MAX_RECORDS (MAX_THREADS * (RING_SIZE / sizeof(struct xf_record)))
#define BATCH 2000	 /* packets in one test run: well below a millisecond */
#define BATCH_NS 5000000 /* a longer batch had to wait for its processor */

static const uint8_t packet[64] = { [12] = 0x88, 0xcc };

static void sleep_until(uint64_t boot_ns)
{
	struct timespec at = { boot_ns / SECOND, boot_ns % SECOND };

	clock_nanosleep(CLOCK_BOOTTIME, TIMER_ABSTIME, &at, NULL);
}

/* Fails when the share is more than six sigma off, which happens once in some hundred million runs.
 */
static void assert_share(uint64_t taken, uint64_t of, double share)
{
	double off = taken - of * share;
	double variance = of * share * (1 - share);

	if (off * off > 6 * 6 * variance)
		fail_msg("took %llu of %llu, expected %.0f with a variance of %.0f",
			 (unsigned long long)taken, (unsigned long long)of, of * share, variance);
}

static void sampling_takes_its_share(void **state)
{
	static const struct {
		uint32_t below;
		unsigned int packets;
	} rows[] = { { 0x80000000, 200000 },
		     { 0x1999999a, 500000 },
		     { 0x00418937, 2000000 },
		     { 0xffffffff, 1000 } };
	const struct xf_harness *harness = *state;
	struct xf_test_ring ring;

	assert_int_equal(xf_test_ring__open(&ring, 4096), 0);
	xf_harness_install(harness, -1, ring.fd);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct xf_config config = { .sample_below = rows[i].below,
						  .wake_mask = UINT32_MAX };
		struct xf_counters before, after;
		uint64_t taken;

		xf_harness_configure(harness, &config);
		xf_harness_count(harness, &before);
		assert_int_equal(xf_harness_run(harness, packet, sizeof(packet), rows[i].packets),
				 XDP_PASS);
		xf_harness_count(harness, &after);
		assert_int_equal(xf_counters_seen(&after) - xf_counters_seen(&before),
				 rows[i].packets);
		taken = rows[i].packets - (after.sampled_out - before.sampled_out);
		assert_share(taken, rows[i].packets, rows[i].below / 4294967296.0);
	}
	xf_test_ring__close(&ring);
}

/* One CPU's share of the traffic, and its ring. */
struct source {
	pthread_t thread;
	const struct xf_harness *harness;
	int cpu;
	uint64_t start; /* CLOCK_BOOTTIME, ns */
	uint64_t end;
	uint64_t period; /* 0: without a break */
	uint64_t busy;	 /* so long at the beginning of each period */
	uint64_t given;
	uint64_t stalled; /* ns in which it waited for its processor */
	int verdict;
	struct xf_test_ring ring;
};

static void note_stall(struct source *source, uint64_t last, uint64_t now)
{
	if (now > last + BATCH_NS)
		source->stalled += now - last - BATCH_NS;
}

static void *run_source(void *arg)
{
	struct source *source = arg;
	uint64_t now, last = source->start;

	xf_pin_to_cpu(source->cpu);
	source->verdict = XDP_PASS;
	sleep_until(source->start);
	while ((now = xf_boot_ns()) < source->end && source->verdict == XDP_PASS) {
		uint64_t since = now - source->start;

		note_stall(source, last, now);
		if (source->period && since % source->period > source->busy) {
			last = now - since % source->period + source->period;
			sleep_until(last);
			continue;
		}
		last = now;
		source->verdict = xf_harness_run(source->harness, packet, sizeof(packet), BATCH);
		source->given += BATCH;
	}
	if (!source->period)
		note_stall(source, last, source->end);
	return NULL;
}

/* Several CPUs, all their records, and the counts of the other packets. */
struct load {
	struct source source[MAX_THREADS];
	int sources;
	struct xf_record *records;
	size_t n;
	struct xf_counters sum;
	uint64_t given;
};

static int by_time(const void *a, const void *b)
{
	const struct xf_record *left = a, *right = b;

	return left->boot_ns < right->boot_ns ? -1 : left->boot_ns > right->boot_ns;
}

/* Run all sources by @plan and collect the records in the order of their times. */
static void load__run(struct load *load, const struct xf_harness *harness,
		      const struct source *plan)
{
	int cpus[MAX_THREADS];

	load->n = load->given = 0;
	load->sources = xf_usable_cpus(cpus, MAX_THREADS);
	load->records = malloc(MAX_RECORDS * sizeof(*load->records));
	assert_non_null(load->records);
	for (int i = 0; i < load->sources; i++) {
		struct source *source = &load->source[i];

		*source = *plan;
		source->harness = harness;
		source->cpu = cpus[i];
		assert_int_equal(xf_test_ring__open(&source->ring, RING_SIZE), 0);
		xf_harness_install(harness, source->cpu, source->ring.fd);
	}
	for (int i = 0; i < load->sources; i++)
		assert_int_equal(
		    pthread_create(&load->source[i].thread, NULL, run_source, &load->source[i]), 0);
	for (int i = 0; i < load->sources; i++)
		pthread_join(load->source[i].thread, NULL);
	for (int i = 0; i < load->sources; i++) {
		struct source *source = &load->source[i];

		assert_int_equal(source->verdict, XDP_PASS);
		load->given += source->given;
		load->n += xf_test_ring_read(&source->ring, load->records + load->n,
					     MAX_RECORDS - load->n);
		xf_test_ring__close(&source->ring);
	}
	qsort(load->records, load->n, sizeof(*load->records), by_time);
	xf_harness_count(harness, &load->sum);
}

/* Each packet was counted, the rings had room, and no second holds more than the limit; each CPU
 * may have one packet between the reading of its clock and the decision, which is then counted into
 * a later moment than its time. */
static void assert_limited(const struct load *load, const struct xf_config *config)
{
	size_t most = config->rate + load->sources;

	assert_int_equal(xf_counters_seen(&load->sum), load->given);
	assert_int_equal(load->sum.submitted, load->n);
	assert_int_equal(load->sum.lost + load->sum.unread + load->sum.filtered, 0);
	if (!config->sample_below)
		assert_int_equal(load->sum.sampled_out, 0);
	for (size_t i = 0; i + most < load->n; i++) {
		uint64_t ns = load->records[i + most].boot_ns - load->records[i].boot_ns;

		if (ns < SECOND)
			fail_msg("%zu records within %llu ns", most + 1, (unsigned long long)ns);
	}
}

/* Bursts cross the turn of each other second of the clock, from and into silence, where a counter
 * that starts anew each second, and a bucket that was full, would let too many packets through. */
static void rate_holds_over_bursts(void **state)
{
	const struct xf_harness *harness = *state;
	const struct xf_config config = { .rate = LIMIT, .wake_mask = UINT32_MAX };
	uint64_t start = (xf_boot_ns() / SECOND + 1) * SECOND + SECOND * 7 / 10;
	const struct source plan = { .start = start,
				     .end = start + 3 * SECOND,
				     .period = 2 * SECOND,
				     .busy = SECOND * 9 / 10 };
	uint64_t stalled = 0;
	struct load load;

	xf_harness_configure(harness, &config);
	load__run(&load, harness, &plan);
	assert_limited(&load, &config);
	for (int i = 0; i < load.sources; i++)
		stalled += load.source[i].stalled;
	/* Each burst is its own second's, and alone fills it; kept from its processor for almost
	 * half of its time, the second one may not. */
	assert_true(load.n >= (stalled < SECOND * 4 / 10 ? 2 * LIMIT : LIMIT));
	free(load.records);
}

static void rate_is_used_up_under_overload(void **state)
{
	const struct xf_harness *harness = *state;
	const struct xf_config config = { .rate = LIMIT, .wake_mask = UINT32_MAX };
	uint64_t start = xf_boot_ns() + SECOND / 10;
	const struct source plan = { .start = start, .end = start + 35 * SECOND / 10 };
	struct load load;
	double seconds;

	xf_harness_configure(harness, &config);
	load__run(&load, harness, &plan);
	assert_limited(&load, &config);
	/* The time that one source alone could use. */
	seconds = (double)(plan.end - plan.start - load.source[0].stalled) / SECOND;
	assert_true(load.given > 4 * LIMIT * seconds); /* this was an overload */
	if (load.n < 0.9 * LIMIT * seconds)
		fail_msg("%zu records in %.1f s with a limit of %u", load.n, seconds, LIMIT);
	free(load.records);
}

/* Below the limit no packet is limited. */
static void rate_takes_all_that_it_may(void **state)
{
	const struct xf_harness *harness = *state;
	const struct xf_config config = { .rate = 5000, .wake_mask = UINT32_MAX };
	struct xf_test_ring ring;
	struct xf_counters sum;

	xf_harness_configure(harness, &config);
	assert_int_equal(xf_test_ring__open(&ring, RING_SIZE), 0);
	xf_harness_install(harness, -1, ring.fd);
	for (int i = 0; i < 5; i++)
		assert_int_equal(xf_harness_run(harness, packet, sizeof(packet), 1000), XDP_PASS);
	xf_harness_count(harness, &sum);
	assert_int_equal(sum.submitted, 5000);
	assert_int_equal(xf_counters_seen(&sum), 5000);
	xf_test_ring__close(&ring);
}

/* The rate limit applies to the sampled packets. */
static void sampling_and_rate_together(void **state)
{
	const struct xf_harness *harness = *state;
	const struct xf_config config = { .sample_below = 0x40000000,
					  .rate = 500,
					  .wake_mask = UINT32_MAX };
	uint64_t start = xf_boot_ns() + SECOND / 10;
	const struct source plan = { .start = start, .end = start + 12 * SECOND / 10 };
	struct load load;

	xf_harness_configure(harness, &config);
	load__run(&load, harness, &plan);
	assert_limited(&load, &config);
	assert_share(load.given - load.sum.sampled_out, load.given, 0.25);
	assert_true(load.n >= 500);
	assert_int_equal(load.sum.rate_limited, load.given - load.sum.sampled_out - load.n);
	free(load.records);
}

struct toggle {
	volatile struct xf_config *config;
	atomic_bool stop;
};

/* Limits that take everything, and none, in turns. */
static void *toggle_limits(void *arg)
{
	struct toggle *toggle = arg;

	while (!toggle->stop) {
		toggle->config->sample_below = UINT32_MAX;
		toggle->config->rate = UINT32_MAX;
		toggle->config->sample_below = 0;
		toggle->config->rate = 0;
	}
	return NULL;
}

/* A packet that sees a limit end sees either the limit or none. (A sample below UINT32_MAX leaves
 * out one of four thousand million.) */
static void a_limit_that_ends_stops_nothing(void **state)
{
	const struct xf_harness *harness = *state;
	const size_t page = sysconf(_SC_PAGESIZE);
	struct toggle toggle = { 0 };
	struct xf_test_ring ring;
	struct xf_counters sum;
	pthread_t thread;

	assert_int_equal(xf_test_ring__open(&ring, 4096), 0);
	xf_harness_install(harness, -1, ring.fd);
	toggle.config = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, harness->config, 0);
	assert_true(toggle.config != MAP_FAILED);
	assert_int_equal(pthread_create(&thread, NULL, toggle_limits, &toggle), 0);
	for (int i = 0; i < 100; i++)
		xf_harness_run(harness, packet, sizeof(packet), BATCH);
	toggle.stop = true;
	pthread_join(thread, NULL);
	xf_harness_count(harness, &sum);
	assert_int_equal(xf_counters_seen(&sum), 100 * BATCH);
	assert_int_equal(sum.sampled_out, 0);
	assert_int_equal(sum.rate_limited, 0);
	munmap((void *)toggle.config, page);
	xf_test_ring__close(&ring);
}

#define TEST(function)                                                                             \
	cmocka_unit_test_setup_teardown(function, xf_harness_set_up, xf_harness_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sampling_takes_its_share),	      TEST(rate_holds_over_bursts),
		TEST(rate_is_used_up_under_overload), TEST(rate_takes_all_that_it_may),
		TEST(sampling_and_rate_together),     TEST(a_limit_that_ends_stops_nothing),
	};
	const char *why = xf_harness_refusal();

	if (why)
		return xf_skip_all(why);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
