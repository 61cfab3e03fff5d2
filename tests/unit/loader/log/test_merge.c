// SPDX-License-Identifier: GPL-2.0-only
/* Rings in memory, filled as the kernel fills them: the order over several rings, wrap-around,
 * records that are still being written or were discarded, and the return of space. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/bpf.h>

#include "loader/log/merge.h"

#define RING_SIZE 4096 /* 42 records of 96 bytes, and a remainder that wraps around */
#define RECORD_SIZE (sizeof(struct xf_record) + BPF_RINGBUF_HDR_SZ)

/* The kernel's side of a ring. The data is mapped twice, so that a record across the end is in one
 * piece. */
struct fake {
	uint64_t consumer;
	uint32_t producer;
	char data[2 * RING_SIZE] __attribute__((aligned(8)));
};

static struct xf_ring ring_on(struct fake *fake)
{
	return (struct xf_ring) {
		.fd = -1,
		.size = RING_SIZE,
		.consumer = &fake->consumer,
		.producer = &fake->producer,
		.data = fake->data,
		.at = fake->consumer,
	};
}

static void store(struct fake *fake, size_t at, const void *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		size_t pos = (at + i) % RING_SIZE;

		fake->data[pos] = fake->data[pos + RING_SIZE] = ((const char *)bytes)[i];
	}
}

/* Returns false when there is no room, as bpf_ringbuf_reserve() does. */
static int produce(struct fake *fake, uint64_t boot_ns, uint32_t flags)
{
	uint32_t header[2] = { (uint32_t)sizeof(struct xf_record) | flags };
	struct xf_record rec = { .boot_ns = boot_ns };

	if (fake->producer + RECORD_SIZE - fake->consumer > RING_SIZE)
		return 0;
	store(fake, fake->producer, header, sizeof(header));
	store(fake, fake->producer + sizeof(header), &rec, sizeof(rec));
	fake->producer += RECORD_SIZE;
	return 1;
}

struct setup {
	struct fake fakes[3];
	struct xf_ring rings[3];
	struct xf_reader readers[2]; /* rings 0 and 1 are of source 0, ring 2 of source 1 */
	struct xf_merge merge;
};

static struct setup *setup_new(void)
{
	struct setup *t = calloc(1, sizeof(*t));

	for (int i = 0; i < 3; i++)
		t->rings[i] = ring_on(&t->fakes[i]);
	t->readers[0] = (struct xf_reader) { .rings = &t->rings[0], .n = 2 };
	t->readers[1] = (struct xf_reader) { .rings = &t->rings[2], .n = 1 };
	assert_int_equal(xf_merge__add(&t->merge, &t->readers[0], 0), 0);
	assert_int_equal(xf_merge__add(&t->merge, &t->readers[1], 1), 0);
	return t;
}

static void setup_free(struct setup *t)
{
	xf_merge__free(&t->merge);
	free(t);
}

static void oldest_comes_first(void **state)
{
	static const struct {
		int ring;
		uint64_t ns;
	} made[] = { { 2, 1 }, { 0, 2 }, { 0, 5 }, { 1, 3 }, { 1, 9 },
		     { 2, 4 }, { 2, 8 }, { 0, 7 }, { 1, 10 } };
	static const uint64_t want[] = { 1, 2, 3, 4, 5, 7, 8, 9, 10 };
	struct setup *t = setup_new();
	const struct xf_record *rec;
	unsigned int source, n = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++)
		assert_true(produce(&t->fakes[made[i].ring], made[i].ns, 0));
	assert_true(xf_merge__begin(&t->merge));
	while ((rec = xf_merge__head(&t->merge, &source))) {
		assert_int_equal(rec->boot_ns, want[n]);
		assert_int_equal(source, want[n] == 1 || want[n] == 4 || want[n] == 8);
		xf_merge__pass(&t->merge);
		n++;
	}
	xf_merge__end(&t->merge);
	assert_int_equal(n, 9);
	assert_false(xf_merge__begin(&t->merge));
	setup_free(t);
}

static void a_source_is_taken_out(void **state)
{
	struct setup *t = setup_new();
	const struct xf_record *rec;
	unsigned int source;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_true(produce(&t->fakes[i], 1 + i, 0));
	xf_merge__remove(&t->merge, 0);
	assert_true(xf_merge__begin(&t->merge));
	rec = xf_merge__head(&t->merge, &source);
	assert_non_null(rec);
	assert_int_equal(rec->boot_ns, 3);
	assert_int_equal(source, 1);
	xf_merge__pass(&t->merge);
	assert_null(xf_merge__head(&t->merge, &source));
	xf_merge__end(&t->merge);
	xf_merge__remove(&t->merge, 1);
	assert_false(xf_merge__begin(&t->merge));
	/* It may come back. */
	assert_int_equal(xf_merge__add(&t->merge, &t->readers[0], 0), 0);
	assert_true(xf_merge__begin(&t->merge));
	xf_merge__end(&t->merge);
	setup_free(t);
}

static void space_goes_back_at_the_end_only(void **state)
{
	struct setup *t = setup_new();
	unsigned int source;

	(void)state;
	produce(&t->fakes[0], 1, 0);
	produce(&t->fakes[0], 2, 0);
	assert_true(xf_merge__begin(&t->merge));
	assert_non_null(xf_merge__head(&t->merge, &source));
	xf_merge__pass(&t->merge);
	assert_int_equal(t->fakes[0].consumer, 0);
	xf_merge__end(&t->merge);
	assert_int_equal(t->fakes[0].consumer, RECORD_SIZE);
	/* Records that were not passed come again. */
	assert_true(xf_merge__begin(&t->merge));
	assert_int_equal(xf_merge__head(&t->merge, &source)->boot_ns, 2);
	setup_free(t);
}

static void record_being_written_holds_up_its_ring_only(void **state)
{
	struct setup *t = setup_new();
	unsigned int source;

	(void)state;
	produce(&t->fakes[0], 1, BPF_RINGBUF_BUSY_BIT);
	produce(&t->fakes[0], 2, 0);
	produce(&t->fakes[1], 3, 0);
	assert_true(xf_merge__begin(&t->merge));
	assert_int_equal(xf_merge__head(&t->merge, &source)->boot_ns, 3);
	xf_merge__pass(&t->merge);
	assert_null(xf_merge__head(&t->merge, &source));
	xf_merge__end(&t->merge);
	assert_int_equal(t->fakes[0].consumer, 0);

	store(&t->fakes[0], 0, &(uint32_t) { sizeof(struct xf_record) }, 4);
	assert_true(xf_merge__begin(&t->merge));
	assert_int_equal(xf_merge__head(&t->merge, &source)->boot_ns, 1);
	setup_free(t);
}

static void discarded_record_is_skipped(void **state)
{
	struct setup *t = setup_new();
	unsigned int source;

	(void)state;
	produce(&t->fakes[0], 1, BPF_RINGBUF_DISCARD_BIT);
	produce(&t->fakes[0], 2, 0);
	assert_true(xf_merge__begin(&t->merge));
	assert_int_equal(xf_merge__head(&t->merge, &source)->boot_ns, 2);
	xf_merge__pass(&t->merge);
	xf_merge__end(&t->merge);
	assert_int_equal(t->fakes[0].consumer, 2 * RECORD_SIZE);
	setup_free(t);
}

static void later_records_wait_for_the_next_look(void **state)
{
	struct setup *t = setup_new();
	unsigned int source;

	(void)state;
	produce(&t->fakes[0], 1, 0);
	assert_true(xf_merge__begin(&t->merge));
	produce(&t->fakes[0], 2, 0);
	xf_merge__pass(&t->merge);
	assert_null(xf_merge__head(&t->merge, &source));
	xf_merge__end(&t->merge);
	assert_true(xf_merge__begin(&t->merge));
	assert_int_equal(xf_merge__head(&t->merge, &source)->boot_ns, 2);
	setup_free(t);
}

/* Three rings wrap around many times at different speeds: no record is lost or comes twice, and
 * each run is in order. */
static void long_run_loses_nothing(void **state)
{
	struct setup *t = setup_new();
	uint64_t made = 0, got = 0, sum_made = 0, sum_got = 0, last;
	const struct xf_record *rec;
	unsigned int source;

	(void)state;
	srandom(1);
	while (made < 100000) {
		for (long i = random() % 100; i >= 0; i--)
			if (produce(&t->fakes[random() % 3], made + 1, 0))
				sum_made += ++made;
		last = 0;
		xf_merge__begin(&t->merge);
		for (long i = random() % 120; i >= 0 && (rec = xf_merge__head(&t->merge, &source));
		     i--) {
			assert_true(rec->boot_ns > last);
			last = rec->boot_ns;
			sum_got += last;
			got++;
			xf_merge__pass(&t->merge);
		}
		xf_merge__end(&t->merge);
	}
	for (xf_merge__begin(&t->merge); (rec = xf_merge__head(&t->merge, &source)); got++) {
		sum_got += rec->boot_ns;
		xf_merge__pass(&t->merge);
	}
	assert_int_equal(got, made);
	assert_int_equal(sum_got, sum_made);
	setup_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(oldest_comes_first),
		cmocka_unit_test(a_source_is_taken_out),
		cmocka_unit_test(space_goes_back_at_the_end_only),
		cmocka_unit_test(record_being_written_holds_up_its_ring_only),
		cmocka_unit_test(discarded_record_is_skipped),
		cmocka_unit_test(later_records_wait_for_the_next_look),
		cmocka_unit_test(long_run_loses_nothing),
	};

	return cmocka_run_group_tests_name("merge", tests, NULL, NULL);
}
