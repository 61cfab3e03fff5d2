// SPDX-License-Identifier: GPL-2.0-only
/* Bytes that a verdict passes go to the socket's own reader. */
#include <sys/epoll.h>
#include <sys/socket.h>

#include "tests/platform/platform.h"

static bool has_calls(void *arg)
{
	return ((struct xf_verdict *)arg)->calls > 0;
}

static void passed_bytes_are_received_in_order(void **state)
{
	struct xf_bed *bed = *state;

	xf_bed__join(bed, XF_ACTION_PASS);
	for (int i = 0; i < 10; i++)
		xf_say(bed->client, "0123456789");
	xf_hears(bed->in, "01234567890123456789012345678901234567890123456789"
			  "01234567890123456789012345678901234567890123456789");
	assert_int_equal(bed->verdict[0].passed, 100);
	assert_true(xf_hears_nothing(bed->server));
}

static void passed_bytes_are_announced(void **state)
{
	struct xf_bed *bed = *state;

	xf_bed__join(bed, XF_ACTION_PASS);
	assert_true(xf_does_not_announce(bed->in, EPOLLIN));
	xf_say(bed->client, "hello");
	assert_true(xf_eventually(has_calls, &bed->verdict[0]));
	assert_true(xf_announces(bed->in, EPOLLIN));
	xf_hears(bed->in, "hello");
	assert_true(xf_does_not_announce(bed->in, EPOLLIN));
}

static void redirected_bytes_are_not_announced(void **state)
{
	struct xf_bed *bed = *state;

	xf_bed__join(bed, XF_ACTION_REDIRECT);
	xf_say(bed->client, "hello");
	xf_hears(bed->server, "hello");
	assert_true(xf_does_not_announce(bed->in, EPOLLIN));
}

/* Trap 9: what is redirected to a socket that is not in the map is gone, unless the program passes
 * it after all. */
static void refused_redirect_may_still_be_passed(void **state)
{
	struct xf_bed *bed = *state;

	bed->verdict[0].action = XF_ACTION_TRY;
	assert_int_equal(xf_bed__enter(bed, 0), 0);
	xf_say(bed->client, "hello");
	xf_hears(bed->in, "hello");
	assert_int_equal(bed->verdict[0].refused, 5);
}

static void refused_redirect_is_lost(void **state)
{
	struct xf_bed *bed = *state;

	bed->verdict[0].action = XF_ACTION_REDIRECT;
	assert_int_equal(xf_bed__enter(bed, 0), 0);
	xf_say(bed->client, "hello");
	assert_true(xf_eventually(has_calls, &bed->verdict[0]));
	assert_true(xf_hears_nothing(bed->in));
	assert_true(xf_hears_nothing(bed->server));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		xf_fact(passed_bytes_are_received_in_order),
		xf_fact(passed_bytes_are_announced),
		xf_fact(redirected_bytes_are_not_announced),
		xf_fact(refused_redirect_may_still_be_passed),
		xf_fact(refused_redirect_is_lost),
	};

	return xf_platform_run(tests);
}
