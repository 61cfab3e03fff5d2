// SPDX-License-Identifier: GPL-2.0-only
/* Positions in a ring of which more than 4 GiB have gone through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "loader/log/ring.h"

#define SIZE 4096u
#define RECORD 64u /* bytes with the header */

struct fixture {
	uint64_t consumer;
	uint32_t producer[2];
	char data[2 * SIZE] __attribute__((aligned(8)));
	struct xf_ring ring;
};

/* A record at each place, all ready. The consumer is at @at. */
static void begin(struct fixture *f, uint64_t at)
{
	uint32_t header = RECORD - 8;

	memset(f, 0, sizeof(*f));
	for (uint32_t pos = 0; pos < sizeof(f->data); pos += RECORD)
		memcpy(f->data + pos, &header, sizeof(header));
	f->consumer = at;
	f->ring = (struct xf_ring) {
		.size = SIZE,
		.consumer = &f->consumer,
		.producer = f->producer,
		.data = f->data,
		.at = at,
	};
}

static void set_producer(struct fixture *f, uint64_t at)
{
	memcpy(f->producer, &at, sizeof(at));
}

static void positions_of_a_64_bit_kernel_go_on(void **state)
{
	const uint64_t at = UINT32_MAX + 1ull - RECORD;
	struct fixture f;

	(void)state;
	begin(&f, at);
	set_producer(&f, at + 3 * RECORD);
	assert_int_equal(xf_ring__skip_all(&f.ring), 3);
	assert_int_equal(f.consumer, at + 3 * RECORD);
}

/* Its next word is another position. */
static void positions_of_a_32_bit_kernel_wrap(void **state)
{
	const uint32_t at = UINT32_MAX - RECORD + 1;
	struct fixture f;

	(void)state;
	begin(&f, at);
	f.producer[0] = at + 3 * RECORD;
	f.producer[1] = at + 2 * RECORD;
	assert_int_equal(xf_ring__skip_all(&f.ring), 3);
	assert_int_equal((uint32_t)f.consumer, 2 * RECORD);
	assert_int_equal(xf_ring__skip_all(&f.ring), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(positions_of_a_64_bit_kernel_go_on),
		cmocka_unit_test(positions_of_a_32_bit_kernel_wrap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
