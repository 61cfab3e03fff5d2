// SPDX-License-Identifier: GPL-2.0-only
/* A packet does not pass a rule by more headers than the firewall reads. */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>

#include "tests/prog/firewall/fw.h"
#include "tests/prog/harness.h"

#define FRAME_MAX 8192
#define MAC "02:00:00:00:00:01"

/* UDP from port 1 to port 53, behind tags and, for IPv6, destination options. */
struct stack {
	unsigned int tags, options;
	bool ip4;
};

static size_t put_frame(const struct stack *stack, uint8_t bytes[FRAME_MAX])
{
	uint8_t *at = bytes + 14, *next;

	memset(bytes, 0, FRAME_MAX);
	memcpy(bytes + 6, "\2\0\0\0\0\1", 6);
	for (unsigned int i = 0; i < stack->tags; i++, at += 4)
		memcpy(at - 2, "\x81\0\0\7", 4);
	memcpy(at - 2, stack->ip4 ? "\x08\0" : "\x86\xdd", 2);
	if (stack->ip4) {
		memcpy(at, "\x45\0\0\x1c\0\0\0\0\x40\x11\0\0\x0a\1\2\3\x0a\1\2\4", 20);
		at += 20;
	} else {
		memcpy(at, "\x60\0\0\0", 4);
		at[5] = 8 + 8 * stack->options;
		memcpy(at + 8, "\x20\1\x0d\xb8", 4);
		memcpy(at + 24, "\x20\1\x0d\xb8", 4);
		next = at + 6;
		at += 40;
		for (unsigned int i = 0; i < stack->options; i++, at += 8) {
			*next = 60;
			next = at;
		}
		*next = 17;
	}
	memcpy(at, "\0\1\0\x35\0\x08\0\0", 8);
	return at + 8 - bytes;
}

struct row {
	const char *name;
	struct stack stack;
	enum xf_fate want;
	const char *rules[4];
};

static void check_rows(const struct xf_fw *fw, const struct row *rows, size_t n)
{
	uint8_t bytes[FRAME_MAX];

	for (size_t i = 0; i < n; i++) {
		size_t len = put_frame(&rows[i].stack, bytes);
		int fate;

		assert_int_equal(xf_ruleset__flush(fw->ruleset), 0);
		xf_fw_add_rules(fw->ruleset, rows[i].rules);
		fate = xf_fw_fate(fw, bytes, len);
		if (fate != (int)rows[i].want)
			fail_msg("%s: fate %d instead of %d", rows[i].name, fate, rows[i].want);
	}
	assert_int_equal(xf_ruleset__flush(fw->ruleset), 0);
}

static void extension_headers(void **state)
{
	static const struct row rows[] = {
		{ "as many as are looked through",
		  { .options = 8 },
		  XF_FATE_DENIED,
		  { "deny dport 53" } },
		{ "and another port",
		  { .options = 8 },
		  XF_FATE_POLICY_ALLOWED,
		  { "deny dport 54" } },
		{ "one more: a port",
		  { .options = 9 },
		  XF_FATE_POLICY_DENIED,
		  { "deny dport 54" } },
		{ "a protocol", { .options = 9 }, XF_FATE_POLICY_DENIED, { "deny proto tcp" } },
		{ "the protocol that was reached",
		  { .options = 9 },
		  XF_FATE_POLICY_DENIED,
		  { "allow proto 60" } },
		{ "established", { .options = 9 }, XF_FATE_POLICY_DENIED, { "deny established" } },
		{ "rules for addresses and MAC need no more",
		  { .options = 9 },
		  XF_FATE_POLICY_ALLOWED,
		  { "deny from 2001:db9::/32", "deny to 2001:db9::/32",
		    "deny ether 02:00:00:00:00:02" } },
		{ "a rule for IPv4",
		  { .options = 9 },
		  XF_FATE_POLICY_ALLOWED,
		  { "deny from 10.0.0.0/8 dport 53" } },
		{ "denied anyway",
		  { .options = 9 },
		  XF_FATE_DENIED,
		  { "deny from 2001:db8::/32", "deny dport 53" } },
		{ "allowed whatever it is",
		  { .options = 9 },
		  XF_FATE_ALLOWED,
		  { "allow from 2001:db8::/32", "deny dport 53" } },
		{ "not allowed whatever it is",
		  { .options = 9 },
		  XF_FATE_POLICY_DENIED,
		  { "allow from 2001:db8::/32", "deny from 2001:db8::/32 dport 53" } },
	};

	check_rows(*state, rows, sizeof(rows) / sizeof(rows[0]));
}

static void tags(void **state)
{
	static const struct row rows[] = {
		{ "as many as are looked through",
		  { .tags = 4, .ip4 = true },
		  XF_FATE_DENIED,
		  { "deny from 10.1.2.3" } },
		{ "one more: a source",
		  { .tags = 5, .ip4 = true },
		  XF_FATE_POLICY_DENIED,
		  { "deny from 10.1.2.3" } },
		{ "an IPv6 destination", { .tags = 5 }, XF_FATE_POLICY_DENIED, { "deny to ::/0" } },
		{ "a port", { .tags = 5 }, XF_FATE_POLICY_DENIED, { "deny dport 53" } },
		{ "a MAC that is another",
		  { .tags = 5 },
		  XF_FATE_POLICY_ALLOWED,
		  { "deny ether 02:00:00:00:00:02" } },
		{ "a MAC alone", { .tags = 5 }, XF_FATE_ALLOWED, { "allow ether " MAC } },
		{ "a MAC is denied",
		  { .tags = 5 },
		  XF_FATE_DENIED,
		  { "deny ether " MAC, "allow dport 53" } },
		{ "a MAC is allowed, but not all from it",
		  { .tags = 5 },
		  XF_FATE_POLICY_DENIED,
		  { "allow ether " MAC, "deny dport 53" } },
		{ "no rule", { .tags = 5 }, XF_FATE_POLICY_ALLOWED, {} },
	};

	check_rows(*state, rows, sizeof(rows) / sizeof(rows[0]));
}

/* Two extension headers, of 2,048 bytes at most, and UDP behind. */
static size_t put_long_headers(unsigned int units, uint8_t bytes[FRAME_MAX])
{
	const struct stack stack = { .options = 1 };
	size_t size = 8 * (units + 1), len = 54 + 2 * size + 8;
	uint8_t *first = bytes + 54, *udp = first + 2 * size;

	put_frame(&stack, bytes);
	memmove(udp, first + 8, 8);
	memset(first, 0, 2 * size);
	first[0] = 60;
	first[1] = units;
	first[size] = 17;
	first[size + 1] = units;
	bytes[18] = (len - 54) >> 8;
	bytes[19] = len - 54;
	return len;
}

/* Long headers, also where they reach beyond the first buffer. */
static void buffers(void **state)
{
	uint8_t bytes[FRAME_MAX];
	struct xf_fw fw;
	size_t len;
	int err = xf_fw__open_flags(&fw, false, BPF_F_XDP_HAS_FRAGS);

	(void)state;
	if (err == -EINVAL)
		skip(); /* a kernel before 5.18 */
	assert_int_equal(err, 0);
	xf_fw_add_rules(fw.ruleset,
			(const char *const[]) { "deny dport 54", "deny dport 99", NULL });
	len = put_long_headers(255, bytes);
	assert_int_equal(xf_fw_fate(&fw, bytes, len), XF_FATE_POLICY_ALLOWED);
	assert_int_equal(xf_fw_fate(&fw, bytes, FRAME_MAX), XF_FATE_POLICY_ALLOWED);
	xf_fw_add_rules(fw.ruleset, (const char *const[]) { "deny dport 53", NULL });
	assert_int_equal(xf_fw_fate(&fw, bytes, len), XF_FATE_DENIED);
	xf_fw__close(&fw);
}

/* Frames behind the Ethernet header, and 192 bytes of room. */
struct cut {
	const char *name;
	const char *bytes;
	size_t len;
	enum xf_fate udp, port,
	    address; /* with a rule about these that does not match the bytes that are there */
};

#define CUT(_name, _bytes, _udp, _port, _address)                                                  \
	{                                                                                          \
		_name, _bytes, sizeof(_bytes) - 1, _udp, _port, _address                           \
	}
#define IP6(_payload, _next)                                                                       \
	"\x60\0\0\0\0" _payload _next "\x40\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"                 \
	"\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2"
#define IP4(_length, _fragment, _proto)                                                            \
	"\x45\0\0" _length "\0\7" _fragment "\x40" _proto "\0\0\x0a\1\2\3\x0a\1\2\4"
#define PASSED XF_FATE_POLICY_ALLOWED
#define UNREAD XF_FATE_POLICY_DENIED
#define DENIED XF_FATE_DENIED
#define FIRST(_next) _next "\0\0\1\0\0\0\7"
#define LATER(_next) _next "\0\0\x8\0\0\0\7"
#define OPTIONS(_next) _next "\0\1\4\0\0\0\0"

/* No rule has seen the part of a packet that a fragment leaves for the next one. */
static void cut_headers(void **state)
{
	static const struct cut rows[] = {
		CUT("the options go on in the next fragment",
		    "\x86\xdd" IP6("\x10", "\x2c") FIRST("\x3c") OPTIONS("\x3c"), UNREAD, UNREAD,
		    PASSED),
		CUT("and something else is in the padding",
		    "\x86\xdd" IP6("\x10", "\x2c") FIRST("\x3c") OPTIONS("\x3c")
			OPTIONS("\x06") "\0\1\0\1\0\0\0\0\0\0\0\0\x50\2\0\0\0\0\0\0",
		    UNREAD, UNREAD, PASSED),
		CUT("the ports are in the next one",
		    "\x86\xdd" IP6("\x10", "\x2c") FIRST("\x3c") OPTIONS("\x06"), UNREAD, UNREAD,
		    PASSED),
		CUT("the flags are, IPv6",
		    "\x86\xdd" IP6("\x10", "\x2c") FIRST("\x06") "\0\1\0\1\0\0\0\0", UNREAD, UNREAD,
		    PASSED),
		CUT("the flags are, IPv4",
		    "\x08\0" IP4("\x1c", "\x20\0", "\x06") "\0\1\0\1\0\0\0\0", UNREAD, UNREAD,
		    PASSED),
		CUT("all is there, IPv6",
		    "\x86\xdd" IP6("\x20", "\x2c") FIRST("\x3c")
			OPTIONS("\x06") "\0\1\0\1\0\0\0\0\0\0\0\0\x50\2\0\0",
		    PASSED, PASSED, PASSED),
		CUT("all is there, IPv4",
		    "\x08\0" IP4("\x24", "\x20\0", "\x06") "\0\1\0\1\0\0\0\0\0\0\0\0\x50\2\0\0",
		    PASSED, PASSED, PASSED),
		CUT("all of another protocol, IPv4",
		    "\x08\0" IP4("\x1c", "\x20\0", "\x01") "\x8\0\0\0\0\7\0\1", PASSED, PASSED,
		    PASSED),
		CUT("a later one, IPv6",
		    "\x86\xdd" IP6("\x10", "\x2c") LATER("\x3c") OPTIONS("\x3c"), PASSED, PASSED,
		    PASSED),
	};
	static const char *const rules[] = { "deny proto udp", "deny dport 53",
					     "deny from 192.0.2.1" };
	const struct xf_fw *fw = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const enum xf_fate want[] = { rows[i].udp, rows[i].port, rows[i].address };
		uint8_t bytes[256] = {};

		memcpy(bytes + 12, rows[i].bytes, rows[i].len);
		for (int r = 0; r < 3; r++) {
			const char *const one[] = { rules[r], NULL };
			int fate;

			assert_int_equal(xf_ruleset__flush(fw->ruleset), 0);
			xf_fw_add_rules(fw->ruleset, one);
			fate = xf_fw_fate(fw, bytes, 12 + rows[i].len);
			if (fate != (int)want[r])
				fail_msg("%s, %s: fate %d instead of %d", rows[i].name, rules[r],
					 fate, want[r]);
		}
	}
	assert_int_equal(xf_ruleset__flush(fw->ruleset), 0);
}

/* Linux does not look behind these protocols of IPv6, whatever header they announce. */
static void protocols_that_look_like_headers(void **state)
{
	static const uint8_t protos[] = { 51, 135, 139, 140 };
	static const char inner[] = "\x3a\0\1\4\0\0\0\0\1\0\0\0\0\0\0\0";
	const struct xf_fw *fw = *state;

	for (size_t i = 0; i < sizeof(protos); i++) {
		uint8_t bytes[70] = "\2\0\0\0\0\1\2\0\0\0\0\2\x86\xdd" IP6("\x10", "\x00");
		char rule[2][32];

		bytes[14 + 6] = protos[i];
		memcpy(bytes + 54, inner, 16);
		for (int deny = 0; deny < 2; deny++) {
			const char *const one[] = { rule[deny], NULL };

			snprintf(rule[deny], sizeof(rule[deny]), "%s proto %u",
				 deny ? "deny" : "allow", protos[i]);
			xf_fw_add_rules(fw->ruleset, one);
			assert_int_equal(xf_fw_fate(fw, bytes, sizeof(bytes)),
					 deny ? XF_FATE_DENIED : XF_FATE_ALLOWED);
			assert_int_equal(xf_ruleset__flush(fw->ruleset), 0);
		}
		assert_int_equal(xf_ruleset__set_policy(fw->ruleset, true), 0);
		assert_int_equal(xf_fw_fate(fw, bytes, sizeof(bytes)), XF_FATE_POLICY_DENIED);
		/* As ICMPv6, which the header announces, the packet would pass. */
		bytes[14 + 6] = 60;
		bytes[55] = 0;
		assert_int_equal(xf_fw_fate(fw, bytes, sizeof(bytes)), XF_FATE_EXEMPT);
		assert_int_equal(xf_ruleset__set_policy(fw->ruleset, false), 0);
	}
}

/* Behind an IPv6 header with a payload length of 0 Linux sees nothing, but for hop-by-hop options:
 * with these it takes all that is there, also without a jumbo option among them. */
static void payload_of_zero(void **state)
{
#define ETH "\2\0\0\0\0\1\2\0\0\0\0\2\x86\xdd"
#define PORT_53 "\0\1\0\x35\0\x08\0\0"
	static const struct {
		const char *name, *bytes;
		int port, proto; /* fates under deny dport 53 and deny proto tcp */
	} rows[] = {
		{ "hop-by-hop options", ETH IP6("\0", "\0") OPTIONS("\x11") PORT_53, XF_FATE_DENIED,
		  PASSED },
		{ "destination options", ETH IP6("\0", "\x3c") OPTIONS("\x11") PORT_53, UNREAD,
		  UNREAD },
		{ "UDP", ETH IP6("\0", "\x11") PORT_53 OPTIONS("\0"), PASSED, PASSED },
	};
	static const char *const port[] = { "deny dport 53", NULL };
	static const char *const proto[] = { "deny proto tcp", NULL };
	const size_t len = 14 + 40 + 8 + 8;
	const struct xf_fw *fw = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		xf_fw_add_rules(fw->ruleset, port);
		if (xf_fw_fate(fw, (const uint8_t *)rows[i].bytes, len) != rows[i].port)
			fail_msg("%s: wrong fate under a rule for a port", rows[i].name);
		assert_int_equal(xf_ruleset__flush(fw->ruleset), 0);
		xf_fw_add_rules(fw->ruleset, proto);
		if (xf_fw_fate(fw, (const uint8_t *)rows[i].bytes, len) != rows[i].proto)
			fail_msg("%s: wrong fate under a rule for a protocol", rows[i].name);
		assert_int_equal(xf_ruleset__flush(fw->ruleset), 0);
	}
}

/* The address inside decides. What Linux disregards of a PPPoE session is disregarded here. */
static void pppoe_and_mpls(void **state)
{
#define MACS "\2\0\0\0\0\1\2\0\0\0\0\2"
#define UDP4 IP4("\x1c", "\0\0", "\x11") PORT_53
	static const struct {
		const char *name, *bytes;
		size_t len;
		int from, port, other; /* fates */
	} rows[] = {
#define INSIDE(_bytes) MACS _bytes UDP4, sizeof(MACS _bytes UDP4) - 1
#define SESSION(_head, _protocol) INSIDE("\x88\x64" _head "\0\1\0\x1e" _protocol)
#define TAG "\x81\0\0\7"
#define LABEL "\0\1\0\x40"
#define LAST "\0\1\1\x40"
		{ "IPv4 in PPPoE", SESSION("\x11\0", "\0\x21"), DENIED, DENIED, PASSED },
		{ "its number in one byte", SESSION("\x11\0", "\x21"), DENIED, DENIED, PASSED },
		{ "any version and code", SESSION("\x35\x65", "\0\x21"), DENIED, DENIED, PASSED },
		{ "in tags", INSIDE(TAG TAG "\x88\x64\x11\0\0\1\0\x1e\0\x21"), DENIED, DENIED,
		  PASSED },
		{ "LCP", SESSION("\x11\0", "\xc0\x21"), PASSED, PASSED, PASSED },
		{ "IPCP", SESSION("\x11\0", "\x80\x21"), PASSED, PASSED, PASSED },
		{ "multilink", SESSION("\x11\0", "\0\x3d"), UNREAD, UNREAD, UNREAD },
		{ "compressed TCP, in one byte", SESSION("\x11\0", "\x2d"), UNREAD, UNREAD,
		  UNREAD },
		{ "MPLS in PPPoE", SESSION("\x11\0", "\x02\x81" LAST), UNREAD, UNREAD, UNREAD },
		{ "one label", INSIDE("\x88\x47" LAST), DENIED, DENIED, PASSED },
		{ "a label that tells of IPv4", INSIDE("\x88\x47\0\0\1\x40"), DENIED, DENIED,
		  PASSED },
		{ "four labels in tags", INSIDE(TAG TAG "\x88\x48" LABEL LABEL LABEL LAST), DENIED,
		  DENIED, PASSED },
		{ "five labels", INSIDE("\x88\x47" LABEL LABEL LABEL LABEL LAST), UNREAD, UNREAD,
		  UNREAD },
		{ "a pseudowire", INSIDE("\x88\x47" LAST "\0\0\0\0"), PASSED, PASSED, PASSED },
	};
	static const char *const rules[][2] = { { "deny from 10.1.2.3" },
						{ "deny proto udp dport 53" },
						{ "deny from 10.1.2.9" } };
	const struct xf_fw *fw = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const int want[] = { rows[i].from, rows[i].port, rows[i].other };

		for (size_t k = 0; k < 3; k++) {
			int fate;

			xf_fw_add_rules(fw->ruleset, rules[k]);
			fate = xf_fw_fate(fw, (const uint8_t *)rows[i].bytes, rows[i].len);
			if (fate != want[k])
				fail_msg("%s under %s: fate %d", rows[i].name, rules[k][0], fate);
			assert_int_equal(xf_ruleset__flush(fw->ruleset), 0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(extension_headers),
		cmocka_unit_test(cut_headers),
		cmocka_unit_test(protocols_that_look_like_headers),
		cmocka_unit_test(payload_of_zero),
		cmocka_unit_test(pppoe_and_mpls),
		cmocka_unit_test(tags),
		cmocka_unit_test(buffers),
	};
	const char *why = xf_harness_refusal();

	if (why)
		return xf_skip_all(why);
	return cmocka_run_group_tests(tests, xf_fw_set_up, xf_fw_tear_down);
}
