// SPDX-License-Identifier: GPL-2.0-only
/* The limits of a rule set: the numbers and kinds of rules, and the refused ones. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/prog/firewall/fw.h"
#include "tests/prog/harness.h"
#include "xdp-prog/fw_abi.h"

static void too_many_spaces_change_nothing(void **state)
{
	const struct xf_fw *fw = *state;
	uint64_t now = xf_boot_ns();
	struct xf_ruleset_stats before, after;
	size_t added = 0;
	int err = 0;

	for (unsigned int len = 0; len < 32 * 32 && !err; len++) {
		struct xf_rule rule = xf_fw_from4(0, 0, 0, 0, len / 32, true);

		rule.has |= XF_RULE_DST;
		rule.dst.len = len % 32;
		err = xf_ruleset__add(fw->ruleset, &rule, now);
		added += !err;
	}
	assert_int_equal(err, -E2BIG);
	assert_true(strlen(xf_ruleset__why(fw->ruleset)) > 20);
	assert_int_equal(xf_ruleset__stats(fw->ruleset, now, &before), 0);
	assert_int_equal(before.rules, added);
	assert_int_equal(before.spaces, before.spaces_max);
	assert_int_equal(xf_ruleset__flush(fw->ruleset), 0);
	assert_int_equal(xf_ruleset__stats(fw->ruleset, now, &after), 0);
	assert_int_equal(after.spaces, 0);
	assert_int_equal(after.rules, 0);
}

#define SPACES 128

/* A rule for 16 lengths of a source and 8 of a destination that no two rules share: each is a tuple
 * space of its own, and a packet to the nth destination matches the nth rule only. */
static struct xf_rule nth_rule(unsigned int family, unsigned int n)
{
	struct xf_rule rule = { .deny = true, .has = XF_RULE_SRC | XF_RULE_DST, .family = family };

	rule.src.len = 1 + n % 16;
	rule.dst.len = 17 + n / 16;
	rule.dst.addr[0] = 0x20;
	rule.dst.addr[1] = n;
	return rule;
}

static size_t put_nth_packet(unsigned int family, unsigned int n, uint8_t bytes[64])
{
	static const uint8_t ip4[20] = { 0x45, [3] = 46, [8] = 64, [9] = 253 };
	static const uint8_t ip6[40] = { 0x60, [5] = 6, [6] = 253, [7] = 64 };
	uint8_t *ip = bytes + 14, *dst = ip + (family == 4 ? 16 : 24);

	memset(bytes, 0, 64);
	memcpy(bytes + 12, family == 4 ? "\x08\0" : "\x86\xdd", 2);
	memcpy(ip, family == 4 ? ip4 : ip6, family == 4 ? 20 : 40);
	dst[0] = 0x20;
	dst[1] = n;
	return 60;
}

static void every_space_is_looked_into(void **state)
{
	const struct xf_fw *fw = *state;
	struct xf_ruleset_stats stats;
	uint8_t bytes[64];

	for (unsigned int family = 4; family <= 6; family += 2) {
		for (unsigned int n = 0; n < SPACES; n++) {
			struct xf_rule rule = nth_rule(family, n);

			assert_int_equal(xf_ruleset__add(fw->ruleset, &rule, xf_boot_ns()), 0);
		}
		assert_int_equal(xf_ruleset__stats(fw->ruleset, xf_boot_ns(), &stats), 0);
		assert_int_equal(stats.spaces, SPACES);
		for (unsigned int n = 0; n <= SPACES; n++)
			assert_int_equal(xf_fw_fate(fw, bytes, put_nth_packet(family, n, bytes)),
					 n < SPACES ? XF_FATE_DENIED : XF_FATE_POLICY_ALLOWED);
		for (unsigned int n = 0; n < SPACES; n++)
			assert_int_equal(xf_fw_entry(fw, nth_rule(family, n)).packets, 1);
		assert_int_equal(xf_ruleset__flush(fw->ruleset), 0);
	}
}

static struct xf_rule for_ports(uint16_t min, uint16_t max)
{
	return (struct xf_rule) {
		.deny = true, .has = XF_RULE_DPORT, .dport_min = min, .dport_max = max
	};
}

/* Fails unless the rule is refused for this reason, and the generation stays as it was. */
static void assert_refused(const struct xf_fw *fw, const struct xf_rule *rule, const char *why)
{
	struct xf_ruleset_stats before, after;
	uint64_t now = xf_boot_ns();

	assert_int_equal(xf_ruleset__stats(fw->ruleset, now, &before), 0);
	assert_int_equal(xf_ruleset__add(fw->ruleset, rule, now), -E2BIG);
	if (!strstr(xf_ruleset__why(fw->ruleset), why))
		fail_msg("\"%s\" does not say \"%s\"", xf_ruleset__why(fw->ruleset), why);
	assert_int_equal(xf_ruleset__stats(fw->ruleset, now, &after), 0);
	assert_int_equal(after.rules, before.rules);
	assert_int_equal(after.spaces, before.spaces);
	assert_int_equal(xf_ruleset__del(fw->ruleset, rule, now), -ENOENT);
}

/* One range takes at most 16 tuple spaces, and two take up to 256, which are too many. */
static void port_ranges_are_limited(void **state)
{
	const struct xf_fw *fw = *state;
	struct xf_rule rule = for_ports(1, 65535);
	struct xf_ruleset_stats stats;
	uint64_t now = xf_boot_ns();

	assert_int_equal(xf_ruleset__add(fw->ruleset, &rule, now), 0);
	assert_int_equal(xf_ruleset__stats(fw->ruleset, now, &stats), 0);
	assert_int_equal(stats.spaces, 16);
	assert_int_equal(xf_ruleset__del(fw->ruleset, &rule, now), 0);
	rule.has |= XF_RULE_SPORT;
	rule.sport_min = rule.sport_max = 53;
	assert_int_equal(xf_ruleset__add(fw->ruleset, &rule, now), 0);
	assert_int_equal(xf_ruleset__del(fw->ruleset, &rule, now), 0);
	rule.sport_min = 1;
	rule.sport_max = 65535;
	assert_refused(fw, &rule, "in 128 ways");
	rule = for_ports(80, 90);
	assert_int_equal(xf_ruleset__add(fw->ruleset, &rule, now), 0);
}

static void ranges_of_one_block_are_limited(void **state)
{
	const struct xf_fw *fw = *state;
	uint64_t now = xf_boot_ns();
	struct xf_rule rule;

	/* 8192 to 16383 is one block, and so are up to 8 ports behind it. */
	for (int i = 0; i < 16; i++) {
		rule = for_ports(8192, 16384 + i / 2);
		rule.deny = i % 2;
		assert_int_equal(xf_ruleset__add(fw->ruleset, &rule, now), 0);
	}
	rule = for_ports(8192, 16400);
	assert_refused(fw, &rule, "16 rules already differ");
	rule.has |= XF_RULE_PROTO;
	rule.proto = 6;
	assert_int_equal(xf_ruleset__add(fw->ruleset, &rule, now), 0);
	/* One of the rules makes room. */
	rule = for_ports(8192, 16384);
	assert_int_equal(xf_ruleset__del(fw->ruleset, &rule, now), 0);
	rule = for_ports(8192, 16400);
	assert_int_equal(xf_ruleset__add(fw->ruleset, &rule, now), 0);
}

/* Pretend that the generation has so many rules. */
static void pretend_rules(const struct xf_fw *fw, uint64_t rules)
{
	const struct xf_ruleset_map *maps;
	size_t n = xf_ruleset__maps(fw->ruleset, &maps);
	struct xf_fw_generation *sets;

	while (n && strcmp(maps[n - 1].name, XF_FW_GENERATIONS_MAP))
		n--;
	assert_true(n);
	sets = mmap(NULL, XF_FW_GENERATIONS * sizeof(*sets), PROT_READ | PROT_WRITE, MAP_SHARED,
		    maps[n - 1].fd, 0);
	assert_true(sets != MAP_FAILED);
	for (int i = 0; i < XF_FW_GENERATIONS; i++)
		sets[i].writer.rules = rules;
	munmap(sets, XF_FW_GENERATIONS * sizeof(*sets));
}

static void rules_are_limited(void **state)
{
	const struct xf_fw *fw = *state;
	struct xf_rule rules[] = { xf_fw_from4(10, 1, 2, 3, 32, true), for_ports(80, 80) };
	struct xf_ruleset_stats stats;

	assert_int_equal(xf_ruleset__stats(fw->ruleset, xf_boot_ns(), &stats), 0);
	pretend_rules(fw, stats.rules_max);
	for (int i = 0; i < 2; i++)
		assert_refused(fw, &rules[i], "at most 4194304 rules");
	pretend_rules(fw, 0);
	assert_int_equal(xf_ruleset__add(fw->ruleset, &rules[0], xf_boot_ns()), 0);
}

#define on_empty_set(test) cmocka_unit_test_setup_teardown(test, xf_fw_set_up, xf_fw_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_empty_set(too_many_spaces_change_nothing),
		on_empty_set(every_space_is_looked_into),
		on_empty_set(port_ranges_are_limited),
		on_empty_set(ranges_of_one_block_are_limited),
		on_empty_set(rules_are_limited),
	};
	const char *why = xf_harness_refusal();

	if (why)
		return xf_skip_all(why);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
