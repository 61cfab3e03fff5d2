// SPDX-License-Identifier: GPL-2.0-only
/* A simple rule, a simple packet, and queries of a generation. */
#include "tests/prog/firewall/fw.h"
#include "tests/prog/harness.h"

struct xf_rule xf_fw_from4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint8_t len, bool deny)
{
	return (struct xf_rule) {
		.deny = deny,
		.has = XF_RULE_SRC,
		.family = 4,
		.src = { .addr = { a, b, c, d }, .len = len },
	};
}

const uint8_t *xf_fw_packet_from(uint8_t d)
{
	static uint8_t bytes[XF_FW_PLAIN_LEN] = { [12] = 8,  [14] = 0x45, [17] = 46, [22] = 64,
						  [23] = 17, [26] = 10,	  [27] = 1,  [28] = 2 };

	bytes[29] = d;
	return bytes;
}

int xf_fw_verdict_on(const struct xf_fw *fw, uint8_t d)
{
	return xf_fw_verdict(fw, xf_fw_packet_from(d), XF_FW_PLAIN_LEN);
}

size_t xf_fw_rules(const struct xf_fw *fw)
{
	struct xf_ruleset_stats stats;

	assert_int_equal(xf_ruleset__stats(fw->ruleset, xf_boot_ns(), &stats), 0);
	return stats.rules;
}

uint64_t xf_fw_memory(const struct xf_fw *fw)
{
	struct xf_ruleset_stats stats;

	assert_int_equal(xf_ruleset__stats(fw->ruleset, xf_boot_ns(), &stats), 0);
	return stats.memory;
}

struct found {
	struct xf_rule want;
	struct xf_ruleset_rule entry;
	int n;
};

static int find_entry(void *arg, const struct xf_ruleset_rule *entry)
{
	struct found *found = arg;

	if (xf_rule_equal(&entry->rule, &found->want)) {
		found->entry = *entry;
		found->n++;
	}
	return 0;
}

struct xf_ruleset_rule xf_fw_entry(const struct xf_fw *fw, struct xf_rule rule)
{
	struct found found = { .want = rule };
	struct xf_rule by_id;

	assert_int_equal(xf_ruleset__each(fw->ruleset, xf_boot_ns(), find_entry, &found), 0);
	assert_int_equal(found.n, 1);
	assert_int_equal(
	    xf_ruleset__by_id(fw->ruleset, found.entry.gen, found.entry.id, xf_boot_ns(), &by_id),
	    0);
	assert_true(xf_rule_equal(&by_id, &rule));
	return found.entry;
}
