// SPDX-License-Identifier: GPL-2.0-only
/* JSON lines, read back with json-c and compared key by key with the record. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "loader/format/format.h"
#include "tests/unit/loader/json_object.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define WALL_NS 1709296496789012345ull
#define TIME "2024-03-01T12:34:56.789012345Z"

/* Format into memory that is exactly as large as promised. */
static size_t format(struct xf_out_cache *cache, const struct xf_record *rec, const char *iface,
		     uint64_t wall_ns, char **out)
{
	struct xf_line line = { .rec = rec, .iface = iface, .wall_ns = wall_ns };

	*out = malloc(XF_OUT_MAX);
	return xf_out_json(cache, &line, *out) - *out;
}

static struct json_object *read_line(const char *text, size_t len)
{
	assert_in_range(len, 1, XF_OUT_MAX);
	return read_back(text, len);
}

static struct json_object *round_trip(const struct xf_record *rec, const char *iface)
{
	struct xf_out_cache cache = { 0 };
	struct json_object *obj;
	char *out;
	size_t len = format(&cache, rec, iface, WALL_NS, &out);

	obj = read_line(out, len);
	free(out);
	return obj;
}

static void want_vlans(struct json_object *obj, const struct xf_record *rec)
{
	struct json_object *val = take(obj, "vlan");

	assert_int_equal(json_object_get_type(val), json_type_array);
	assert_int_equal(json_object_array_length(val), rec->vlans);
	for (int i = 0; i < rec->vlans; i++)
		assert_int_equal(json_object_get_int(json_object_array_get_idx(val, i)),
				 rec->vlan[i]);
	json_object_put(val);
}

static void want_mac(struct json_object *obj, const char *key, const uint8_t addr[6])
{
	char text[18];

	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", addr[0], addr[1], addr[2],
		 addr[3], addr[4], addr[5]);
	want_string(obj, key, text);
}

static void want_addr(struct json_object *obj, const char *key, const struct xf_record *rec,
		      const uint8_t *addr)
{
	char text[INET6_ADDRSTRLEN];

	inet_ntop(rec->have & (XF_HAVE_IP4 | XF_HAVE_ARP_IP4) ? AF_INET : AF_INET6, addr, text,
		  sizeof(text));
	want_string(obj, key, text);
}

static void want_flags(struct json_object *obj, uint8_t flags)
{
	static const char letters[] = "FSRP.UEW";
	char text[9] = "";

	for (int i = 0; i < 8; i++)
		if (flags & 1 << i)
			strncat(text, letters + i, 1);
	want_string(obj, "tcp_flags", flags ? text : "none");
}

static void want_llc(struct json_object *obj, const struct xf_record *rec)
{
	char oui[9];

	want_number(obj, "len_802_3", rec->eth_type);
	if (rec->have & XF_HAVE_LLC) {
		want_number(obj, "llc_dsap", rec->llc_dsap);
		want_number(obj, "llc_ssap", rec->llc_ssap);
	}
	if (!(rec->have & XF_HAVE_SNAP))
		return;
	snprintf(oui, sizeof(oui), "%02x:%02x:%02x", rec->snap_oui >> 16 & 0xff,
		 rec->snap_oui >> 8 & 0xff, rec->snap_oui & 0xff);
	want_string(obj, "snap_oui", oui);
	want_number(obj, "snap_type", rec->snap_type);
}

static void want_eth(struct json_object *obj, const struct xf_record *rec)
{
	want_mac(obj, "eth_src", rec->eth_src);
	want_mac(obj, "eth_dst", rec->eth_dst);
	if (rec->eth_type <= 1500)
		want_llc(obj, rec);
	else
		want_number(obj, "eth_type", rec->eth_type);
	if (rec->vlans)
		want_vlans(obj, rec);
}

static void want_proto(struct json_object *obj, uint8_t proto)
{
	if (xf_proto_name(proto))
		want_string(obj, "proto", xf_proto_name(proto));
	else
		want_number(obj, "proto", proto);
}

static void want_layer4(struct json_object *obj, const struct xf_record *rec)
{
	if (rec->have & XF_HAVE_PORTS) {
		want_number(obj, "sport", rec->sport);
		want_number(obj, "dport", rec->dport);
	}
	if (rec->have & XF_HAVE_TCP_FLAGS)
		want_flags(obj, rec->tcp_flags);
	if (rec->have & XF_HAVE_ICMP) {
		want_number(obj, "icmp_type", rec->icmp_type);
		want_number(obj, "icmp_code", rec->icmp_code);
	}
}

/* Fails when the object lacks a field of the record, or has another one. */
static void check_record(const struct xf_record *rec)
{
	struct json_object *obj = round_trip(rec, "eth0");

	want_string(obj, "time", TIME);
	want_string(obj, "iface", "eth0");
	want_number(obj, "rx_queue", rec->rx_queue);
	want_number(obj, "len", rec->len);
	if (rec->have & XF_HAVE_ETH)
		want_eth(obj, rec);
	if (rec->have & (XF_HAVE_IP4 | XF_HAVE_IP6 | XF_HAVE_ARP_IP4)) {
		want_addr(obj, "src", rec, rec->src);
		want_addr(obj, "dst", rec, rec->dst);
	}
	if (rec->have & (XF_HAVE_IP4 | XF_HAVE_IP6))
		want_proto(obj, rec->proto);
	want_layer4(obj, rec);
	if (rec->have & XF_HAVE_ARP)
		want_number(obj, "arp_op", rec->arp_op);
	if (rec->have & XF_HAVE_FRAG) {
		want_number(obj, "frag_id", rec->frag_id);
		want_number(obj, "frag_off", rec->frag_off);
	}
	if (rec->have & XF_HAVE_MORE_FRAGS)
		want_true(obj, "frag_more");
	if (rec->have & XF_TRUNCATED)
		want_true(obj, "truncated");
	if (json_object_object_length(obj))
		fail_msg("left over: %s", json_object_to_json_string(obj));
	json_object_put(obj);
}

static void fill_random(struct xf_record *rec)
{
	uint8_t *bytes = (uint8_t *)rec;

	for (size_t i = 0; i < sizeof(*rec); i++)
		bytes[i] = random();
	rec->vlans = random() % (XF_MAX_VLANS + 1);
}

static void test_every_combination(void **state)
{
	struct xf_record rec;

	(void)state;
	srandom(1);
	for (uint32_t have = 0; have < 2 * XF_TRUNCATED; have++) {
		memset(&rec, 0, sizeof(rec));
		rec.have = have;
		check_record(&rec);
		memset(&rec, 0xff, sizeof(rec));
		rec.vlans = XF_MAX_VLANS;
		rec.have = have;
		check_record(&rec);
		for (int i = 0; i < 2; i++) {
			fill_random(&rec);
			rec.have = have;
			check_record(&rec);
		}
	}
}

static void test_each_value(void **state)
{
	struct xf_record rec = { .have = XF_HAVE_ETH | XF_HAVE_IP4 | XF_HAVE_TCP_FLAGS |
					 XF_HAVE_PORTS };

	(void)state;
	for (int i = 0; i < 256; i++) {
		rec.proto = i;
		rec.tcp_flags = i;
		rec.vlans = i % (XF_MAX_VLANS + 1);
		check_record(&rec);
	}
	for (int i = 0; i < 65536; i += 97) {
		rec.sport = i;
		rec.dport = 65535 - i;
		rec.eth_type = i;
		check_record(&rec);
	}
}

static void test_802_3(void **state)
{
	struct xf_record rec = { .have = XF_HAVE_ETH | XF_HAVE_LLC | XF_HAVE_SNAP, .vlans = 1 };

	(void)state;
	for (int i = 0; i <= 1500; i += 50) {
		rec.eth_type = i;
		rec.llc_dsap = i % 256;
		rec.llc_ssap = i % 251;
		rec.snap_oui = i * 11000;
		rec.snap_type = 65535 - i;
		check_record(&rec);
		rec.have ^= XF_HAVE_SNAP;
		check_record(&rec);
	}
	rec.have = XF_HAVE_ETH | XF_TRUNCATED;
	check_record(&rec);
}

/* A whole line, so that the order of the keys does not change by accident. */
static void test_exact_line(void **state)
{
	static const char want[] =
	    "{\"time\":\"" TIME "\",\"iface\":\"eth0\",\"rx_queue\":3,\"len\":74,"
	    "\"eth_src\":\"02:00:00:00:00:01\",\"eth_dst\":\"02:00:00:00:00:02\",\"eth_type\":2048,"
	    "\"vlan\":[7,12],\"src\":\"10.9.0.1\",\"dst\":\"10.9.0.2\",\"proto\":\"tcp\",\"sport\":"
	    "40000,"
	    "\"dport\":443,\"tcp_flags\":\"S.\",\"frag_id\":4711,\"frag_off\":0,\"frag_more\":true,"
	    "\"truncated\":true}\n";
	const struct xf_record rec = {
		.rx_queue = 3,
		.len = 74,
		.eth_src = { 2, 0, 0, 0, 0, 1 },
		.eth_dst = { 2, 0, 0, 0, 0, 2 },
		.eth_type = 0x800,
		.vlans = 2,
		.vlan = { 7, 12 },
		.src = { 10, 9, 0, 1 },
		.dst = { 10, 9, 0, 2 },
		.proto = 6,
		.sport = 40000,
		.dport = 443,
		.tcp_flags = 0x12,
		.frag_id = 4711,
		.have = XF_HAVE_ETH | XF_HAVE_IP4 | XF_HAVE_PORTS | XF_HAVE_TCP_FLAGS |
			XF_HAVE_FRAG | XF_HAVE_MORE_FRAGS | XF_TRUNCATED,
	};
	struct xf_out_cache cache = { 0 };
	char *out;
	size_t len = format(&cache, &rec, "eth0", WALL_NS, &out);

	(void)state;
	assert_int_equal(len, strlen(want));
	assert_memory_equal(out, want, len);
	free(out);
}

/* A name that is UTF-8 is unchanged; in any other one each bad byte becomes the Latin-1 character
 * of its number. */
static const struct {
	const char *name, *iface, *want;
} names[] = {
	{ "plain", "eth0.7", "eth0.7" },
	{ "longest", "abcdefghijklmno", "abcdefghijklmno" },
	{ "longer than Linux allows", "abcdefghijklmnop", "abcdefghijklmno" },
	{ "quote and backslash", "a\"b\\c", "a\"b\\c" },
	{ "all quotes", "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"", "\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"" },
	{ "control characters", "\x01\x1b[2J\x7f", "\x01\x1b[2J\x7f" },
	{ "two bytes", "\u00e9\u07ff", "\u00e9\u07ff" },
	{ "three bytes", "\u0800\u20ac\uffff", "\u0800\u20ac\uffff" },
	{ "four bytes", "\U00010000\U0010ffff", "\U00010000\U0010ffff" },
	{ "around the surrogates", "\xed\x9f\xbf\xee\x80\x80", "\xed\x9f\xbf\xee\x80\x80" },
	{ "c1 control as utf-8", "\xc2\x9bx", "\xc2\x9bx" },
	{ "latin-1", "caf\xe9", "caf\u00e9" },
	{ "tail without a head", "\x80x\xbf", "\xc2\x80x\u00bf" },
	{ "head without a tail", "\xc3x", "\u00c3x" },
	{ "cut off at the end", "a\xe2\x82", "a\u00e2\xc2\x82" },
	{ "cut off by the longest length", "abcdefghijklmn\xc3\xa9", "abcdefghijklmn\u00c3" },
	{ "overlong slash", "\xc0\xaf", "\u00c0\u00af" },
	{ "overlong, three bytes", "\xe0\x9f\xbf", "\u00e0\xc2\x9f\u00bf" },
	{ "overlong, four bytes", "\xf0\x8f\xbf\xbf", "\u00f0\xc2\x8f\u00bf\u00bf" },
	{ "surrogate", "\xed\xa0\x80", "\u00ed\u00a0\xc2\x80" },
	{ "beyond unicode", "\xf4\x90\x80\x80", "\u00f4\xc2\x90\xc2\x80\xc2\x80" },
	{ "no utf-8 at all", "\xfe\xff", "\u00fe\u00ff" },
	{ "bad third byte", "\xe2\x82x", "\u00e2\xc2\x82x" },
	{ "bad fourth byte", "\xf0\x9f\x98x", "\u00f0\xc2\x9f\xc2\x98x" },
};

static void test_names(void **state)
{
	struct xf_record rec = { .have = 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct json_object *obj = round_trip(&rec, names[i].iface),
				   *iface = take(obj, "iface");

		if (strcmp(json_object_get_string(iface), names[i].want))
			fail_msg("%s: %s", names[i].name, json_object_to_json_string(iface));
		json_object_put(iface);
		json_object_put(obj);
	}
}

/* Every pair of bytes that a name can hold, seven pairs a name, gives a line of printable ASCII or
 * valid UTF-8. */
static void test_any_name_is_valid(void **state)
{
	struct xf_record rec = { .have = 0 };

	(void)state;
	for (int first = 1; first < 256; first++) {
		for (int second = 1; second < 256; second += 7) {
			char name[16] = { 0 };

			for (int i = 0; i < 7 && second + i < 256; i++) {
				name[2 * i] = first;
				name[2 * i + 1] = second + i;
			}
			json_object_put(round_trip(&rec, name));
		}
	}
}

static void test_denials(void **state)
{
	static const struct {
		enum xf_denied denied;
		const char *rule, *by;
	} rows[] = {
		{ XF_DENIED_BY_RULE, "deny from 2001:db8::/32 proto tcp dport 80-90", "rule" },
		{ XF_DENIED_BY_RULE, NULL, "rule" }, /* the rule is gone */
		{ XF_DENIED_BY_POLICY, NULL, "policy" },
		{ XF_DENIED_UNREAD, NULL, "unread" },
	};
	const struct xf_record rec = { .have = XF_TRUNCATED };
	struct xf_out_cache cache = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct xf_line line = {
			.rec = &rec, .iface = "eth0", .denied = rows[i].denied, .rule = rows[i].rule
		};
		char out[XF_OUT_MAX];
		struct json_object *obj = read_line(out, xf_out_json(&cache, &line, out) - out);

		want_true(obj, "truncated");
		want_string(obj, "denied_by", rows[i].by);
		if (rows[i].rule)
			want_string(obj, "rule", rows[i].rule);
		else
			assert_null(take(obj, "rule"));
		json_object_put(obj);
	}
}

static void test_longest_line(void **state)
{
	static const char name[] = "\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01";
	char rule[XF_OUT_RULE_MAX + 1] = "";
	struct xf_line line = {
		.iface = name, .wall_ns = UINT64_MAX, .denied = XF_DENIED_BY_RULE, .rule = rule
	};
	struct xf_out_cache cache = { 0 };
	struct xf_record rec;
	char *out = malloc(XF_OUT_MAX);
	size_t len;

	(void)state;
	memset(&rec, 0xff, sizeof(rec)); /* also a number of tags that is too large */
	rec.have = (2 * XF_TRUNCATED - 1) & ~(XF_HAVE_IP4 | XF_HAVE_ARP_IP4);
	memset(rule, 'x', XF_OUT_RULE_MAX);
	line.rec = &rec;
	len = xf_out_json(&cache, &line, out) - out;
	json_object_put(read_line(out, len));
	assert_in_range(len, 500, XF_OUT_MAX - 32);
	free(out);
}

static void test_time(void **state)
{
	static const struct {
		uint64_t wall_ns;
		const char *want;
	} times[] = {
		{ 0, "1970-01-01T00:00:00.000000000Z" },
		{ 1, "1970-01-01T00:00:00.000000001Z" },
		{ WALL_NS, TIME },
		{ WALL_NS + 1, "2024-03-01T12:34:56.789012346Z" },
		{ WALL_NS - 86400000000000, "2024-02-29T12:34:56.789012345Z" },
		{ WALL_NS, TIME },
		{ UINT64_MAX, "2554-07-21T23:34:33.709551615Z" },
	};
	struct xf_record rec = { .have = 0 };
	struct xf_out_cache cache = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		char *out;
		size_t len = format(&cache, &rec, "eth0", times[i].wall_ns, &out);
		struct json_object *obj = read_line(out, len);

		want_string(obj, "time", times[i].want);
		json_object_put(obj);
		free(out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_combination),
		cmocka_unit_test(test_each_value),
		cmocka_unit_test(test_802_3),
		cmocka_unit_test(test_exact_line),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_any_name_is_valid),
		cmocka_unit_test(test_denials),
		cmocka_unit_test(test_longest_line),
		cmocka_unit_test(test_time),
	};

	return cmocka_run_group_tests_name("out_json", tests, NULL, NULL);
}
