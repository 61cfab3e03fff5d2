// SPDX-License-Identifier: GPL-2.0-only
/* The fate of bytes when a socket leaves a map. */
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/platform/platform.h"

#define MUCH (8u << 20)

static bool has_passed(void *arg)
{
	return ((struct xf_verdict *)arg)->passed > 0;
}

static bool has_redirected_all(void *arg)
{
	return ((struct xf_verdict *)arg)->redirected == MUCH;
}

/* More is on its way from in to out than the sockets of out and server take. */
static void fill(struct xf_bed *bed)
{
	xf_bed__join(bed, XF_ACTION_REDIRECT);
	assert_int_equal(xf_flood(bed->client, MUCH), MUCH);
	assert_true(xf_eventually(has_redirected_all, &bed->verdict[0]));
}

static void source_leaves_and_redirected_bytes_are_delivered(void **state)
{
	struct xf_bed *bed = *state;

	fill(bed);
	xf_bed__leave(bed, 0);
	assert_int_equal(xf_swallow(bed->server, MUCH), MUCH);
}

/* Trap 5. */
static void destination_leaves_and_redirected_bytes_are_lost(void **state)
{
	struct xf_bed *bed = *state;

	fill(bed);
	xf_bed__leave_destinations(bed, 1);
	xf_bed__leave(bed, 1);
	assert_in_range(xf_swallow(bed->server, 0), 0, MUCH - 1);
}

/* Where another map still has the socket they can be read, but TCP takes them for unread after
 * that, and later bytes cannot be read at all ("TCP recvmsg seq # bug"). */
static void passed_bytes_that_nobody_has_read_are_lost(void **state)
{
	struct xf_bed *bed = *state;

	bed->verdict[0].action = XF_ACTION_PASS;
	assert_int_equal(xf_bed__enter(bed, 0), 0);
	xf_say(bed->client, "waits");
	assert_true(xf_eventually(has_passed, &bed->verdict[0]));
	xf_bed__leave(bed, 0);
	assert_true(xf_hears_nothing(bed->in));
}

struct heard {
	struct xf_bed *bed;
	size_t in, server; /* bytes received there */
};

static bool has_heard_two(void *arg)
{
	struct heard *h = arg;
	char buf[8];
	ssize_t n = recv(h->bed->in, buf, sizeof(buf), MSG_DONTWAIT);

	h->in += n > 0 ? n : 0;
	n = recv(h->bed->server, buf, sizeof(buf), MSG_DONTWAIT);
	h->server += n > 0 ? n : 0;
	return h->in + h->server == strlen("two");
}

static void source_that_is_a_destination_still_receives_later_bytes(void **state)
{
	struct xf_bed *bed = *state;
	struct heard heard = { .bed = bed };

	xf_bed__join(bed, XF_ACTION_REDIRECT);
	xf_say(bed->client, "one");
	xf_hears(bed->server, "one");
	xf_bed__leave(bed, 0);
	xf_say(bed->client, "two");
	assert_true(xf_eventually(has_heard_two, &heard));
	xf_holds_since(6, 1, !heard.server,
		       "the verdict is not asked about a source that has left, while it is still "
		       "a destination");
}

/* Trap 7. */
static void bytes_for_a_peer_that_has_reset_are_lost(void **state)
{
	struct xf_bed *bed = *state;
	struct linger reset = { .l_onoff = 1 };

	xf_bed__join(bed, XF_ACTION_REDIRECT);
	assert_int_equal(setsockopt(bed->server, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0);
	close(bed->server);
	assert_true(xf_announces(bed->out, EPOLLHUP));
	xf_say(bed->client, "lost");
	assert_true(xf_hears_nothing(bed->in));
	assert_true(xf_does_not_announce(bed->client, EPOLLRDHUP));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		xf_fact(source_leaves_and_redirected_bytes_are_delivered),
		xf_fact(destination_leaves_and_redirected_bytes_are_lost),
		xf_fact(passed_bytes_that_nobody_has_read_are_lost),
		xf_fact(source_that_is_a_destination_still_receives_later_bytes),
		xf_fact(bytes_for_a_peer_that_has_reset_are_lost),
	};

	return xf_platform_run(tests);
}
