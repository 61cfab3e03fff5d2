// SPDX-License-Identifier: GPL-2.0-only
/* A record of a packet of several buffers: its length counts all, and its headers are read wherever
 * the first one ends. */
#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "tests/prog/harness.h"
#include "tests/prog/logger/packet.h"
#include "tests/prog/logger/ref_parse.h"

#define LONGEST 40000

struct frags {
	struct xf_harness harness;
	struct xf_test_ring ring;
};

static const struct xf_packet_row udp = {
	.layers = { { .kind = LAYER_ETH, .next = ETH_P_IP },
		    { .kind = LAYER_IP4, .next = IPPROTO_UDP },
		    { .kind = LAYER_UDP } },
};

static void length_is_that_of_all_buffers(void **state)
{
	static const size_t lengths[] = { 64, 1514, 3000, 4096, 5000, 9000, LONGEST };
	struct frags *frags = *state;
	static uint8_t bytes[LONGEST];
	struct xf_packet head;
	struct xf_record want, rec;
	char why[512];

	xf_packet_build(&udp, &head);
	memset(bytes, 0xa5, sizeof(bytes));
	memcpy(bytes, head.bytes, head.len);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		assert_int_equal(xf_harness_run(&frags->harness, bytes, lengths[i], 1), XDP_PASS);
		assert_int_equal(xf_test_ring_read(&frags->ring, &rec, 1), 1);
		assert_int_equal(rec.len, lengths[i]);
		xf_ref_parse(bytes, lengths[i], &want);
		if (!xf_record_equal(&want, &rec, why, sizeof(why)))
			fail_msg("%zu bytes: %s", lengths[i], why);
	}
}

static void check_split(struct frags *frags, const struct xf_packet *packet, size_t first)
{
	struct xf_record want, rec;
	char why[512];

	assert_int_equal(
	    xf_harness_run_split(frags->harness.prog, packet->bytes, packet->len, first), XDP_PASS);
	assert_int_equal(xf_test_ring_read(&frags->ring, &rec, 1), 1);
	xf_ref_parse(packet->bytes, packet->len, &want);
	if (!xf_record_equal(&want, &rec, why, sizeof(why)))
		fail_msg("%s, %zu bytes in the first buffer: %s", packet->name, first, why);
}

/* Some drivers put nothing into it. */
static void first_buffer_ends_anywhere(void **state)
{
	struct xf_packets packets;
	size_t checked = 0;

	assert_int_equal(xf_packets__build(&packets), 0);
	for (size_t i = 0; i < packets.n; i++)
		for (size_t first = 0; first < packets.list[i].len; first++, checked++)
			check_split(*state, &packets.list[i], first);
	assert_true(checked > 1000);
	xf_packets__free(&packets);
}

/* Returns the reason why this kernel cannot, or NULL. */
static const char *open_frags(struct frags *frags, int *err)
{
	static const uint8_t jumbo[9000];

	*err = xf_harness__open(&frags->harness, BPF_F_XDP_HAS_FRAGS);
	if (*err == -EINVAL)
		return "the kernel knows no packets of several buffers";
	if (!*err && xf_harness_run(&frags->harness, jumbo, sizeof(jumbo), 1) == -EINVAL)
		return "the kernel makes no test run with a packet of several buffers";
	if (!*err)
		*err = xf_test_ring__open(&frags->ring, 4096);
	return NULL;
}

int main(void)
{
	static struct frags frags;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(length_is_that_of_all_buffers, &frags),
		cmocka_unit_test_prestate(first_buffer_ends_anywhere, &frags),
	};
	const char *why = xf_harness_refusal();
	int err = 0;

	if (!why)
		why = open_frags(&frags, &err);
	if (why)
		return xf_skip_all(why);
	if (err) {
		printf("Bail out! cannot load the object: %s\n", strerror(-err));
		return 1;
	}
	xf_harness_install(&frags.harness, -1, frags.ring.fd);
	err = cmocka_run_group_tests(tests, NULL, NULL);
	xf_test_ring__close(&frags.ring);
	xf_harness__close(&frags.harness);
	return err;
}
