// SPDX-License-Identifier: GPL-2.0-only
/* Rules that can and that cannot have dropped a packet: a table of rules as text and records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "loader/firewall/may_have_dropped.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define ETH .eth_src = { 2, 0, 0, 0, 0, 1 }
#define IP4 ETH, .src = { 10, 9, 0, 2 }, .dst = { 10, 9, 0, 1 }
#define HAVE4 (XF_HAVE_ETH | XF_HAVE_IP4)

static const struct xf_record tcp = {
	IP4,	     .have = HAVE4 | XF_HAVE_PORTS | XF_HAVE_TCP_FLAGS,
	.proto = 6,  .sport = 40000,
	.dport = 22, .tcp_flags = 0x02,
};
static const struct xf_record tcp_ack = {
	IP4,	     .have = HAVE4 | XF_HAVE_PORTS | XF_HAVE_TCP_FLAGS,
	.proto = 6,  .sport = 40000,
	.dport = 22, .tcp_flags = 0x18,
};
static const struct xf_record ping = { IP4, .have = HAVE4 | XF_HAVE_ICMP, .proto = 1 };
static const struct xf_record later_fragment = {
	IP4,
	.have = HAVE4 | XF_HAVE_FRAG,
	.proto = 17,
	.frag_off = 1480,
};
static const struct xf_record cut_off = { IP4, .have = HAVE4 | XF_TRUNCATED, .proto = 6 };
static const struct xf_record ip6 = {
	ETH,
	.have = XF_HAVE_ETH | XF_HAVE_IP6,
	.proto = 89,
	.src = { 0x20, 1, 0xd, 0xb8, [15] = 1 },
	.dst = { 0xfd, [15] = 2 },
};
static const struct xf_record lldp = { ETH, .have = XF_HAVE_ETH, .eth_type = 0x88cc };

static const struct {
	const char *rule;
	const struct xf_record *rec;
	bool fits;
} rows[] = {
	{ "deny from 10.9.0.0/24", &tcp, true },
	{ "deny from 10.9.1.0/24", &tcp, false },
	{ "deny to 10.9.0.1", &ping, true },
	{ "deny to 10.9.0.2", &ping, false },
	{ "allow from 10.9.0.2", &tcp, false },
	{ "deny from 2001:db8::/32", &ip6, true },
	{ "deny to 2001:db8::/32", &ip6, false },
	{ "deny from 2001:db8::/32", &tcp, false },
	{ "deny from 0.0.0.0/0", &ip6, false },
	{ "deny proto 89", &ip6, true },
	{ "deny proto tcp dport 22", &tcp, true },
	{ "deny dport 20-22 sport 40000", &tcp, true },
	{ "deny dport 23", &tcp, false },
	{ "deny sport 22", &tcp, false },
	{ "deny dport 0-65535", &ping, false },
	{ "deny proto udp", &tcp, false },
	{ "deny proto udp", &later_fragment, true },
	{ "deny established", &tcp_ack, true },
	{ "deny established", &tcp, false },
	{ "deny established", &ping, false },
	{ "deny ether 02:00:00:00:00:01", &lldp, true },
	{ "deny ether 02:00:00:00:00:02", &lldp, false },
	{ "deny ether 02:00:00:00:00:01 proto icmp", &ping, true },
	{ "deny ether 02:00:00:00:00:01 proto icmp", &tcp, false },
	{ "deny proto tcp", &lldp, false },
	{ "deny dport 80", &cut_off, true }, /* unknown */
	{ "allow dport 80", &cut_off, false },
	{ "deny ether 02:00:00:00:00:02", &cut_off, false },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct xf_rule_error error;
		struct xf_rule rule;

		assert_int_equal(xf_rule_parse(rows[i].rule, strlen(rows[i].rule), &rule, &error),
				 1);
		if (xf_fw_may_have_dropped(&rule, rows[i].rec) != rows[i].fits)
			fail_msg("row %zu: %s", i, rows[i].rule);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
	};

	return cmocka_run_group_tests_name("fw_fits", tests, NULL, NULL);
}
