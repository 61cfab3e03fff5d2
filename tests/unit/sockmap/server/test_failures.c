// SPDX-License-Identifier: GPL-2.0-only
/* The table of failed upstreams: none pushes another one out, and none warns all the time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "sockmap/server/failures.h"

#define SECOND 1000000000ULL
#define START (1000 * SECOND)
#define MANY 5000

static struct xf_addr upstream(unsigned int n)
{
	struct xf_addr addr;
	char text[XF_SOCKADDR_TEXT];

	snprintf(text, sizeof(text), "10.%u.%u.1:%u", n % 7, n / 7 % 256, 1 + n / 1792);
	assert_int_equal(xf_sockaddr_parse(text, 1, &addr, NULL), 0);
	return addr;
}

/* Note a failure at @now. Returns whether it gets a line. */
static bool fails(struct xf_failures *failures, const struct xf_addr *addr, uint64_t now,
		  uint64_t *times)
{
	return xf_ratelimit_due(xf_failures__note(failures, addr, now), now, times);
}

static void test_one(void **state)
{
	struct xf_failures failures = {};
	struct xf_addr a = upstream(1);
	uint64_t times;

	(void)state;
	assert_false(xf_failures__has(&failures, &a, START));
	xf_failures__forget(&failures, &a);
	assert_true(fails(&failures, &a, START, &times));
	assert_true(xf_failures__has(&failures, &a, START));
	assert_true(xf_failures__has(&failures, &a, START + 5 * SECOND - 1));
	assert_false(xf_failures__has(&failures, &a, START + 5 * SECOND));
	/* A failure counts from its time on, and gets a line every five seconds. */
	assert_false(fails(&failures, &a, START + 4 * SECOND, &times));
	assert_true(xf_failures__has(&failures, &a, START + 8 * SECOND));
	xf_failures__forget(&failures, &a);
	assert_false(xf_failures__has(&failures, &a, START + 4 * SECOND));
	assert_false(fails(&failures, &a, START + 4 * SECOND, &times));
	assert_true(fails(&failures, &a, START + 6 * SECOND, &times));
	assert_int_equal(times, 3);
}

/* Some of these pairs of upstreams have the same place in the table. */
static void test_two(void **state)
{
	struct xf_addr a = upstream(0);

	(void)state;
	for (unsigned int n = 1; n < MANY; n++) {
		struct xf_failures failures = {};
		struct xf_addr b = upstream(n);
		uint64_t times;

		assert_true(fails(&failures, &a, START, &times));
		assert_false(xf_failures__has(&failures, &b, START));
		assert_true(fails(&failures, &b, START, &times));
		for (unsigned int i = 1; i < 5; i++) {
			assert_false(fails(&failures, &a, START + i, &times));
			assert_int_equal(times, i);
			assert_false(fails(&failures, &b, START + i, &times));
			assert_int_equal(times, i);
		}
		assert_true(xf_failures__has(&failures, &a, START));
		assert_true(xf_failures__has(&failures, &b, START));
		xf_failures__forget(&failures, &b);
		assert_true(xf_failures__has(&failures, &a, START));
		assert_false(xf_failures__has(&failures, &b, START));
	}
}

/* The table is half full. */
static void test_some(void **state)
{
	struct xf_failures failures = {};
	uint64_t times;

	(void)state;
	for (unsigned int n = 0; n < XF_FAILURES / 2; n++) {
		struct xf_addr addr = upstream(n);

		assert_true(fails(&failures, &addr, START, &times));
	}
	for (unsigned int n = 0; n < XF_FAILURES / 2; n++) {
		struct xf_addr addr = upstream(n);

		assert_true(xf_failures__has(&failures, &addr, START));
		assert_false(fails(&failures, &addr, START, &times));
	}
}

/* Many more upstreams than places fail: the latest are known, and lines stay few. */
static void test_too_many(void **state)
{
	static struct xf_failures failures;
	unsigned int lines = 0;
	uint64_t times, now = START;
	struct xf_addr addr;

	(void)state;
	for (unsigned int round = 0; round < 10; round++) {
		for (unsigned int n = 0; n < MANY; n++) {
			addr = upstream(n);
			lines += fails(&failures, &addr, ++now, &times);
			assert_true(xf_failures__has(&failures, &addr, now));
		}
	}
	assert_in_range(lines, XF_FAILURES / 2, XF_FAILURES);
	/* Later each place gets a line again. */
	now += 5 * SECOND;
	for (unsigned int n = 0; n < MANY; n++) {
		addr = upstream(n);
		lines += fails(&failures, &addr, ++now, &times);
	}
	assert_in_range(lines, XF_FAILURES, 2 * XF_FAILURES);
}

/* Entries that have expired go first. */
static void test_old(void **state)
{
	static struct xf_failures failures;
	struct xf_addr recent = upstream(MANY), addr;
	uint64_t times, now = START + 20 * SECOND;

	(void)state;
	for (unsigned int n = 0; n < MANY; n++) {
		addr = upstream(n);
		fails(&failures, &addr, START, &times);
	}
	assert_true(fails(&failures, &recent, now, &times));
	assert_int_equal(times, 1);
	for (unsigned int n = 0; n < XF_FAILURES / 4; n++) {
		addr = upstream(n);
		fails(&failures, &addr, now + n, &times);
		assert_int_equal(times, 1);
	}
	assert_true(xf_failures__has(&failures, &recent, now));
	assert_false(fails(&failures, &recent, now, &times));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one),  cmocka_unit_test(test_two),
		cmocka_unit_test(test_some), cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_old),
	};

	return cmocka_run_group_tests_name("failures", tests, NULL, NULL);
}
