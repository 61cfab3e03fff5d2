// SPDX-License-Identifier: GPL-2.0-only
/* Lists in the formats of other programs: the rules that they become, and the places of errors. */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "firewall/rule/plain.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define OUT_MAX 4096

/* Append the rules of one line, each behind "; ", or its error as LINE:COLUMN: TEXT. Returns
 * whether to read on. */
static bool read_line(struct xf_plain *plain, const char *text, size_t len, char *out)
{
	struct xf_rule_error error = { .column = 0 };
	char *copy =
	    malloc(len); /* exactly as large, so that the sanitizer sees a read behind it */
	struct xf_rule rule;
	int ret;

	memcpy(copy, text, len);
	xf_plain__line(plain, copy, len);
	do {
		char rule_text[XF_RULE_TEXT_MAX];

		memset(&rule, 0xa5, sizeof(rule));
		ret = xf_plain__next(plain, &rule, &error);
		if (ret && *out)
			strcat(out, "; ");
		if (ret == 1) {
			xf_rule_format(&rule, rule_text);
			strcat(out, rule_text);
		} else if (ret) {
			sprintf(out + strlen(out), "%" PRIu64 ":%u: %s", plain->line, error.column,
				error.text);
		}
	} while (ret == 1 || ret == -EINVAL);
	free(copy);
	if (ret == -EPROTO)
		strcat(out, " (end)");
	return !ret;
}

static void read_list(const char *text, bool mask, char out[OUT_MAX])
{
	struct xf_plain plain = { .deny = true, .mask = mask };
	bool more = true;

	out[0] = '\0';
	while (*text && more) {
		size_t len = strcspn(text, "\n");

		more = read_line(&plain, text, len, out);
		text += len + (text[len] == '\n');
	}
	if (more && xf_plain__unended(&plain))
		sprintf(out + strlen(out), "; unended: %" PRIu64, xf_plain__unended(&plain));
}

struct list {
	const char *text, *rules;
};

static void check(const struct list *lists, size_t n, bool mask)
{
	char out[OUT_MAX];

	for (size_t i = 0; i < n; i++) {
		read_list(lists[i].text, mask, out);
		if (strcmp(out, lists[i].rules))
			fail_msg("%s\nis     %s\nand not %s", lists[i].text, out, lists[i].rules);
	}
}

static const struct list bare[] = {
	{ "", "" },
	{ "192.0.2.1", "deny from 192.0.2.1" },
	{ "192.0.2.1\n2001:db8::/32\n", "deny from 192.0.2.1; deny from 2001:db8::/32" },
	{ "\n \t\n# all\n; of it\n  # a comment\n", "" },
	{ " 192.0.2.1\t\n", "deny from 192.0.2.1" },
	{ "192.0.2.0/24 ; SBL1\n192.0.3.0/24;SBL2; {\n",
	  "deny from 192.0.2.0/24; deny from 192.0.3.0/24" },
	{ "192.0.2.1 # \"one\n192.0.2.2#two#3\n", "deny from 192.0.2.1; deny from 192.0.2.2" },
	{ "192.0.2.1\n\xef\xbb\xbf"
	  "192.0.2.2",
	  "deny from 192.0.2.1; 2:1: expected an address or a prefix, as in 192.0.2.0/24 or "
	  "2001:db8::/32, not \"\xef\xbb\xbf"
	  "192.0.2.2\"" },
	{ "192.0.2.1 192.0.2.2", "1:11: expected the end of the element, not \"192.0.2.2\"" },
	{ "192.0.2.1, 192.0.2.2", "1:10: expected the end of the element, not \",\"" },
	{ "example.org", "1:1: expected an address or a prefix, as in 192.0.2.0/24 or "
			 "2001:db8::/32, not \"example.org\"" },
	{ "192.0.2.1/33\n192.0.2.2\n", "1:11: expected a prefix length from 0 to 32, not "
				       "\"192.0.2.1/33\"; deny from 192.0.2.2" },
	{ "deny from 192.0.2.1", "1:1: expected an address or a prefix, as in 192.0.2.0/24 or "
				 "2001:db8::/32, not \"deny\"" },
	{ "10.0.0.1/8", "1:1: there are host bits behind the prefix: expected 10.0.0.0/8, not "
			"\"10.0.0.1/8\"" },
	{ "::ffff:192.0.2.1", "1:1: an IPv4 address in IPv6 form matches no IPv4 packet: expected "
			      "192.0.2.1, not \"::ffff:192.0.2.1\"" },
	{ "}",
	  "1:1: expected an address or a prefix, as in 192.0.2.0/24 or 2001:db8::/32, not \"}\"" },
	/* The text behind it may be in braces of any kind. */
	{ "map x {\n192.0.2.1\n", "1:1: expected an address or a prefix, as in 192.0.2.0/24 or "
				  "2001:db8::/32, not \"map\" (end)" },
};

static const struct list masked[] = {
	{ "10.0.0.1/8\n2001:db8::1/32", "deny from 10.0.0.0/8; deny from 2001:db8::/32" },
	{ "10.0.0.1/0", "deny from 0.0.0.0/0" },
	{ "::ffff:192.0.2.1/64", "deny from ::/64" },
	{ "::ffff:192.0.2.1/96", "1:1: an IPv4 address in IPv6 form matches no IPv4 packet: "
				 "expected 0.0.0.0/0, not \"::ffff:192.0.2.1/96\"" },
	{ "add x 10.0.0.1/8\nadd element a b { 11.0.0.1/8 }",
	  "deny from 10.0.0.0/8; 2:15: expected one "
	  "set, \"x\", and not also \"b\" (end)" },
};

static const struct list ranges[] = {
	{ "192.0.2.0-192.0.2.255", "deny from 192.0.2.0/24" },
	{ "192.0.2.7-192.0.2.7", "deny from 192.0.2.7" },
	{ "192.0.2.1 - 192.0.2.6 # x", "deny from 192.0.2.1; deny from 192.0.2.2/31; "
				       "deny from 192.0.2.4/31; deny from 192.0.2.6" },
	{ "192.0.2.255-192.0.3.0", "deny from 192.0.2.255; deny from 192.0.3.0" },
	{ "0.0.0.0-255.255.255.255", "deny from 0.0.0.0/0" },
	{ "255.255.255.254-255.255.255.255", "deny from 255.255.255.254/31" },
	{ "0.0.0.0-127.255.255.254",
	  "deny from 0.0.0.0/2; deny from 64.0.0.0/3; deny from 96.0.0.0/4; deny from 112.0.0.0/5; "
	  "deny from 120.0.0.0/6; deny from 124.0.0.0/7; deny from 126.0.0.0/8; "
	  "deny from 127.0.0.0/9; deny from 127.128.0.0/10; deny from 127.192.0.0/11; "
	  "deny from 127.224.0.0/12; deny from 127.240.0.0/13; deny from 127.248.0.0/14; "
	  "deny from 127.252.0.0/15; deny from 127.254.0.0/16; deny from 127.255.0.0/17; "
	  "deny from 127.255.128.0/18; deny from 127.255.192.0/19; deny from 127.255.224.0/20; "
	  "deny from 127.255.240.0/21; deny from 127.255.248.0/22; deny from 127.255.252.0/23; "
	  "deny from 127.255.254.0/24; deny from 127.255.255.0/25; deny from 127.255.255.128/26; "
	  "deny from 127.255.255.192/27; deny from 127.255.255.224/28; "
	  "deny from 127.255.255.240/29; deny from 127.255.255.248/30; "
	  "deny from 127.255.255.252/31; deny from 127.255.255.254" },
	{ "2001:db8::-2001:db8::ffff", "deny from 2001:db8::/112" },
	{ "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "deny from ::/0" },
	/* No packet has an address of the IPv4-mapped prefix. */
	{ "::fffe:ffff:ffff-::1:0:0:0", "deny from ::fffe:ffff:ffff; deny from ::1:0:0:0" },
	{ "192.0.2.2-192.0.2.1", "1:11: expected an address that is not below the other one, and "
				 "of its family, not \"192.0.2.1\"" },
	{ "192.0.2.2-2001:db8::", "1:11: expected an address that is not below the other one, and "
				  "of its family, not \"2001:db8::\"" },
	{ "192.0.2.0/24-192.0.3.0", "1:1: expected an address at the end of a range, not "
				    "\"192.0.2.0/24\"" },
	{ "192.0.2.0-192.0.2.9/31", "1:11: expected an address at the end of a range, not "
				    "\"192.0.2.9/31\"" },
	{ "192.0.2.0-", "1:11: expected an address or a prefix, as in 192.0.2.0/24 or "
			"2001:db8::/32, not the end of the line" },
	{ "192.0.2.0 -", "1:12: expected an address or a prefix, as in 192.0.2.0/24 or "
			 "2001:db8::/32, not the end of the line" },
};

static const struct list ipset[] = {
	{ "create bad hash:net family inet hashsize 1024 maxelem 65536 timeout 300 comment\n"
	  "add bad 192.0.2.1 timeout 299 packets 5 bytes 300 comment \"a # ; { \"\n"
	  "add bad 198.51.100.0/24 timeout 0\n"
	  "add bad 203.0.113.1-203.0.113.2 -exist\n"
	  "COMMIT\n",
	  "deny from 192.0.2.1 ttl 299; deny from 198.51.100.0/24; deny from 203.0.113.1 ttl 300; "
	  "deny from 203.0.113.2 ttl 300" },
	{ "create bad hash:ip family inet netmask 24\nadd bad 192.0.2.0\n",
	  "1:32: expected a set without a mask, not \"netmask\"; deny from 192.0.2.0" },
	{ "create bad hash:ip bitmask 255.255.255.0\n",
	  "1:20: expected a set without a mask, not \"bitmask\"" },
	{ "create bad hash:ip timeout x\n", "1:28: expected a time of at most 4294967294 seconds, "
					    "not \"x\"" },
	{ "create bad hash:ip -exist\nflush bad\nadd -exist bad 2001:db8::1\n",
	  "deny from 2001:db8::1" },
	{ "add bad 192.0.2.0/24\nadd bad 192.0.2.1 nomatch\nadd bad 192.0.2.2",
	  "deny from 192.0.2.0/24; 2:19: expected the end of the element, not \"nomatch\"; "
	  "deny from 192.0.2.2" },
	{ "add bad 192.0.2.1,tcp:80", "1:18: expected the end of the element, not \",\"" },
	/* One of the sets may be a list of friends. */
	{ "create bad hash:ip\ncreate good hash:ip\nadd bad 192.0.2.1\nadd good 192.0.2.2\n",
	  "2:8: expected one set, \"bad\", and not also \"good\"; deny from 192.0.2.1; "
	  "4:5: expected one set, \"bad\", and not also \"good\"" },
	{ "add ba 192.0.2.1\nadd bad 192.0.2.2", "deny from 192.0.2.1; 2:5: expected one set, "
						 "\"ba\", and not also \"bad\"" },
	{ "add", "1:4: expected the name of a set, not the end of the line" },
	{ "add bad", "1:8: expected an address or a prefix, as in 192.0.2.0/24 or 2001:db8::/32, "
		     "not the end of the line" },
	{ "add bad 192.0.2.1 timeout", "1:26: expected a time of at most 4294967294 seconds, not "
				       "the end of the line" },
	{ "add bad 192.0.2.1 timeout 4294967295", "1:27: expected a time of at most 4294967294 "
						  "seconds, not \"4294967295\"" },
	{ "add bad 192.0.2.1 comment", "1:26: expected a value, not the end of the line" },
	{ "del bad 192.0.2.1", "1:1: expected an address or a prefix, as in 192.0.2.0/24 or "
			       "2001:db8::/32, not \"del\"" },
};

static const struct list nft[] = {
	{ "elements = { 192.0.2.1, 192.0.2.2 }", "deny from 192.0.2.1; deny from 192.0.2.2" },
	{ "table inet filter {\n"
	  "\tset bad {\n"
	  "\t\ttype ipv4_addr\n"
	  "\t\tsize 65535\t# count 4\n"
	  "\t\tflags interval,timeout\n"
	  "\t\tauto-merge\n"
	  "\t\ttimeout 1h\n"
	  "\t\telements = { 192.0.2.1 timeout 1h expires 59m59s900ms,\n"
	  "\t\t\t     192.0.2.8-192.0.2.15, # x }\n"
	  "\t\t\t     198.51.100.0/24 counter packets 1 bytes 2 comment \"a, } b\",\n"
	  "\t\t\t     203.0.113.1 }\n"
	  "\t}\n"
	  "}\n",
	  "deny from 192.0.2.1 ttl 3600; deny from 192.0.2.8/29 ttl 3600; "
	  "deny from 198.51.100.0/24 ttl 3600; deny from 203.0.113.1 ttl 3600" },
	{ "elements = { 192.0.2.1 expires 0s, 192.0.2.2 timeout 1h expires 0ms }",
	  "deny from 192.0.2.1 ttl 1; deny from 192.0.2.2 ttl 1" },
	{ "elements = { 192.0.2.1 timeout never expires never }", "deny from 192.0.2.1" },
	/* In a set on one line ';' begins no comment. */
	{ "table ip x { set bad { type ipv4_addr; flags interval; elements = { 192.0.2.1 } } }",
	  "deny from 192.0.2.1" },
	{ "add element ip x bad { 192.0.2.1 }; add element ip x bad { 192.0.2.2 }; 192.0.2.3\n",
	  "deny from 192.0.2.1; deny from 192.0.2.2; deny from 192.0.2.3" },
	{ "add element ip x bad {\n192.0.2.1\n,192.0.2.2,\n}; add element ip x bad { 192.0.2.3 }\n",
	  "deny from 192.0.2.1; deny from 192.0.2.2; deny from 192.0.2.3" },
	{ "flush set ip x bad; add element ip x bad { 192.0.2.3 }\n", "deny from 192.0.2.3" },
	{ "define bad = {\n 2001:db8::1,\n}\n", "deny from 2001:db8::1" },
	{ "elements={192.0.2.1}", "deny from 192.0.2.1" },
	{ "elements = { 192.0.2.1 timeout 1d2h3m4s }", "deny from 192.0.2.1 ttl 93784" },
	{ "elements = { 192.0.2.1 timeout 30s100ms }", "deny from 192.0.2.1 ttl 31" },
	{ "elements = { 192.0.2.1 timeout 3w }", "1:32: expected a time of at most 4294967294 "
						 "seconds, not \"3w\"" },
	/* An error is about its element alone. */
	{ "elements = { 192.0.2.1 . 80, 192.0.2.2, 10.0.0.1/8,\n192.0.2.3 }\n192.0.2.4",
	  "1:24: expected the end of the element, not \".\"; deny from 192.0.2.2; "
	  "1:41: there are host bits behind the prefix: expected 10.0.0.0/8, not \"10.0.0.1/8\"; "
	  "deny from 192.0.2.3; deny from 192.0.2.4" },
	{ "elements = { 192.0.2.1 comment }\n192.0.2.2",
	  "1:32: expected a value, not \"}\"; deny from 192.0.2.2" },
	{ "elements = { 192.0.2.1 { }", "1:24: expected the end of the element, not \"{\" (end)" },
	{ "elements = { 192.0.2.1 : drop }", "1:24: expected the end of the element, not \":\"" },
	{ "elements 192.0.2.1", "1:19: expected '{', not the end of the line" },
	/* No element is taken of another set, nor outside of a set. */
	{ "table x {\nset a {\nelements = { 192.0.2.1 }\n}\nset b {\nelements = { 192.0.2.2 }\n}\n}\n",
	  "deny from 192.0.2.1; 5:5: expected one set, \"a\", and not also \"b\" (end)" },
	{ "table x {\nchain b {\n192.0.2.2\n",
	  "2:1: expected what nft says of a set, not \"chain\" (end)" },
	{ "table x {\n192.0.2.2\n",
	  "2:1: expected what nft says of a set, not \"192.0.2.2\" (end)" },
	/* The file was cut off. */
	{ "elements = { 192.0.2.1,\n192.0.2.2,\n",
	  "deny from 192.0.2.1; deny from 192.0.2.2; unended: 1" },
	{ "#\ntable x {\nset a {\nelements = {\n192.0.2.1\n}\n}\n",
	  "deny from 192.0.2.1; unended: 2" },
};

static void all_forms(void **state)
{
	(void)state;
	check(bare, ARRAY_SIZE(bare), false);
	check(masked, ARRAY_SIZE(masked), true);
	check(ranges, ARRAY_SIZE(ranges), false);
	check(ipset, ARRAY_SIZE(ipset), false);
	check(nft, ARRAY_SIZE(nft), false);
}

/* The prefixes of a range have its addresses and no others. */
static void a_range_is_its_prefixes(void **state)
{
	(void)state;
	for (unsigned int first = 0; first < 70; first++) {
		for (unsigned int last = first; last < 70; last++) {
			struct xf_range range = { .family = 4 };
			unsigned int at = first, n = 0;

			range.first[3] = first;
			range.last[3] = last;
			for (; range.family; n++) {
				struct xf_prefix prefix = xf_range__cut(&range);

				assert_int_equal(prefix.addr[3], at);
				assert_int_equal(at % (1u << (32 - prefix.len)), 0);
				at += 1u << (32 - prefix.len);
			}
			assert_int_equal(at, last + 1);
			assert_in_range(n, 1, 12);
		}
	}
}

static void a_list_that_allows(void **state)
{
	struct xf_plain plain = { .deny = false };
	struct xf_rule_error error;
	struct xf_rule rule;

	(void)state;
	xf_plain__line(&plain, "192.0.2.1", 9);
	assert_int_equal(xf_plain__next(&plain, &rule, &error), 1);
	assert_false(rule.deny);
	assert_int_equal(xf_plain__next(&plain, &rule, &error), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_forms),
		cmocka_unit_test(a_range_is_its_prefixes),
		cmocka_unit_test(a_list_that_allows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
