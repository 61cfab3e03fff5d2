// SPDX-License-Identifier: GPL-2.0-only
/* The record of a dropped packet has all of its fields, whatever dropped it and however far the
 * packet had to be read for that. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/prog/firewall/fw.h"
#include "tests/prog/harness.h"
#include "tests/prog/logger/packet.h"
#include "tests/prog/logger/ref_parse.h"
#include "xdp-prog/fw_abi.h"

struct drops {
	struct xf_fw fw;
	struct xf_packets packets;
	struct ring_buffer *reader;
	struct xf_fw_record last;
	unsigned int n, bad;
};

static int take(void *arg, void *data, size_t size)
{
	struct drops *drops = arg;

	assert_int_equal(size, sizeof(drops->last));
	memcpy(&drops->last, data, size);
	drops->n++;
	return 0;
}

static void check_record(struct drops *drops, const struct xf_packet *packet, uint64_t before)
{
	struct xf_record want;
	char why[512];

	xf_ref_parse_fw(packet->bytes, packet->len, &want);
	if (xf_record_equal(&want, &drops->last.packet, why, sizeof(why)) &&
	    drops->last.packet.boot_ns >= before && drops->last.packet.boot_ns <= xf_boot_ns())
		return;
	fprintf(stderr, "%s: %s\n", packet->name, why);
	xf_print_packet(packet->bytes, packet->len);
	drops->bad++;
}

/* Give all packets to the program; at least so many are dropped. */
static void check_drops(struct drops *drops, size_t least)
{
	size_t dropped = 0;

	drops->bad = 0;
	for (size_t i = 0; i < drops->packets.n; i++) {
		const struct xf_packet *packet = &drops->packets.list[i];
		uint64_t before = xf_boot_ns();
		int verdict = xf_fw_verdict(&drops->fw, packet->bytes, packet->len);

		drops->n = 0;
		assert_true(ring_buffer__consume(drops->reader) >= 0);
		assert_int_equal(drops->n, verdict == XDP_DROP);
		if (verdict == XDP_DROP)
			check_record(drops, packet, before);
		dropped += verdict == XDP_DROP;
	}
	assert_int_equal(drops->bad, 0);
	assert_true(dropped >= least);
}

static void under(struct drops *drops, bool deny, const char *const *rules, size_t least)
{
	struct xf_rule_error error;
	struct xf_rule rule;

	assert_int_equal(xf_ruleset__set_policy(drops->fw.ruleset, deny), 0);
	for (; *rules; rules++) {
		assert_int_equal(xf_rule_parse(*rules, strlen(*rules), &rule, &error), 1);
		assert_int_equal(xf_ruleset__add(drops->fw.ruleset, &rule, xf_boot_ns()), 0);
	}
	check_drops(drops, least);
	assert_int_equal(xf_ruleset__flush(drops->fw.ruleset), 0);
}

/* The headers behind the addresses had no say. */
static void by_a_prefix(void **state)
{
	static const char *const rules[] = { "deny from 0.0.0.0/0", "deny from ::/0", NULL };

	under(*state, false, rules, 100);
}

static void by_a_mac(void **state)
{
	static const char *const rules[] = { "deny ether 06:aa:bb:cc:dd:ee", NULL };

	under(*state, false, rules, 100);
}

static void by_a_protocol(void **state)
{
	static const char *const rules[] = { "deny proto tcp", "deny proto udp", "deny proto icmp",
					     "deny proto icmpv6", NULL };

	under(*state, false, rules, 50);
}

static void by_the_policy(void **state)
{
	static const char *const rules[] = { NULL };

	under(*state, true, rules, 50);
}

static int set_up(void **state)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NUMA_NODE, .numa_node = -1);
	struct drops *drops = calloc(1, sizeof(*drops));
	int rings, ring;

	*state = drops;
	if (!drops || xf_packets__build(&drops->packets) || xf_fw__open(&drops->fw, false))
		return -1;
	rings = bpf_object__find_map_fd_by_name(drops->fw.object, XF_RINGS_MAP);
	ring = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "xf_test_ring", 0, 0, 4096, &opts);
	for (int cpu = 0; cpu < drops->fw.cpus; cpu++)
		if (bpf_map_update_elem(rings, &cpu, &ring, BPF_ANY))
			return -1;
	drops->reader = ring_buffer__new(ring, take, drops, NULL);
	close(ring);
	return drops->reader ? 0 : -1;
}

static int tear_down(void **state)
{
	struct drops *drops = *state;

	ring_buffer__free(drops->reader);
	xf_fw__close(&drops->fw);
	xf_packets__free(&drops->packets);
	free(drops);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_a_prefix),
		cmocka_unit_test(by_a_mac),
		cmocka_unit_test(by_a_protocol),
		cmocka_unit_test(by_the_policy),
	};
	const char *why = xf_harness_refusal();

	if (why)
		return xf_skip_all(why);
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
