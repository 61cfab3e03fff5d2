// SPDX-License-Identifier: GPL-2.0-only
/* The rule that decides about a packet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "firewall/rule/match.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static struct xf_rule rule_of(const char *text)
{
	struct xf_rule_error error;
	struct xf_rule rule;

	if (xf_rule_parse(text, strlen(text), &rule, &error) != 1)
		fail_msg("\"%s\": column %u: %s", text, error.column, error.text);
	return rule;
}

/* From 192.0.2.7 port 50000 to 10.1.2.3 port 22. */
static const struct xf_match_packet tcp_syn = { .family = 4,
						.src = { 192, 0, 2, 7 },
						.dst = { 10, 1, 2, 3 },
						.proto = 6,
						.sport = 50000,
						.dport = 22 };

static const struct {
	const char *rule;
	bool matches;
} one_rule[] = {
	{ "deny from 192.0.2.7", true },
	{ "deny from 192.0.2.6/31", true },
	{ "deny from 192.0.2.8/29", false },
	{ "deny from 0.0.0.0/0", true },
	{ "deny from ::/0", false },
	{ "deny to 10.0.0.0/8", true },
	{ "deny to 11.0.0.0/8", false },
	{ "deny from 192.0.2.0/24 to 10.1.2.0/25", true },
	{ "deny from 192.0.2.0/24 to 10.1.2.128/25", false },
	{ "deny proto tcp", true },
	{ "deny proto udp", false },
	{ "deny dport 22", true },
	{ "deny dport 23-65535", false },
	{ "deny dport 0-65535", true },
	{ "deny sport 49152-65535", true },
	{ "deny sport 22", false },
	{ "deny established", false },
	/* The MAC of the packet is not known. */
	{ "deny ether 02:00:00:00:00:01", true },
	{ "deny ether 02:00:00:00:00:01 dport 23", false },
	{ "allow ether 02:00:00:00:00:01", false },
};

static void single_rules(void **state)
{
	struct xf_match_packet packet = tcp_syn;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(one_rule); i++) {
		struct xf_rule rule = rule_of(one_rule[i].rule);

		if (xf_rule_matches(&rule, &packet) != one_rule[i].matches)
			fail_msg("%s", one_rule[i].rule);
	}
}

static bool matches(const char *text, const struct xf_match_packet *packet)
{
	struct xf_rule rule = rule_of(text);

	return xf_rule_matches(&rule, packet);
}

static void other_packets(void **state)
{
	struct xf_match_packet packet = tcp_syn;

	(void)state;
	packet.established = true;
	assert_true(matches("deny established", &packet));
	packet.proto = 17;
	assert_false(matches("deny established", &packet));
	assert_true(matches("deny dport 22", &packet));
	packet.proto = 1;
	assert_false(matches("deny dport 0-65535", &packet));
	packet = (struct xf_match_packet) { .family = 6, .src = { 0x20, 1, 0xd, 0xb8 } };
	assert_true(matches("deny from 2001:db8::/64", &packet));
	assert_false(matches("deny from 2001:db8::1", &packet));
	assert_false(matches("deny from 32.1.13.184", &packet));
}

static void a_known_mac(void **state)
{
	struct xf_match_packet packet = tcp_syn;

	(void)state;
	packet.mac_known = true;
	memcpy(packet.mac, "\2\0\0\0\0\1", 6);
	assert_true(matches("deny ether 02:00:00:00:00:01", &packet));
	assert_true(matches("allow ether 02:00:00:00:00:01 dport 22", &packet));
	assert_false(matches("allow ether 02:00:00:00:00:01 dport 23", &packet));
	assert_false(matches("deny ether 02:00:00:00:00:02", &packet));
}

/* Rules in some order, and the one that decides. */
static const struct {
	const char *rules[5];
	const char *holds; /* NULL: the policy */
} several[] = {
	{ { "deny from 1.2.3.4", "deny proto udp" }, NULL },
	{ { "deny from 192.0.2.0/24", "allow from 192.0.2.7" }, "allow from 192.0.2.7" },
	{ { "allow from 192.0.2.7", "deny from 192.0.2.0/24" }, "allow from 192.0.2.7" },
	{ { "allow from 192.0.2.7", "deny from 192.0.2.7" }, "deny from 192.0.2.7" },
	{ { "deny from 192.0.2.7", "allow from 192.0.2.7" }, "deny from 192.0.2.7" },
	{ { "deny from 192.0.2.7", "allow from 192.0.2.7 proto tcp" },
	  "allow from 192.0.2.7 proto tcp" },
	{ { "deny from 192.0.2.7", "allow from 192.0.2.0/24 to 10.1.2.3 proto tcp dport 22" },
	  "deny from 192.0.2.7" },
	{ { "deny dport 22", "allow to 10.0.0.0/8" }, "allow to 10.0.0.0/8" },
	{ { "deny from 192.0.2.7 to 10.1.2.3 dport 22", "protect from 192.0.0.0/8" },
	  "protect from 192.0.0.0/8" },
	{ { "allow dport 1-1000", "deny dport 22-23", "allow dport 1-1024 proto tcp" },
	  "deny dport 22-23" },
};

static void the_most_specific_holds(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(several); i++) {
		struct xf_match match = { .packet = tcp_syn };
		char text[XF_RULE_TEXT_MAX];

		for (size_t n = 0; several[i].rules[n]; n++) {
			struct xf_rule rule = rule_of(several[i].rules[n]);

			xf_match__see(&match, &rule);
		}
		assert_int_equal(match.any, !!several[i].holds);
		if (!match.any)
			continue;
		xf_rule_format(&match.rule, text);
		assert_string_equal(text, several[i].holds);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(single_rules),
		cmocka_unit_test(other_packets),
		cmocka_unit_test(a_known_mac),
		cmocka_unit_test(the_most_specific_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
