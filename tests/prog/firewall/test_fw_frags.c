// SPDX-License-Identifier: GPL-2.0-only
/* The verdict on a frame of several buffers is that on the same frame in one, wherever the first
 * buffer ends. */
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>

#include "tests/prog/firewall/fw.h"
#include "tests/prog/harness.h"
#include "tests/prog/logger/packet.h"

/* The verdict on each packet of the table, in one buffer and with every length of the first one. */
static void check_splits(const struct xf_fw *fw, const struct xf_packets *packets)
{
	size_t dropped = 0;

	for (size_t i = 0; i < packets->n; i++) {
		const struct xf_packet *packet = &packets->list[i];
		int want = xf_fw_verdict(fw, packet->bytes, packet->len), verdict;

		for (size_t first = 0; first < packet->len; first++) {
			verdict = xf_harness_run_split(fw->prog, packet->bytes, packet->len, first);
			if (verdict != want)
				fail_msg("%s, %zu bytes in the first buffer: %d instead of %d",
					 packet->name, first, verdict, want);
		}
		dropped += want == XDP_DROP;
	}
	assert_true(dropped > 20 && dropped < packets->n);
}

static void first_buffer_of_any_length(void **state)
{
	static const char *const rules[][3] = {
		{ "deny from 10.9.0.0/16", "deny from 2001:db8::/32" },
		{ "deny to 10.9.0.2", "deny proto udp" },
		{ "deny dport 47806" },
		{ "deny established", "deny proto icmpv6" },
	};
	struct xf_packets packets;
	struct xf_fw fw;
	int err = xf_fw__open_flags(&fw, false, BPF_F_XDP_HAS_FRAGS);

	(void)state;
	if (err == -EINVAL)
		skip(); /* a kernel before 5.18 */
	assert_int_equal(err, 0);
	assert_int_equal(xf_packets__build(&packets), 0);
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		xf_fw_add_rules(fw.ruleset, rules[i]);
		check_splits(&fw, &packets);
		assert_int_equal(xf_ruleset__flush(fw.ruleset), 0);
	}
	assert_int_equal(xf_ruleset__set_policy(fw.ruleset, true), 0);
	check_splits(&fw, &packets);
	xf_packets__free(&packets);
	xf_fw__close(&fw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_buffer_of_any_length),
	};
	const char *why = xf_harness_refusal();

	if (why)
		return xf_skip_all(why);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
