// SPDX-License-Identifier: GPL-2.0-only
/* A record has the receive queue of its packet. */
#include <linux/bpf.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>

#include "tests/prog/harness.h"

#define QUEUES 4
#define ADD_INTERFACE "ip link add xfq0 numrxqueues 4 type veth peer name xfq1"

static int queues_ifindex; /* of an interface with so many queues */

static void queue_is_that_of_the_packet(void **state)
{
	const struct xf_harness *harness = *state;
	static const uint8_t packet[64] = { [12] = 0x88, 0xcc };
	struct xf_test_ring ring;
	struct xf_record rec;

	assert_int_equal(xf_test_ring__open(&ring, 4096), 0);
	xf_harness_install(harness, -1, ring.fd);
	for (int queue = QUEUES - 1; queue >= 0; queue--) {
		int verdict =
		    xf_harness_run_on(harness, packet, sizeof(packet), queues_ifindex, queue);

		assert_int_equal(verdict, XDP_PASS);
		assert_int_equal(xf_test_ring_read(&ring, &rec, 1), 1);
		assert_int_equal(rec.rx_queue, queue);
	}
	xf_test_ring__close(&ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(queue_is_that_of_the_packet, xf_harness_set_up,
						xf_harness_tear_down),
	};
	const char *why = xf_harness_refusal();

	if (why)
		return xf_skip_all(why);
	/* The interface is in a namespace that ends with this process. */
	if (unshare(CLONE_NEWNET))
		return xf_skip_all("the kernel refuses a network namespace");
	if (system(ADD_INTERFACE))
		return xf_skip_all(
		    "cannot add a veth interface with several queues: is ip installed?");
	queues_ifindex = if_nametoindex("xfq0");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
