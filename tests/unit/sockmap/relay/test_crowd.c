// SPDX-License-Identifier: GPL-2.0-only
/* The number of relays that count as busy at the same time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sockmap/relay/crowd.h"

#define WINDOW XF_CROWD_WINDOW
#define START (1000000 * WINDOW) /* the beginning of a window */
#define RELAYS 100

/* Note the first @n relays at @now. */
static void note(struct xf_crowd *crowd, uint64_t *stamps, unsigned int n, uint64_t now)
{
	for (unsigned int i = 0; i < n; i++)
		xf_crowd__note(crowd, &stamps[i], now);
}

static void nothing(void **state)
{
	struct xf_crowd crowd = {};

	(void)state;
	assert_int_equal(xf_crowd__size(&crowd, START), 0);
	assert_int_equal(xf_crowd__size(&crowd, 0), 0);
	assert_int_equal(xf_crowd__size(&crowd, UINT64_MAX), 0);
}

static void one_counts_once(void **state)
{
	struct xf_crowd crowd = {};
	uint64_t stamp = 0;

	(void)state;
	for (uint64_t now = START; now < START + WINDOW; now += WINDOW / 50) {
		xf_crowd__note(&crowd, &stamp, now);
		assert_int_equal(xf_crowd__size(&crowd, now), 1);
	}
	/* It counts in later windows, too. */
	for (uint64_t now = START; now < START + 20 * WINDOW; now += WINDOW / 3) {
		xf_crowd__note(&crowd, &stamp, now);
		assert_int_equal(xf_crowd__size(&crowd, now), 1);
	}
}

/* Each busy relay counts, from the first window on, and as long as it is busy. */
static void each_counts(void **state)
{
	(void)state;
	for (unsigned int n = 1; n <= RELAYS; n++) {
		struct xf_crowd crowd = {};
		uint64_t stamps[RELAYS] = {};

		for (uint64_t now = START; now < START + 30 * WINDOW; now += WINDOW) {
			note(&crowd, stamps, n, now);
			note(&crowd, stamps, n, now + WINDOW - 1);
			assert_int_equal(xf_crowd__size(&crowd, now + WINDOW - 1), n);
		}
	}
}

/* A crowd that grows from window to window counts at once. */
static void grows_at_once(void **state)
{
	struct xf_crowd crowd = {};
	uint64_t stamps[RELAYS] = {};

	(void)state;
	note(&crowd, stamps, 2, START);
	note(&crowd, stamps, 50, START + WINDOW);
	assert_int_equal(xf_crowd__size(&crowd, START + WINDOW), 50);
	note(&crowd, stamps, RELAYS, START + WINDOW);
	assert_int_equal(xf_crowd__size(&crowd, START + WINDOW), RELAYS);
}

/* A crowd that is gone sinks by an eighth with each window, and to nothing in the end. */
static void sinks(void **state)
{
	struct xf_crowd crowd = {};
	uint64_t stamps[RELAYS] = {}, now = START;
	unsigned int size, before = RELAYS;

	(void)state;
	note(&crowd, stamps, RELAYS, START);
	for (unsigned int windows = 1; before; windows++) {
		assert_true(windows < 60);
		now += WINDOW;
		size = xf_crowd__size(&crowd, now);
		assert_int_equal(size, before - (before + 7) / 8);
		/* Asking for the size changes nothing. */
		assert_int_equal(xf_crowd__size(&crowd, now), size);
		before = size;
	}
	assert_int_equal(xf_crowd__size(&crowd, now + WINDOW), 0);
}

/* A relay that goes on does not keep the others in the count. */
static void sinks_to_those_that_go_on(void **state)
{
	struct xf_crowd crowd = {};
	uint64_t stamps[RELAYS] = {}, now = START;
	unsigned int size = RELAYS;

	(void)state;
	note(&crowd, stamps, RELAYS, START);
	for (unsigned int windows = 1; windows < 60; windows++) {
		now += WINDOW;
		note(&crowd, stamps, 3, now);
		assert_true(xf_crowd__size(&crowd, now) <= size);
		size = xf_crowd__size(&crowd, now);
		assert_true(size >= 3);
		assert_true(windows != 1 || size >= RELAYS * 7 / 8);
	}
	assert_int_equal(size, 3);
}

/* Windows without a busy relay count as well. */
static void pauses_sink_it(void **state)
{
	struct xf_crowd one = {}, other = {};
	uint64_t stamps[RELAYS] = {}, others[RELAYS] = {}, now = START;

	(void)state;
	note(&one, stamps, RELAYS, START);
	note(&other, others, RELAYS, START);
	for (unsigned int i = 0; i < 6; i++) {
		now += WINDOW;
		note(&other, others, 1, now);
	}
	note(&one, stamps, 1, now);
	assert_int_equal(xf_crowd__size(&one, now), xf_crowd__size(&other, now));
	assert_in_range(xf_crowd__size(&one, now), 2, RELAYS / 2);
}

static void mapped_ones_are_added(void **state)
{
	struct xf_crowd crowd = {};
	uint64_t stamps[RELAYS] = {}, later;

	(void)state;
	xf_crowd__note_mapped(&crowd, 7, START);
	assert_int_equal(xf_crowd__size(&crowd, START), 7);
	note(&crowd, stamps, 5, START);
	assert_int_equal(xf_crowd__size(&crowd, START), 12);
	xf_crowd__note_mapped(&crowd, 2, START);
	assert_int_equal(xf_crowd__size(&crowd, START), 7);
	/* Until the next call the size does not sink; after a long time it is 0. */
	later = START + 100 * WINDOW;
	assert_int_equal(xf_crowd__size(&crowd, later), 2);
	later = START + 200 * WINDOW;
	assert_int_equal(xf_crowd__size(&crowd, later - 1), 2);
	assert_int_equal(xf_crowd__size(&crowd, later), 0);
	xf_crowd__note_mapped(&crowd, 3, later);
	assert_int_equal(xf_crowd__size(&crowd, later), 3);
	xf_crowd__note_mapped(&crowd, 0, later + 1);
	assert_int_equal(xf_crowd__size(&crowd, later + 1), 0);
}

/* The time jumps far ahead, as after a stop of the machine, and back, which a clock should not do.
 */
static void time_jumps(void **state)
{
	struct xf_crowd crowd = {};
	uint64_t stamps[RELAYS] = {}, far = START + 1000000000 * WINDOW;

	(void)state;
	note(&crowd, stamps, RELAYS, START);
	xf_crowd__note_mapped(&crowd, RELAYS, START);
	assert_int_equal(xf_crowd__size(&crowd, far), 0);
	assert_int_equal(xf_crowd__size(&crowd, UINT64_MAX), 0);
	note(&crowd, stamps, 4, far);
	xf_crowd__note_mapped(&crowd, 0, far);
	assert_int_equal(xf_crowd__size(&crowd, far), 4);
	assert_int_equal(xf_crowd__size(&crowd, START), 0);
	note(&crowd, stamps, 2, START);
	assert_int_equal(xf_crowd__size(&crowd, START), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing),	  cmocka_unit_test(one_counts_once),
		cmocka_unit_test(each_counts),	  cmocka_unit_test(grows_at_once),
		cmocka_unit_test(sinks),	  cmocka_unit_test(sinks_to_those_that_go_on),
		cmocka_unit_test(pauses_sink_it), cmocka_unit_test(mapped_ones_are_added),
		cmocka_unit_test(time_jumps),
	};

	return cmocka_run_group_tests_name("crowd", tests, NULL, NULL);
}
