// SPDX-License-Identifier: GPL-2.0-only
/* The order of rules, and ranges of ports as groups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "firewall/table/tuples.h"
#include "firewall/rule/rule.h"
#include "xdp-prog/fw_hash.h"

/* Each rule is more specific than the one before. */
static const struct xf_rule ascending[] = {
	{ .has = XF_RULE_SRC, .family = 4 },
	{ .has = XF_RULE_SRC, .family = 4, .deny = true },
	{ .has = XF_RULE_ESTABLISHED },
	{ .has = XF_RULE_PROTO, .proto = 6 },
	{ .has = XF_RULE_PROTO | XF_RULE_ESTABLISHED, .proto = 6, .deny = true },
	{ .has = XF_RULE_MAC },
	{ .has = XF_RULE_SPORT, .sport_max = 65534 },
	{ .has = XF_RULE_SPORT, .sport_min = 5, .sport_max = 5 },
	{ .has = XF_RULE_DPORT, .dport_max = 65534 },
	{ .has = XF_RULE_DPORT, .dport_min = 1024, .dport_max = 65535 },
	{ .has = XF_RULE_DPORT, .dport_min = 80, .dport_max = 81 },
	{ .has = XF_RULE_DPORT, .dport_min = 80, .dport_max = 80 },
	{ .has = XF_RULE_DPORT | XF_RULE_SPORT, .dport_min = 80, .dport_max = 80 },
	{ .has = XF_RULE_DST, .family = 4, .dst.len = 1 },
	{ .has = XF_RULE_DST, .family = 6, .dst.len = 128 },
	{ .has = XF_RULE_SRC, .family = 4, .src.len = 1 },
	{ .has = XF_RULE_SRC | XF_RULE_DST, .family = 4, .src.len = 1, .dst.len = 8 },
	{ .has = XF_RULE_SRC, .family = 4, .src.len = 8 },
	{ .has = XF_RULE_SRC, .family = 6, .src.len = 128, .deny = true },
	{ .has = 0x7f, .family = 6, .src.len = 128, .dst.len = 128, .deny = true },
	{ .has = XF_RULE_SRC, .family = 4, .protect = true },
	{ .has = XF_RULE_SRC, .family = 4, .protect = true, .src.len = 1 },
};

static void order(void **state)
{
	(void)state;
	for (size_t i = 1; i < sizeof(ascending) / sizeof(ascending[0]); i++)
		if (xf_rule_rank(&ascending[i - 1]) >= xf_rule_rank(&ascending[i]))
			fail_msg("rule %zu does not rank above the one before", i);
}

static void all_ports_are_as_none(void **state)
{
	const struct xf_rule all = { .has = XF_RULE_PROTO | XF_RULE_DPORT, .dport_max = 65535 };
	const struct xf_rule none = { .has = XF_RULE_PROTO };

	(void)state;
	assert_int_equal(xf_rule_rank(&all), xf_rule_rank(&none));
}

static void equal_but_for_the_time(void **state)
{
	struct xf_rule a = ascending[16], b = a;

	(void)state;
	b.ttl = 7;
	assert_true(xf_rule_equal(&a, &b));
	b.dst.len = 9;
	assert_false(xf_rule_equal(&a, &b));
}

/* The groups hold the ports of the range and no other, each once. */
static void check_range(uint32_t min, uint32_t max, size_t want)
{
	struct xf_ports ports[XF_PORTS_MAX];
	size_t n = xf_ports_cut(min, max, ports);

	assert_in_range(n, 1, XF_PORTS_MAX);
	if (want)
		assert_int_equal(n, want);
	for (uint32_t port = 0; port <= 65535; port++) {
		unsigned int in = 0;

		for (size_t i = 0; i < n; i++)
			in += (port & ports[i].mask) == ports[i].first;
		if (in != (port >= min && port <= max))
			fail_msg("%u to %u: port %u is in %u groups", min, max, port, in);
	}
}

static void ranges(void **state)
{
	(void)state;
	check_range(80, 80, 1);
	check_range(0, 65535, 1);
	check_range(1024, 65535, 6);
	check_range(1, 65534, 30);
	check_range(0, 0, 1);
	check_range(65535, 65535, 1);
	check_range(32768, 65535, 1);
	for (uint32_t i = 0; i < 60; i++)
		check_range(i * 547, i * 547 + (65535 - i * 547) / (i + 1), 0);
}

static void candidates(void **state)
{
	(void)state;
	for (int nth = 0; nth < XF_FW_BUCKET_REFS; nth++) {
		uint64_t summary = 0x0080818283848586ull, fingerprint = summary >> 8 * nth & 0xff;
		uint64_t found = xf_fw_candidates(summary | 1ull << 56, fingerprint);

		assert_int_equal(found, 0x80ull << 8 * nth);
		assert_int_equal(xf_fw_first_candidate(found), nth);
		assert_int_equal(xf_fw_first_candidate(found | 0x80ull << 48), nth);
	}
	assert_int_equal(xf_fw_candidates(0x0080818283848586ull, 0x90), 0);
	assert_int_equal(xf_fw_candidates(0, 0x80), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order),
		cmocka_unit_test(all_ports_are_as_none),
		cmocka_unit_test(equal_but_for_the_time),
		cmocka_unit_test(ranges),
		cmocka_unit_test(candidates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
