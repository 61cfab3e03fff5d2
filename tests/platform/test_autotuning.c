// SPDX-License-Identifier: GPL-2.0-only
/* Whether the kernel goes on to grow the receive buffer of a socket in a map. */
#include <sys/socket.h>

#include "tests/platform/platform.h"

#define MUCH (32u << 20)

static int receive_buffer(int fd)
{
	socklen_t len = sizeof(int);
	int size = 0;

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, &len), 0);
	return size;
}

/* The receive buffer of in, over its first size, after much was sent to @reader, which reads at
 * once. */
static int growth(struct xf_bed *bed, int reader)
{
	static char buf[64 * 1024];
	int before = receive_buffer(bed->in);

	for (size_t sent = 0; sent < MUCH;) {
		ssize_t n = send(bed->client, buf, sizeof(buf), MSG_DONTWAIT | MSG_NOSIGNAL);

		sent += n > 0 ? n : 0;
		for (int i = 0; i < 2; i++)
			(void)!recv(reader, buf, sizeof(buf), MSG_DONTWAIT);
	}
	return receive_buffer(bed->in) / before;
}

static void buffer_of_a_socket_in_no_map_grows(void **state)
{
	struct xf_bed *bed = *state;

	assert_true(growth(bed, bed->in) >= 2);
}

static void buffer_grows_while_bytes_are_passed(void **state)
{
	struct xf_bed *bed = *state;

	xf_bed__join(bed, XF_ACTION_PASS);
	xf_holds_since(6, 5, growth(bed, bed->in) >= 2,
		       "the receive buffer grows while a verdict passes what comes");
}

static void buffer_grows_while_bytes_are_redirected(void **state)
{
	struct xf_bed *bed = *state;

	xf_bed__join(bed, XF_ACTION_REDIRECT);
	xf_holds_since(6, 5, growth(bed, bed->server) >= 2,
		       "the receive buffer grows while a verdict redirects what comes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		xf_fact(buffer_of_a_socket_in_no_map_grows),
		xf_fact(buffer_grows_while_bytes_are_passed),
		xf_fact(buffer_grows_while_bytes_are_redirected),
	};

	return xf_platform_run(tests);
}
