// SPDX-License-Identifier: GPL-2.0-only
/* Text lines: a table of records and their lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "loader/format/format.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define WALL_NS 1709296496789012345ull /* 2024-03-01 12:34:56.789012345 UTC */
#define TIME "12:34:56.789012 "

#define ETH .eth_src = { 2, 0, 0, 0, 0, 1 }, .eth_dst = { 255, 255, 255, 255, 255, 255 }
#define IP4 .src = { 10, 9, 0, 1 }, .dst = { 10, 9, 0, 2 }
#define IP6 .src = { 0x20, 1, 0xd, 0xb8, [15] = 1 }, .dst = { 0x20, 1, 0xd, 0xb8, [15] = 2 }
#define HAVE4 .have = XF_HAVE_ETH | XF_HAVE_IP4
#define HAVE6 .have = XF_HAVE_ETH | XF_HAVE_IP6

static const struct row {
	const char *name;
	struct xf_record rec;
	const char *want; /* behind the time */
} rows[] = {
	{ "tcp syn",
	  { ETH, IP4, HAVE4 | XF_HAVE_PORTS | XF_HAVE_TCP_FLAGS, .proto = 6, .sport = 40000,
	    .dport = 443, .tcp_flags = 2, .len = 74 },
	  "eth0 10.9.0.1:40000 > 10.9.0.2:443 tcp [S] len 74" },
	{ "tcp over ipv6",
	  { ETH, IP6, HAVE6 | XF_HAVE_PORTS | XF_HAVE_TCP_FLAGS, .proto = 6, .sport = 40000,
	    .dport = 443, .tcp_flags = 0x12, .len = 94 },
	  "eth0 [2001:db8::1]:40000 > [2001:db8::2]:443 tcp [S.] len 94" },
	{ "tcp without flags",
	  { ETH, IP4, HAVE4 | XF_HAVE_PORTS | XF_HAVE_TCP_FLAGS, .proto = 6, .len = 60 },
	  "eth0 10.9.0.1:0 > 10.9.0.2:0 tcp [none] len 60" },
	{ "tcp with all flags",
	  { ETH, IP4, HAVE4 | XF_HAVE_PORTS | XF_HAVE_TCP_FLAGS, .proto = 6, .sport = 65535,
	    .dport = 65535, .tcp_flags = 255, .len = 60 },
	  "eth0 10.9.0.1:65535 > 10.9.0.2:65535 tcp [FSRP.UEW] len 60" },
	{ "tcp cut off behind the ports",
	  { ETH, IP4, HAVE4 | XF_HAVE_PORTS | XF_TRUNCATED, .proto = 6, .sport = 1, .dport = 2,
	    .len = 38 },
	  "eth0 10.9.0.1:1 > 10.9.0.2:2 tcp len 38 [truncated]" },
	{ "tcp cut off before the ports",
	  { ETH, IP4, HAVE4 | XF_TRUNCATED, .proto = 6, .len = 34 },
	  "eth0 10.9.0.1 > 10.9.0.2 tcp len 34 [truncated]" },
	{ "udp",
	  { ETH, IP4, HAVE4 | XF_HAVE_PORTS, .proto = 17, .sport = 53, .dport = 5353, .len = 1514 },
	  "eth0 10.9.0.1:53 > 10.9.0.2:5353 udp len 1514" },
	{ "sctp",
	  { ETH, IP4, HAVE4 | XF_HAVE_PORTS, .proto = 132, .sport = 1, .dport = 2, .len = 60 },
	  "eth0 10.9.0.1:1 > 10.9.0.2:2 sctp len 60" },
	{ "icmp",
	  { ETH, IP4, HAVE4 | XF_HAVE_ICMP, .proto = 1, .icmp_type = 8, .len = 98 },
	  "eth0 10.9.0.1 > 10.9.0.2 icmp 8/0 len 98" },
	{ "icmpv6",
	  { ETH, IP6, HAVE6 | XF_HAVE_ICMP, .proto = 58, .icmp_type = 135, .icmp_code = 255,
	    .len = 86 },
	  "eth0 2001:db8::1 > 2001:db8::2 icmpv6 135/255 len 86" },
	{ "protocol without a name",
	  { ETH, IP4, HAVE4, .proto = 90, .len = 78 },
	  "eth0 10.9.0.1 > 10.9.0.2 proto 90 len 78" },
	{ "protocol zero",
	  { ETH, IP6, HAVE6 | XF_TRUNCATED, .proto = 0, .len = 54 },
	  "eth0 2001:db8::1 > 2001:db8::2 proto 0 len 54 [truncated]" },
	{ "later fragment in two vlans",
	  { ETH, IP4, HAVE4 | XF_HAVE_FRAG, .proto = 17, .vlans = 2, .vlan = { 7, 12 },
	    .frag_id = 4711, .frag_off = 1480, .len = 1514 },
	  "eth0 vlan 7,12 10.9.0.1 > 10.9.0.2 udp frag 4711@1480 len 1514" },
	{ "first fragment",
	  { ETH, IP4, HAVE4 | XF_HAVE_FRAG | XF_HAVE_MORE_FRAGS | XF_HAVE_PORTS, .proto = 17,
	    .sport = 1, .dport = 2, .frag_id = 4711, .len = 1514 },
	  "eth0 10.9.0.1:1 > 10.9.0.2:2 udp frag 4711@0+ len 1514" },
	{ "fragment in the middle",
	  { ETH, IP4, HAVE4 | XF_HAVE_FRAG | XF_HAVE_MORE_FRAGS, .proto = 17, .frag_id = 4711,
	    .frag_off = 1480, .len = 1514 },
	  "eth0 10.9.0.1 > 10.9.0.2 udp frag 4711@1480+ len 1514" },
	{ "first fragment of tcp",
	  { ETH, IP4, HAVE4 | XF_HAVE_FRAG | XF_HAVE_PORTS | XF_HAVE_TCP_FLAGS, .proto = 6,
	    .sport = 1, .dport = 2, .tcp_flags = 0x18, .frag_id = 1, .len = 1514 },
	  "eth0 10.9.0.1:1 > 10.9.0.2:2 tcp [P.] frag 1@0 len 1514" },
	{ "ipv6 fragment",
	  { ETH, IP6, HAVE6 | XF_HAVE_FRAG, .proto = 58, .frag_id = 4294967295, .frag_off = 65528,
	    .len = 1514 },
	  "eth0 2001:db8::1 > 2001:db8::2 icmpv6 frag 4294967295@65528 len 1514" },
	{ "arp request",
	  { .src = { 10, 9, 0, 1 },
	    .dst = { 10, 9, 0, 2 },
	    ETH,
	    .have = XF_HAVE_ETH | XF_HAVE_ARP | XF_HAVE_ARP_IP4,
	    .arp_op = 1,
	    .len = 42 },
	  "eth0 arp request 10.9.0.2 tell 10.9.0.1 len 42" },
	{ "arp reply",
	  { .src = { 10, 9, 0, 2 },
	    .dst = { 10, 9, 0, 1 },
	    ETH,
	    .have = XF_HAVE_ETH | XF_HAVE_ARP | XF_HAVE_ARP_IP4,
	    .arp_op = 2,
	    .len = 42 },
	  "eth0 arp reply 10.9.0.2 is-at 02:00:00:00:00:01 len 42" },
	{ "arp in a vlan",
	  { IP4, ETH, .have = XF_HAVE_ETH | XF_HAVE_ARP | XF_HAVE_ARP_IP4, .arp_op = 1, .vlans = 1,
	    .vlan = { 4095 }, .len = 46 },
	  "eth0 vlan 4095 arp request 10.9.0.2 tell 10.9.0.1 len 46" },
	{ "arp, another operation",
	  { IP4, ETH, .have = XF_HAVE_ETH | XF_HAVE_ARP | XF_HAVE_ARP_IP4, .arp_op = 9, .len = 42 },
	  "eth0 arp op 9 len 42" },
	{ "arp, not about ipv4",
	  { ETH, .have = XF_HAVE_ETH | XF_HAVE_ARP, .arp_op = 1, .len = 42 },
	  "eth0 arp op 1 len 42" },
	{ "unknown ethernet type",
	  { ETH, .have = XF_HAVE_ETH, .eth_type = 0x88cc, .len = 60 },
	  "eth0 02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff type 0x88cc len 60" },
	{ "802.3",
	  { ETH, .have = XF_HAVE_ETH | XF_HAVE_LLC, .eth_type = 38, .llc_dsap = 0x42,
	    .llc_ssap = 0x43, .len = 60 },
	  "eth0 02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff llc dsap 0x42 ssap 0x43 len 60" },
	{ "802.3 with SNAP, in a vlan",
	  { ETH, .have = XF_HAVE_ETH | XF_HAVE_LLC | XF_HAVE_SNAP, .vlans = 1, .vlan = { 9 },
	    .eth_type = 1500, .llc_dsap = 0xaa, .llc_ssap = 0xaa, .snap_oui = 0x00a00c,
	    .snap_type = 0x2000, .len = 1518 },
	  "eth0 vlan 9 02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff llc dsap 0xaa ssap 0xaa snap "
	  "00:a0:0c type 0x2000 len 1518" },
	{ "802.3, cut off",
	  { ETH, .have = XF_HAVE_ETH | XF_TRUNCATED, .eth_type = 2, .len = 16 },
	  "eth0 02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff llc len 16 [truncated]" },
	{ "neither a length nor an EtherType",
	  { ETH, .have = XF_HAVE_ETH, .eth_type = 1501, .len = 60 },
	  "eth0 02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff type 0x05dd len 60" },
	{ "too many tags",
	  { ETH, .have = XF_HAVE_ETH | XF_TRUNCATED, .eth_type = 0x8100, .vlans = 4,
	    .vlan = { 1, 2, 3, 0 }, .len = 60 },
	  "eth0 vlan 1,2,3,0 02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff type 0x8100 len 60 "
	  "[truncated]" },
	{ "nothing understood", { .have = XF_TRUNCATED, .len = 13 }, "eth0 len 13 [truncated]" },
	{ "largest frame",
	  { .have = XF_TRUNCATED, .len = UINT32_MAX },
	  "eth0 len 4294967295 [truncated]" },
};

static const struct {
	const char *name;
	enum xf_denied denied;
	const char *rule, *want;
} denials[] = {
	{ "a rule", XF_DENIED_BY_RULE, "deny from 10.9.0.2", " denied by deny from 10.9.0.2" },
	{ "a rule that is gone", XF_DENIED_BY_RULE, NULL, " denied by a rule that is gone" },
	{ "the policy", XF_DENIED_BY_POLICY, NULL, " denied by the policy" },
	{ "what is not read", XF_DENIED_UNREAD, NULL,
	  " denied unread: more headers than are looked through" },
	{ "the logger says nothing", XF_DENIED_NOT, NULL, "" },
};

static const struct {
	const char *name, *iface, *want;
} names[] = {
	{ "longest name", "abcdefghijklmno", "abcdefghijklmno" },
	{ "quotes", "a\"b\\c'", "a\"b\\c'" },
	{ "utf-8", "\u00e9\u20ac\U0001f600", "\u00e9\u20ac\U0001f600" },
	{ "no utf-8", "a\xe9\xff", "a\\xe9\\xff" },
	{ "escape sequence", "\x1b[2J\x7f", "\\x1b[2J\\x7f" },
	{ "c1 control", "\xc2\x9b\x9b", "\\xc2\\x9b\\x9b" },
	{ "utf-8 sequence cut off", "\xe2\x82", "\\xe2\\x82" },
};

static size_t format(struct xf_out_cache *cache, const struct xf_record *rec, const char *iface,
		     uint64_t wall_ns, char *out)
{
	struct xf_line line = { .rec = rec, .iface = iface, .wall_ns = wall_ns };

	return xf_out_text(cache, &line, out) - out;
}

static void test_rows(void **state)
{
	struct xf_out_cache cache = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *out = malloc(XF_OUT_MAX), want[XF_OUT_MAX];
		size_t len = format(&cache, &rows[i].rec, "eth0", WALL_NS, out);

		snprintf(want, sizeof(want), TIME "%s\n", rows[i].want);
		if (len != strlen(want) || memcmp(out, want, len))
			fail_msg("%s: %.*s", rows[i].name, (int)len, out);
		free(out);
	}
}

/* The denial stands behind the logger's line, whole or truncated. */
static void test_denials(void **state)
{
	struct xf_record rec = { ETH, IP4, HAVE4, .proto = 17, .len = 44 };
	struct xf_out_cache cache = { 0 };

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(denials); i++) {
		size_t at = i / 2;
		struct xf_line line = { .rec = &rec,
					.iface = "eth0",
					.wall_ns = WALL_NS,
					.denied = denials[at].denied,
					.rule = denials[at].rule };
		char out[XF_OUT_MAX], want[XF_OUT_MAX];

		rec.have ^= XF_TRUNCATED;
		*xf_out_text(&cache, &line, out) = '\0';
		snprintf(want, sizeof(want), TIME "eth0 10.9.0.1 > 10.9.0.2 udp len 44%s%s\n",
			 rec.have & XF_TRUNCATED ? " [truncated]" : "", denials[at].want);
		if (strcmp(out, want))
			fail_msg("%s: %s", denials[at].name, out);
	}
}

static void test_names(void **state)
{
	const struct xf_record rec = { .have = XF_TRUNCATED, .len = 1 };
	struct xf_out_cache cache = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char out[XF_OUT_MAX], want[XF_OUT_MAX];
		size_t len = format(&cache, &rec, names[i].iface, WALL_NS, out);

		snprintf(want, sizeof(want), TIME "%s len 1 [truncated]\n", names[i].want);
		if (len != strlen(want) || memcmp(out, want, len))
			fail_msg("%s: %.*s", names[i].name, (int)len, out);
	}
}

static void test_time(void **state)
{
	static const struct {
		uint64_t wall_ns;
		const char *want;
	} times[] = {
		{ 0, "00:00:00.000000 " },
		{ 999, "00:00:00.000000 " },
		{ 1000, "00:00:00.000001 " },
		{ 999999999, "00:00:00.999999 " },
		{ 1000000000, "00:00:01.000000 " },
		{ WALL_NS, "12:34:56.789012 " },
		{ WALL_NS + 1000000000, "12:34:57.789012 " },
		{ WALL_NS, "12:34:56.789012 " }, /* back */
		{ UINT64_MAX, "23:34:33.709551 " },
	};
	struct xf_record rec = { .have = XF_TRUNCATED };
	struct xf_out_cache cache = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		char out[XF_OUT_MAX];

		format(&cache, &rec, "eth0", times[i].wall_ns, out);
		if (memcmp(out, times[i].want, strlen(times[i].want)))
			fail_msg("%llu: %.20s", (unsigned long long)times[i].wall_ns, out);
	}
}

static void test_time_is_local(void **state)
{
	struct xf_record rec = { .have = XF_TRUNCATED };
	struct xf_out_cache cache = { 0 };
	char out[XF_OUT_MAX];

	(void)state;
	setenv("TZ", "TST-05:30", 1);
	tzset();
	format(&cache, &rec, "eth0", WALL_NS, out);
	setenv("TZ", "UTC", 1);
	tzset();
	assert_memory_equal(out, "18:04:56.789012 ", 16);
}

static int count(const char *text, const char *what)
{
	int n = 0;

	for (; (text = strstr(text, what)); text++)
		n++;
	return n;
}

/* Every combination of fields, each as large as can be, gives one printable line within the limit.
 */
/* The date is local, too, and changes at midnight. */
static void test_date(void **state)
{
	static const struct {
		uint64_t wall_ns;
		const char *zone, *want;
	} dates[] = {
		{ 0, "UTC", "1970-01-01 00:00:00.000000 eth0 len 60 [truncated]\n" },
		{ 1000000000ULL * 951782399, "UTC",
		  "2000-02-28 23:59:59.000000 eth0 len 60 [truncated]\n" },
		{ 1000000000ULL * 951782400, "UTC",
		  "2000-02-29 00:00:00.000000 eth0 len 60 [truncated]\n" },
		{ 1000000000ULL * 951782400, "TST+01:00",
		  "2000-02-28 23:00:00.000000 eth0 len 60 [truncated]\n" },
		{ UINT64_MAX, "UTC", "2554-07-21 23:34:33.709551 eth0 len 60 [truncated]\n" },
	};
	const struct xf_record rec = { .have = XF_TRUNCATED, .len = 60 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(dates); i++) {
		struct xf_line line = { .rec = &rec, .iface = "eth0", .wall_ns = dates[i].wall_ns };
		struct xf_out_cache cache = { 0 };
		char out[XF_OUT_MAX];

		setenv("TZ", dates[i].zone, 1);
		tzset();
		*xf_out_dated_text(&cache, &line, out) = '\0';
		setenv("TZ", "UTC", 1);
		tzset();
		assert_string_equal(out, dates[i].want);
	}
}

static void test_every_combination(void **state)
{
	struct xf_out_cache cache = { 0 };
	struct xf_record rec;

	(void)state;
	memset(&rec, 0xff, sizeof(rec));
	for (uint32_t have = 0; have < 2 * XF_TRUNCATED; have++) {
		bool ip = have & (XF_HAVE_IP4 | XF_HAVE_IP6), arp = !ip && have & XF_HAVE_ARP;
		char *out = malloc(XF_OUT_MAX);
		size_t len;

		rec.have = have;
		len = format(&cache, &rec,
			     "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
			     WALL_NS, out);
		assert_in_range(len, 1, XF_OUT_MAX - 1);
		assert_int_equal(out[len - 1], '\n');
		out[len - 1] = '\0';
		assert_int_equal(strlen(out), len - 1);
		for (size_t i = 0; i < len - 1; i++)
			assert_in_range(out[i], 0x20, 0x7e);
		assert_int_equal(count(out, "  "), 0);
		assert_int_equal(count(out, " len 4294967295"), 1);
		assert_int_equal(count(out, "[truncated]"), !!(have & XF_TRUNCATED));
		assert_int_equal(count(out, " vlan 65535,65535,65535,65535 "),
				 !!(have & XF_HAVE_ETH));
		assert_int_equal(count(out, " proto 255 "), ip);
		assert_int_equal(count(out, " arp "), arp);
		assert_int_equal(count(out, " type 0xffff "), !ip && !arp && have & XF_HAVE_ETH);
		assert_int_equal(count(out, ":65535"), ip && have & XF_HAVE_PORTS ? 2 : 0);
		assert_int_equal(count(out, " [FSRP.UEW] "), ip && have & XF_HAVE_TCP_FLAGS);
		assert_int_equal(count(out, " 255/255 "), ip && have & XF_HAVE_ICMP);
		assert_int_equal(count(out, have & XF_HAVE_MORE_FRAGS ? " frag 4294967295@65535+ "
								      : " frag 4294967295@65535 "),
				 ip && have & XF_HAVE_FRAG);
		free(out);
	}
}

static void test_proto_names(void **state)
{
	(void)state;
	assert_string_equal(xf_proto_name(6), "tcp");
	assert_string_equal(xf_proto_name(17), "udp");
	assert_string_equal(xf_proto_name(1), "icmp");
	assert_string_equal(xf_proto_name(58), "icmpv6");
	assert_string_equal(xf_proto_name(132), "sctp");
	assert_null(xf_proto_name(0));
	assert_string_equal(xf_proto_name(4), "ipip");
	assert_string_equal(xf_proto_name(89), "ospf");
	assert_null(xf_proto_name(90));
	assert_null(xf_proto_name(255));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_denials),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_time_is_local),
		cmocka_unit_test(test_date),
		cmocka_unit_test(test_every_combination),
		cmocka_unit_test(test_proto_names),
	};

	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests_name("out_text", tests, NULL, NULL);
}
