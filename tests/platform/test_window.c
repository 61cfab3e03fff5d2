// SPDX-License-Identifier: GPL-2.0-only
/* When TCP's window closes for a sender whose socket's peer is in a map. */
#include <sys/socket.h>

#include "tests/platform/platform.h"

#define MUCH (32u << 20)
#define BUFFER (256 * 1024)

/* Less than so many bytes fit into the buffers of both ends. */
#define BOUND (MUCH / 4)

/* Without it the kernel's autotuning lets several MiB in. */
static void fix_buffers(struct xf_bed *bed)
{
	int size = BUFFER;

	setsockopt(bed->in, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(bed->client, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

static void passed_bytes_close_the_window_and_reading_opens_it(void **state)
{
	struct xf_bed *bed = *state;
	size_t sent, got;

	fix_buffers(bed);
	xf_bed__join(bed, XF_ACTION_PASS);
	sent = xf_flood(bed->client, MUCH);
	assert_in_range(sent, BUFFER / 4, BOUND);
	got = xf_swallow(bed->in, sent);
	assert_int_equal(got, sent);
	sent = xf_flood(bed->client, MUCH);
	assert_in_range(sent, BUFFER / 4, BOUND);
	assert_int_equal(xf_swallow(bed->in, sent), sent);
	assert_int_equal(bed->verdict[0].passed, got + sent);
}

/* Trap 8: for as long as the receiver does not read. */
static void redirected_bytes_do_not_close_the_window(void **state)
{
	struct xf_bed *bed = *state;

	fix_buffers(bed);
	xf_bed__join(bed, XF_ACTION_REDIRECT);
	assert_int_equal(xf_flood(bed->client, MUCH), MUCH);
	assert_int_equal(xf_swallow(bed->server, MUCH), MUCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		xf_fact(passed_bytes_close_the_window_and_reading_opens_it),
		xf_fact(redirected_bytes_do_not_close_the_window),
	};

	return xf_platform_run(tests);
}
