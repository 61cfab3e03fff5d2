// SPDX-License-Identifier: GPL-2.0-only
/* The grammar of a rule: the fields of each clause, the message and place of each mistake, and the
 * way from a rule to its text and back. */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "firewall/rule/rule.h"
#include "firewall/rule/prefix.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Parse a text in a heap block of exactly its size, so that the sanitizer sees a read behind it. */
static int parse(const char *text, size_t len, struct xf_rule *rule, struct xf_rule_error *error)
{
	char *copy = malloc(len);
	int ret;

	memcpy(copy, text, len);
	memset(error, 0, sizeof(*error));
	memset(rule, 0xa5, sizeof(*rule));
	ret = xf_rule_parse(copy, len, rule, error);
	free(copy);
	return ret;
}

static struct xf_rule rule_of(const char *text)
{
	struct xf_rule_error error;
	struct xf_rule rule;

	if (parse(text, strlen(text), &rule, &error) != 1)
		fail_msg("\"%s\": column %u: %s", text, error.column, error.text);
	return rule;
}

/* A text, and its canonical form. */
static const struct {
	const char *text, *canonical;
} sound[] = {
	{ "allow from 192.0.2.0/24", "allow from 192.0.2.0/24" },
	{ "deny from 0.0.0.0/0", "deny from 0.0.0.0/0" },
	{ "deny to ::/0", "deny to ::/0" },
	{ "deny from 192.0.2.1", "deny from 192.0.2.1" },
	{ "deny from 192.0.2.1/32", "deny from 192.0.2.1" },
	{ "deny from 2001:DB8::1/128", "deny from 2001:db8::1" },
	{ "deny from 2001:db8:0:0:0:0:0:0/32", "deny from 2001:db8::/32" },
	{ "deny from ::fffe:0:0/95", "deny from ::fffe:0:0/95" },
	{ "deny from ::192.0.2.1", "deny from ::192.0.2.1" },
	{ "deny from 64:ff9b::192.0.2.1", "deny from 64:ff9b::c000:201" },
	{ "  \tdeny\t from   10.0.0.0/8  ", "deny from 10.0.0.0/8" },
	{ "deny from 10.0.0.0/8 # a comment", "deny from 10.0.0.0/8" },
	{ "deny from 10.0.0.0/8 #", "deny from 10.0.0.0/8" },
	{ "allow proto tcp", "allow proto tcp" },
	{ "allow proto 6", "allow proto tcp" },
	{ "allow proto 17", "allow proto udp" },
	{ "allow proto 132", "allow proto sctp" },
	{ "allow proto icmp", "allow proto icmp" },
	{ "allow proto 58", "allow proto icmpv6" },
	{ "deny proto 2", "deny proto igmp" },
	{ "deny proto ipip", "deny proto ipip" },
	{ "deny proto 4", "deny proto ipip" },
	{ "deny proto gre", "deny proto gre" },
	{ "deny proto 47", "deny proto gre" },
	{ "deny proto esp", "deny proto esp" },
	{ "deny proto 50", "deny proto esp" },
	{ "deny proto ah", "deny proto ah" },
	{ "deny proto 51", "deny proto ah" },
	{ "deny proto igmp", "deny proto igmp" },
	{ "deny proto vrrp", "deny proto vrrp" },
	{ "deny proto 112", "deny proto vrrp" },
	{ "deny proto ospf", "deny proto ospf" },
	{ "deny proto 89", "deny proto ospf" },
	{ "deny proto pim", "deny proto pim" },
	{ "deny proto 103", "deny proto pim" },
	{ "allow proto 0", "allow proto 0" },
	{ "allow proto 255", "allow proto 255" },
	{ "allow dport 80", "allow dport 80" },
	{ "allow dport 80-80", "allow dport 80" },
	{ "allow sport 0-65535", "allow sport 0-65535" },
	{ "allow dport 0", "allow dport 0" },
	{ "allow ether 02:00:00:0A:0b:ff", "allow ether 02:00:00:0a:0b:ff" },
	{ "allow established", "allow established" },
	{ "protect from 192.0.2.1/32", "protect from 192.0.2.1" },
	{ " protect  from 2001:db8::/32 # x", "protect from 2001:db8::/32" },
	{ "allow established proto tcp dport 1-2", "allow proto tcp dport 1-2 established" },
	{ "deny ttl 5 from 192.0.2.1", "deny from 192.0.2.1 ttl 5" },
	{ "deny ttl 4294967295 from 192.0.2.1", "deny from 192.0.2.1 ttl 4294967295" },
	{ "deny ttl 1 established ether 02:00:00:00:00:01 dport 3 sport 1-2 proto tcp to 10.0.0.0/8 "
	  "from 192.0.2.1",
	  "deny from 192.0.2.1 to 10.0.0.0/8 proto tcp sport 1-2 dport 3 ether 02:00:00:00:00:01 "
	  "established ttl 1" },
};

static void canonical_text(void **state)
{
	char text[XF_RULE_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sound); i++) {
		struct xf_rule rule = rule_of(sound[i].text);

		assert_int_equal(xf_rule_format(&rule, text), strlen(sound[i].canonical));
		assert_string_equal(text, sound[i].canonical);
	}
}

static void what_clauses_become(void **state)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };
	struct xf_rule rule = rule_of("deny from 192.0.2.0/24 to 10.1.2.3 proto sctp sport 7 "
				      "dport 80-443 ether 02:00:00:00:00:01 ttl 60");
	struct xf_rule wanted = {
		.deny = true,
		.has = XF_RULE_SRC | XF_RULE_DST | XF_RULE_SPORT | XF_RULE_DPORT | XF_RULE_MAC |
		       XF_RULE_PROTO,
		.family = 4,
		.proto = 132,
		.src = { { 192, 0, 2 }, 24 },
		.dst = { { 10, 1, 2, 3 }, 32 },
		.sport_min = 7,
		.sport_max = 7,
		.dport_min = 80,
		.dport_max = 443,
		.ttl = 60,
	};

	(void)state;
	memcpy(wanted.mac, mac, 6);
	assert_memory_equal(&rule, &wanted, sizeof(rule));
	rule = rule_of("allow established");
	wanted = (struct xf_rule) { .has = XF_RULE_ESTABLISHED };
	assert_memory_equal(&rule, &wanted, sizeof(rule));
	rule = rule_of("allow to 2001:db8::/33");
	wanted = (struct xf_rule) { .has = XF_RULE_DST, .family = 6 };
	wanted.dst = (struct xf_prefix) { { 0x20, 1, 0xd, 0xb8 }, 33 };
	assert_memory_equal(&rule, &wanted, sizeof(rule));
}

static void no_rule_at_all(void **state)
{
	static const char *const texts[] = {
		"", " ", "\t \t", "#", "# deny", "  # deny proto tcp"
	};
	struct xf_rule_error error;
	struct xf_rule rule;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(parse(texts[i], strlen(texts[i]), &rule, &error), 0);
}

static const struct {
	const char *text;
	unsigned int column;
	const char *says;
} mistakes[] = {
	{ "alow from 1.2.3.4", 1, "expected allow or deny, not \"alow\"" },
	{ "  Deny from 1.2.3.4", 3, "expected allow or deny, not \"Deny\"" },
	{ "drop\x01\xff", 1, "not \"drop\x01\xff\"" },
	{ "from 1.2.3.4", 1, "expected allow or deny, not \"from\"" },
	{ "deny", 5, "the policy" },
	{ "allow # nothing", 7, "the policy" },
	{ "deny ttl 5", 11, "the policy" },
	{ "protect", 8, "expected 'from' and a prefix beside protect, and nothing else" },
	{ "protect to 1.2.3.4", 19, "expected 'from' and a prefix beside protect" },
	{ "protect from 1.2.3.4 ttl 5", 27, "expected 'from' and a prefix beside protect" },
	{ "protect from 1.2.3.4 proto tcp", 31, "expected 'from' and a prefix beside protect" },
	{ "deny form 1.2.3.4", 6, "expected 'from'? there is no \"form\"" },
	{ "deny from 1.2.3.4 port 80", 19, "expected 'sport'? there is no \"port\"" },
	{ "deny from 1.2.3.4 destination 80", 19, "expected from, to, proto" },
	{ "deny 1.2.3.4", 6,
	  "expected from, to, proto, sport, dport, ether, established or ttl, not "
	  "\"1.2.3.4\"" },
	{ "deny from", 10,
	  "expected an address or a prefix, as in 192.0.2.0/24 or 2001:db8::/32, "
	  "not the end of the rule" },
	{ "deny from # x", 11, "not the end of the rule" },
	{ "deny from any", 11, "expected an address or a prefix" },
	{ "deny from 1.2.3", 11, "not \"1.2.3\"" },
	{ "deny from 1.2.3.4.5", 11, "not \"1.2.3.4.5\"" },
	{ "deny from 1.2.3.256", 11, "expected an address" },
	{ "deny from 01.2.3.4", 11, "expected an address" },
	{ "deny from 1.2.3.4#x", 11, "expected an address" },
	{ "deny from 1.2.3.4/", 19, "expected a prefix length from 0 to 32" },
	{ "deny from 1.2.3.4/33", 19, "expected a prefix length from 0 to 32" },
	{ "deny from 1.2.3.4/255.255.255.0", 19, "expected a prefix length from 0 to 32" },
	{ "deny from 1.2.3.0/+24", 19, "expected a prefix length from 0 to 32" },
	{ "deny from 2001:db8::/129", 22, "expected a prefix length from 0 to 128" },
	{ "deny from 2001:db8::/1111", 22, "expected a prefix length from 0 to 128" },
	{ "deny from 2001:db8", 11, "expected an address" },
	{ "deny from 1::2::3", 11, "expected an address" },
	{ "deny from fe80::1%eth0", 11, "expected an address" },
	{ "deny from 10.0.0.1/8", 11,
	  "host bits behind the prefix: expected 10.0.0.0/8, not "
	  "\"10.0.0.1/8\"" },
	{ "deny from 192.0.2.129/25", 11, "expected 192.0.2.128/25" },
	{ "deny to 2001:db8::1/64", 9, "expected 2001:db8::/64" },
	{ "deny to 2001:db8:8000::/32", 9, "expected 2001:db8::/32" },
	{ "deny to ::ffff:192.0.2.1", 9, "expected 192.0.2.1, not" },
	{ "deny to ::ffff:192.0.2.0/120", 9, "expected 192.0.2.0/24, not" },
	{ "deny to ::ffff:0:0/97", 9, "expected 0.0.0.0/1, not" },
	{ "deny to ::ffff:0:0/96", 9, "expected 0.0.0.0/0, not" },
	{ "deny from 1.2.3.4 to 2001:db8::1", 22,
	  "expected an IPv4 prefix, because the other one is" },
	{ "deny to 2001:db8::1 from 1.2.3.4", 26,
	  "expected an IPv6 prefix, because the other one is" },
	{ "deny from 1.2.3.4 from 1.2.3.4", 19, "'from' is given a second time" },
	{ "deny established established", 18, "'established' is given a second time" },
	{ "deny ttl 1 ttl 1", 12, "'ttl' is given a second time" },
	{ "deny proto TCP", 12,
	  "expected the name of a protocol (tcp, udp, icmp, gre, ...) or a number from 0 to 255, "
	  "not \"TCP\"" },
	{ "deny proto 256", 12, "not \"256\"" },
	{ "deny proto -1", 12, "not \"-1\"" },
	{ "deny proto 6tcp", 12, "not \"6tcp\"" },
	{ "deny proto", 11, "not the end of the rule" },
	{ "deny dport 65536", 12,
	  "expected a port from 0 to 65535, or a range of them as in 8000-8080, "
	  "not \"65536\"" },
	{ "deny dport 80,443", 12, "expected a port" },
	{ "deny dport 80-", 12, "expected a port" },
	{ "deny dport -80", 12, "expected a port" },
	{ "deny dport 1-2-3", 12, "expected a port" },
	{ "deny dport http", 12, "expected a port" },
	{ "deny sport 99999999999999999999999999", 12, "expected a port" },
	{ "deny sport 90-80", 12, "expected a range whose first port is not above its last" },
	{ "deny proto icmp dport 80", 23,
	  "expected proto tcp, udp or sctp beside a port, because "
	  "proto icmp has none" },
	{ "deny sport 80 proto 47", 21, "proto gre has none" },
	{ "deny established proto udp", 24,
	  "expected proto tcp beside 'established', not proto udp" },
	{ "deny proto icmpv6 established", 19, "not proto icmpv6" },
	{ "deny from 2001:db8::/32 proto 43", 31,
	  "expected another protocol: proto 43 is a header" },
	{ "deny ether 02:00:00:00:00", 12, "expected a MAC address" },
	{ "deny ether 02-00-00-00-00-01", 12, "expected a MAC address" },
	{ "deny ether 02:00:00:00:00:0g", 12, "expected a MAC address" },
	{ "deny ether 02:00:00:00:00:001", 12, "expected a MAC address" },
	{ "deny ether 00:00:00:00:00:00", 12, "expected a MAC address that a frame can have" },
	{ "deny from 1.2.3.4 ttl 0", 23,
	  "expected a whole number of seconds from 1 to 4294967295" },
	{ "deny from 1.2.3.4 ttl 4294967296", 23, "seconds" },
	{ "deny from 1.2.3.4 ttl 1.5", 23, "seconds" },
	{ "deny from 1.2.3.4 ttl", 22, "not the end of the rule" },
	{ "deny from 1.2.3.4\r", 11, "not \"1.2.3.4\r\"" },
	{ "deny from aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 11,
	  "not \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...\"" },
};

static void each_mistake_by_column(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
		const char *text = mistakes[i].text;
		struct xf_rule_error error;
		struct xf_rule rule;

		if (parse(text, strlen(text), &rule, &error) != -EINVAL)
			fail_msg("\"%s\" was taken", text);
		if (error.column != mistakes[i].column || !strstr(error.text, mistakes[i].says))
			fail_msg("\"%s\": column %u, not %u: %s", text, error.column,
				 mistakes[i].column, error.text);
		assert_true(strlen(error.text) < sizeof(error.text) - 1);
	}
}

static void a_nul_is_no_end(void **state)
{
	static const char text[] = "deny from 1.2.3.4\0 to 1.2.3.4";
	struct xf_rule_error error;
	struct xf_rule rule;

	(void)state;
	assert_int_equal(parse(text, sizeof(text) - 1, &rule, &error), -EINVAL);
	assert_int_equal(error.column, 11);
}

static uint32_t below(uint32_t n)
{
	return (uint32_t)rand() % n;
}

static struct xf_prefix random_prefix(int family)
{
	struct xf_prefix prefix = { .len = below(family == 4 ? 33 : 129) };

	for (unsigned int bit = 0; bit < prefix.len; bit++)
		if (below(2))
			prefix.addr[bit / 8] |= 0x80 >> bit % 8;
	return prefix;
}

static void random_ports(uint16_t *min, uint16_t *max)
{
	uint16_t a = below(65536), b = below(65536);

	*min = a < b ? a : b;
	*max = below(3) ? (a < b ? b : a) : *min;
}

/* Returns a random rule that the grammar can express. */
static struct xf_rule random_rule(void)
{
	static const uint8_t with_ports[] = { 6, 17, 132 };
	struct xf_rule rule = { .deny = below(2), .has = 1 + below(127) };

	if (rule.has & (XF_RULE_SRC | XF_RULE_DST))
		rule.family = below(2) ? 4 : 6;
	if (rule.has & XF_RULE_SRC)
		rule.src = random_prefix(rule.family);
	if (rule.has & XF_RULE_DST)
		rule.dst = random_prefix(rule.family);
	if (rule.has & XF_RULE_SPORT)
		random_ports(&rule.sport_min, &rule.sport_max);
	if (rule.has & XF_RULE_DPORT)
		random_ports(&rule.dport_min, &rule.dport_max);
	for (int i = 0; rule.has & XF_RULE_MAC && i < 6; i++)
		rule.mac[i] = below(256);
	if (rule.has & XF_RULE_PROTO)
		rule.proto = rule.has & XF_RULE_ESTABLISHED		  ? 6
			     : rule.has & (XF_RULE_SPORT | XF_RULE_DPORT) ? with_ports[below(3)]
									  : below(256);
	/* These numbers are headers of IPv6; strchr() finds 0, which is one too, at the end. */
	while (rule.has & XF_RULE_PROTO && rule.family == 6 && strchr("\x2b\x2c\x3c", rule.proto))
		rule.proto = 1 + below(255);
	rule.ttl = below(2) ? 1 + (below(65536) << 16 | below(65536)) % UINT32_MAX : 0;
	return rule;
}

static void every_rule_comes_back(void **state)
{
	char text[XF_RULE_TEXT_MAX];

	(void)state;
	srand(20);
	for (int i = 0; i < 20000; i++) {
		struct xf_rule rule = random_rule(), again;
		size_t len;

		if (rule.family == 6 &&
		    (!memcmp(rule.src.addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12) ||
		     !memcmp(rule.dst.addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12)))
			continue; /* an IPv4 address in IPv6 form is refused */
		len = xf_rule_format(&rule, text);
		assert_true(len < XF_RULE_TEXT_MAX);
		assert_int_equal(len, strlen(text));
		again = rule_of(text);
		assert_memory_equal(&again, &rule, sizeof(rule));
	}
}

static void words_in_any_order(void **state)
{
	char words[8][XF_RULE_TEXT_MAX], text[XF_RULE_TEXT_MAX], mixed[XF_RULE_TEXT_MAX];

	(void)state;
	srand(21);
	for (int i = 0; i < 2000; i++) {
		struct xf_rule rule = random_rule(), again;
		char *save = NULL, *word;
		int n = 0;

		if (rule.family == 6)
			continue;
		xf_rule_format(&rule, text);
		strcpy(mixed, strtok_r(text, " ", &save));
		while ((word = strtok_r(NULL, " ", &save))) {
			strcpy(words[n], word);
			if (strcmp(word, "established"))
				sprintf(words[n] + strlen(word), " %s", strtok_r(NULL, " ", &save));
			n++;
		}
		while (n) {
			int pick = below(n);

			sprintf(mixed + strlen(mixed), " %s", words[pick]);
			if (pick != --n)
				memcpy(words[pick], words[n], sizeof(words[n]));
		}
		again = rule_of(mixed);
		assert_memory_equal(&again, &rule, sizeof(rule));
	}
}

/* The C library agrees on what is an address, over addresses with a few bytes changed. */
static void addresses_as_inet_pton(void **state)
{
	static const char bytes[] = "0123456789abcdefABCDEF:::...g /%";
	int taken = 0;

	(void)state;
	srand(22);
	for (int i = 0; i < 200000; i++) {
		int family = below(2) ? 4 : 6;
		uint8_t addr[16] = {}, wanted[16] = {};
		struct xf_prefix prefix;
		char text[64], why[128];
		size_t offset, len;
		bool is;

		for (int b = 0; b < 16; b++)
			addr[b] = below(3) ? 0 : below(256);
		inet_ntop(family == 4 ? AF_INET : AF_INET6, addr, text, sizeof(text));
		len = strlen(text);
		for (int change = below(3); change && len; change--) {
			size_t at = below(len);

			if (below(2)) {
				text[at] = bytes[below(sizeof(bytes) - 1)];
			} else {
				memmove(text + at, text + at + 1, len - at);
				len--;
			}
		}
		if (strchr(text, '/'))
			continue;
		is = inet_pton(strchr(text, ':') ? AF_INET6 : AF_INET, text, wanted) == 1;
		if (is && strchr(text, ':') && !memcmp(wanted, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12))
			continue;
		if ((xf_rule_prefix_parse(text, len, false, &prefix, why, &offset) > 0) != is)
			fail_msg("inet_pton %s \"%s\"", is ? "takes" : "refuses", text);
		if (is)
			assert_memory_equal(prefix.addr, wanted, 16);
		taken += is;
	}
	assert_true(taken > 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(canonical_text),     cmocka_unit_test(what_clauses_become),
		cmocka_unit_test(no_rule_at_all),     cmocka_unit_test(each_mistake_by_column),
		cmocka_unit_test(a_nul_is_no_end),    cmocka_unit_test(every_rule_comes_back),
		cmocka_unit_test(words_in_any_order), cmocka_unit_test(addresses_as_inet_pton),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
