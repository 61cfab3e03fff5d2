// SPDX-License-Identifier: GPL-2.0-only
/* --memory: the sum of all that is taken never passes the limit. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sockmap/relay/budget.h"

static void take_and_give(void **state)
{
	struct xf_budget budget;

	(void)state;
	xf_budget__init(&budget, 1000);
	assert_true(xf_budget__take(&budget, 0));
	assert_true(xf_budget__take(&budget, 600));
	assert_false(xf_budget__take(&budget, 401));
	assert_true(xf_budget__take(&budget, 400)); /* to the last byte */
	assert_false(xf_budget__take(&budget, 1));
	assert_true(xf_budget__take(&budget, 0));
	xf_budget__give(&budget, 1);
	assert_false(xf_budget__take(&budget, 2));
	assert_true(xf_budget__take(&budget, 1));
	xf_budget__give(&budget, 1000);
	assert_true(xf_budget__take(&budget, 1000));
	assert_int_equal(budget.taken, 1000);
}

static void large_numbers(void **state)
{
	struct xf_budget budget;

	(void)state;
	xf_budget__init(&budget, 1000);
	assert_false(xf_budget__take(&budget, UINT64_MAX));
	assert_true(xf_budget__take(&budget, 900));
	/* The sums would be small if they wrapped around. */
	assert_false(xf_budget__take(&budget, UINT64_MAX));
	assert_false(xf_budget__take(&budget, UINT64_MAX - 899));
	assert_false(xf_budget__take(&budget, UINT64_MAX - 900));
	assert_int_equal(budget.taken, 900);
	xf_budget__init(&budget, UINT64_MAX);
	assert_true(xf_budget__take(&budget, UINT64_MAX));
	assert_false(xf_budget__take(&budget, 1));
	xf_budget__give(&budget, UINT64_MAX);
	assert_true(xf_budget__take(&budget, 1));
	assert_false(xf_budget__take(&budget, UINT64_MAX));
	xf_budget__init(&budget, 0);
	assert_true(xf_budget__take(&budget, 0));
	assert_false(xf_budget__take(&budget, 1));
}

/* Waiting connections may take half of the memory, without that handed over. */
static void waiting(void **state)
{
	struct xf_budget budget;

	(void)state;
	xf_budget__init(&budget, 800);
	assert_false(xf_budget__take_waiting(&budget, 401));
	assert_true(xf_budget__take_waiting(&budget, 400));
	assert_false(xf_budget__take_waiting(&budget, 1));
	assert_int_equal(budget.taken, 400);
	assert_int_equal(xf_budget__left(&budget), 400);
	xf_budget__hand_over(&budget, 300);
	assert_int_equal(budget.taken, 400);
	assert_true(xf_budget__take_waiting(&budget, 300));
	assert_false(xf_budget__take_waiting(&budget, 1));
	xf_budget__give(&budget, 300);
	/* When relays have all memory, none is left for waiting connections. */
	xf_budget__hand_over(&budget, 400);
	assert_true(xf_budget__take(&budget, 390));
	assert_false(xf_budget__take_waiting(&budget, 11));
	assert_int_equal(budget.waiting, 0);
	assert_true(xf_budget__take_waiting(&budget, 10));
}

static void how_much_is_left(void **state)
{
	static const struct {
		uint64_t limit, taken;
		bool ample, scarce, tight;
	} rows[] = {
		{ 800, 0, true, false, false },	   { 800, 200, true, false, false },
		{ 800, 201, false, false, false }, { 800, 400, false, false, false },
		{ 800, 401, false, true, false },  { 800, 700, false, true, false },
		{ 800, 701, false, true, true },   { 800, 800, false, true, true },
		{ 0, 0, true, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct xf_budget budget;

		xf_budget__init(&budget, rows[i].limit);
		assert_true(xf_budget__take(&budget, rows[i].taken));
		if (xf_budget__is_ample(&budget) != rows[i].ample ||
		    xf_budget__is_scarce(&budget) != rows[i].scarce ||
		    xf_budget__is_tight(&budget) != rows[i].tight)
			fail_msg("row %zu: ample %d, scarce %d, tight %d", i,
				 xf_budget__is_ample(&budget), xf_budget__is_scarce(&budget),
				 xf_budget__is_tight(&budget));
		xf_budget__give(&budget, rows[i].taken);
		assert_true(xf_budget__is_ample(&budget));
		assert_false(xf_budget__is_scarce(&budget));
		assert_false(xf_budget__is_tight(&budget));
	}
}

static void what_may_come_to_be_needed_counts_for_the_size_of_new_ones(void **state)
{
	struct xf_budget budget;

	(void)state;
	xf_budget__init(&budget, 800);
	assert_true(xf_budget__take(&budget, 100));
	xf_budget__promise(&budget, 0, 100);
	assert_false(xf_budget__is_promised(&budget));
	xf_budget__promise(&budget, 100, 101);
	assert_true(xf_budget__is_promised(&budget));
	/* Nothing is kept from anybody for it. */
	assert_false(xf_budget__is_scarce(&budget));
	assert_int_equal(xf_budget__left(&budget), 700);
	xf_budget__promise(&budget, 101, 0);
	assert_false(xf_budget__is_promised(&budget));
	assert_true(xf_budget__take(&budget, 101));
	assert_true(xf_budget__is_promised(&budget));
	xf_budget__promise(&budget, 0, 499);
	assert_false(xf_budget__is_spoken_for(&budget));
	xf_budget__promise(&budget, 499, 500);
	assert_true(xf_budget__is_spoken_for(&budget));
	assert_false(xf_budget__is_tight(&budget));
}

/* ---- threads ---- */

#define LIMIT 1000
#define ROUNDS 200000

static struct xf_budget shared;
static _Atomic uint64_t held; /* the sum that the threads hold */
static _Atomic bool passed;

static void *use(void *arg)
{
	unsigned int seed = (uintptr_t)arg, taken = 0;

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t bytes = (seed = seed * 1103515245 + 12345) >> 16 & 1023;

		if (!xf_budget__take(&shared, bytes))
			continue;
		taken++;
		if (atomic_fetch_add(&held, bytes) + bytes > LIMIT)
			passed = true;
		atomic_fetch_sub(&held, bytes);
		xf_budget__give(&shared, bytes);
	}
	return (void *)(uintptr_t)taken;
}

static void threads_never_pass_the_limit(void **state)
{
	pthread_t threads[2];

	(void)state;
	xf_budget__init(&shared, LIMIT);
	for (uintptr_t i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, use, (void *)(i + 1)), 0);
	for (int i = 0; i < 2; i++) {
		void *taken;

		pthread_join(threads[i], &taken);
		assert_true((uintptr_t)taken > 0);
	}
	assert_false(passed);
	assert_int_equal(shared.taken, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(take_and_give),
		cmocka_unit_test(large_numbers),
		cmocka_unit_test(waiting),
		cmocka_unit_test(how_much_is_left),
		cmocka_unit_test(what_may_come_to_be_needed_counts_for_the_size_of_new_ones),
		cmocka_unit_test(threads_never_pass_the_limit),
	};

	return cmocka_run_group_tests_name("budget", tests, NULL, NULL);
}
