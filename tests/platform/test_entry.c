// SPDX-License-Identifier: GPL-2.0-only
/* The entry of a socket into a map. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "tests/platform/platform.h"

/* Trap 1. */
static void bytes_from_before_wait_until_the_socket_is_kicked(void **state)
{
	struct xf_bed *bed = *state;
	int one = 1;

	xf_say(bed->client, "early");
	assert_true(xf_announces(bed->in, EPOLLIN));
	xf_bed__join(bed, XF_ACTION_REDIRECT);
	assert_true(xf_hears_nothing(bed->server));
	assert_int_equal(bed->verdict[0].calls, 0);
	/* Setting the mark runs the data-ready callback. */
	assert_int_equal(setsockopt(bed->in, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof(one)), 0);
	xf_hears(bed->server, "early");
}

static void bytes_from_before_come_with_the_next_segment(void **state)
{
	struct xf_bed *bed = *state;

	xf_say(bed->client, "early");
	assert_true(xf_announces(bed->in, EPOLLIN));
	xf_bed__join(bed, XF_ACTION_REDIRECT);
	xf_say(bed->client, " and late");
	xf_hears(bed->server, "early and late");
}

/* Trap 11. */
static void a_socket_whose_fin_has_come_is_refused(void **state)
{
	struct xf_bed *bed = *state;

	assert_int_equal(shutdown(bed->client, SHUT_WR), 0);
	assert_true(xf_announces(bed->in, EPOLLRDHUP));
	assert_int_equal(xf_bed__enter(bed, 0), -EOPNOTSUPP);
}

/* Of 5.10 only the attach type of stream verdicts. */
static void there_is_an_attach_type_for_verdicts(void **state)
{
	struct xf_bed *bed = *state;
	struct bpf_program *prog =
	    bpf_object__find_program_by_name(bed->object, "xf_verdict_program");
	int map = bpf_map_create(BPF_MAP_TYPE_SOCKHASH, "xf_other", 8, 4, 1, NULL);

	assert_true(map >= 0);
	xf_holds_since(5, 13, !bpf_prog_attach(bpf_program__fd(prog), map, BPF_SK_SKB_VERDICT, 0),
		       "a program attaches to a sockmap as BPF_SK_SKB_VERDICT");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		xf_fact(bytes_from_before_wait_until_the_socket_is_kicked),
		xf_fact(bytes_from_before_come_with_the_next_segment),
		xf_fact(a_socket_whose_fin_has_come_is_refused),
		xf_fact(there_is_an_attach_type_for_verdicts),
	};

	return xf_platform_run(tests);
}
