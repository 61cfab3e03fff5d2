// SPDX-License-Identifier: GPL-2.0-only
/* How a FIN comes to sockets in a map. */
#include <sys/epoll.h>
#include <sys/socket.h>

#include "tests/platform/platform.h"

/* The client says something and ends its direction, which epoll has announced. */
static void half_close(struct xf_bed *bed)
{
	xf_say(bed->client, "bye");
	assert_int_equal(shutdown(bed->client, SHUT_WR), 0);
	assert_true(xf_announces(bed->in, EPOLLRDHUP));
	xf_hears(bed->server, "bye");
}

static void fin_is_a_segment_without_bytes(void **state)
{
	struct xf_bed *bed = *state;

	xf_bed__join(bed, XF_ACTION_REDIRECT);
	half_close(bed);
	assert_int_equal(bed->verdict[0].redirected, 3);
	xf_holds_since(6, 1, bed->verdict[0].empty == 1, "the verdict is asked about a FIN");
}

/* Trap 3: nobody passes the FIN on. */
static void dropped_fin_is_announced_and_the_other_way_goes_on(void **state)
{
	struct xf_bed *bed = *state;

	xf_bed__join(bed, XF_ACTION_REDIRECT);
	half_close(bed);
	assert_true(xf_hears_nothing(bed->server));
	xf_say(bed->server, "answer");
	xf_hears(bed->client, "answer");
}

/* Trap 2. */
static void redirected_fin_ends_the_sending_of_the_other_socket(void **state)
{
	struct xf_bed *bed = *state;

	bed->verdict[0].empty_action = XF_EMPTY_REDIRECT;
	xf_bed__join(bed, XF_ACTION_REDIRECT);
	half_close(bed);
	assert_true(xf_hears_nothing(bed->server));
	xf_holds_since(6, 1, send(bed->out, "x", 1, MSG_NOSIGNAL) == -1,
		       "a FIN that is redirected ends the sending of the other socket");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		xf_fact(fin_is_a_segment_without_bytes),
		xf_fact(dropped_fin_is_announced_and_the_other_way_goes_on),
		xf_fact(redirected_fin_ends_the_sending_of_the_other_socket),
	};

	return xf_platform_run(tests);
}
