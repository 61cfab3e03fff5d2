// SPDX-License-Identifier: GPL-2.0-only
/* The rules that serve a listening or unconnected socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <arpa/inet.h>

#include <cmocka.h>

#include "loader/firewall/proc_net.h"
#include "loader/firewall/sockets.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

static const struct xf_fw_socket web = { .proto = 6, .any_addr = true, .port = 443 },
				 web4 = { .proto = 6,
					  .family = 4,
					  .addr = { 10, 1, 2, 3 },
					  .port = 443 },
				 dns = { .proto = 17, .family = 4, .any_addr = true, .port = 53 },
				 client = { .proto = 17, .any_addr = true, .port = 40000 },
				 lite = { .proto = 136, .any_addr = true },
				 vrrp = { .proto = 112, .family = 4, .any_addr = true };

static const struct {
	const struct xf_fw_socket *socket;
	const char *rule;
	bool serves;
} cases[] = {
	{ &web, "allow proto tcp dport 443", true },
	{ &web, "allow dport 400-500", true },
	{ &web, "allow proto udp dport 443", false },
	{ &web, "allow proto tcp dport 80", false },
	{ &web, "allow proto tcp", true },
	{ &web, "allow from 0.0.0.0/0", true },
	{ &web, "allow from ::/0", true },
	{ &web, "allow to 10.0.0.0/8", true },
	{ &web, "deny proto tcp dport 443", false },
	/* It opens nothing. */
	{ &web, "allow established", false },
	/* Whether it is meant does not show. */
	{ &web, "allow from 192.0.2.0/24", false },
	{ &web, "allow from 192.0.2.0/24 proto tcp", false },
	{ &web, "allow ether 02:00:00:00:00:01", false },
	{ &web, "allow from 192.0.2.0/24 dport 443", true },
	{ &web, "allow from 192.0.2.0/24 proto tcp sport 40000 dport 443", true },
	{ &web4, "allow to 10.0.0.0/8", true },
	{ &web4, "allow to 10.1.2.3 dport 443", true },
	{ &web4, "allow to 10.1.2.4 dport 443", false },
	{ &web4, "allow from ::/0 dport 443", false },
	{ &dns, "allow proto udp dport 53", true },
	{ &dns, "allow from 192.0.2.53 proto udp sport 53", false },
	{ &dns, "allow from ::/0", false },
	{ &client, "allow from 192.0.2.53 proto udp sport 53", true },
	{ &client, "allow proto tcp sport 53", false },
	{ &lite, "allow proto 136", true },
	{ &lite, "allow dport 53", false },
	{ &vrrp, "allow proto 112", true },
	{ &vrrp, "allow from 192.0.2.53 proto 112", true },
	{ &vrrp, "allow from 192.0.2.53", false },
	{ &vrrp, "allow dport 0-65535", false },
	{ &vrrp, "allow to 224.0.0.18", true },
};

static void rules_that_serve(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct xf_rule_error error;
		struct xf_rule rule;

		assert_int_equal(xf_rule_parse(cases[i].rule, strlen(cases[i].rule), &rule, &error),
				 1);
		if (xf_fw_rule_serves(&rule, cases[i].socket) != cases[i].serves)
			fail_msg("'%s' for port %u of protocol %u", cases[i].rule,
				 cases[i].socket->port, cases[i].socket->proto);
	}
}

/* As Linux prints them: a listener on all addresses, one on two of which the second is the primary
 * one, one on IPv4 inside IPv6, and one that was cut off. */
static char endpoints[] =
    " ENDPT     SOCK   STY SST HBKT LPORT   UID INODE LADDRS\n"
    "       0        0 2   10  29   36412      0 4711 0.0.0.0 \n"
    "       0        0 0   10  3    38412    101 4712 2001:0db8:0000:0000:0000:0000:0000:0001 *10.1.2.3 \n"
    "       0        0 0   7   3    9          0 4713 0000:0000:0000:0000:0000:ffff:0a01:0203 \n"
    "       0        0 0   10  3    38412 ";

static int describe(void *arg, const struct xf_proc_socket *socket)
{
	char addr[INET6_ADDRSTRLEN], *text = arg;

	inet_ntop(socket->local.family == 4 ? AF_INET : AF_INET6, socket->local.addr, addr,
		  sizeof(addr));
	sprintf(text + strlen(text), "%s %u %u %lu;", addr, socket->local.port, socket->state,
		socket->inode);
	return 0;
}

static void sctp_endpoints(void **state)
{
	FILE *file = fmemopen(endpoints, strlen(endpoints), "r");
	char text[256] = "";

	(void)state;
	assert_int_equal(xf_proc_sctp_each(file, describe, text), 0);
	assert_string_equal(text, "0.0.0.0 36412 10 4711;2001:db8::1 38412 10 4712;"
				  "10.1.2.3 38412 10 4712;10.1.2.3 9 7 4713;");
	fclose(file);
	assert_int_equal(xf_proc_sctp_each(NULL, describe, text), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sctp_endpoints),
		cmocka_unit_test(rules_that_serve),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
