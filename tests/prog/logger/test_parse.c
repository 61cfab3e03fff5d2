// SPDX-License-Identifier: GPL-2.0-only
/* Every packet of the table, and every prefix of one, gives the record of the table. */
#include <linux/bpf.h>
#include <netinet/in.h>
#include <string.h>

#include "tests/prog/logger/fixture.h"
#include "tests/prog/logger/ref_parse.h"

#define SMALLEST 14 /* the kernel refuses shorter packets in a test run */

/* The table was written by hand, the reference parser from the RFCs, and both agree. */
static void reference_agrees_with_table(void **state)
{
	struct xf_fixture *fix = *state;
	struct xf_record ref;

	fix->bad = 0;
	for (size_t i = 0; i < fix->packets.n; i++) {
		const struct xf_packet *packet = &fix->packets.list[i];

		xf_ref_parse(packet->bytes, packet->len, &ref);
		xf_fixture_compare(fix, packet->name, packet->bytes, &packet->expect, &ref);
	}
	assert_int_equal(fix->bad, 0);
}

static void record_is_the_tables(void **state)
{
	struct xf_fixture *fix = *state;
	struct xf_record rec;

	fix->bad = 0;
	for (size_t i = 0; i < fix->packets.n; i++) {
		const struct xf_packet *packet = &fix->packets.list[i];

		if (xf_fixture_run(fix, packet->name, packet->bytes, packet->len, &rec))
			xf_fixture_compare(fix, packet->name, packet->bytes, &packet->expect, &rec);
	}
	assert_int_equal(fix->bad, 0);
}

/* Returns a complaint about the record of a packet's first bytes, compared with that of the whole,
 * or NULL. */
static const char *part_is_wrong(const struct xf_packet *packet, size_t len,
				 const struct xf_record *part)
{
	const struct xf_record *whole = &packet->expect;
	uint32_t both = part->have & ~XF_TRUNCATED;
	bool cut = len < packet->needs || whole->have & XF_TRUNCATED;
	bool outer = part->proto == IPPROTO_FRAGMENT &&
		     both & XF_HAVE_FRAG; /* the packet is cut in front of a second such header */

	if (outer)
		both &= ~(XF_HAVE_FRAG | XF_HAVE_MORE_FRAGS);
	if (both & ~whole->have)
		return "a field is set that the whole packet does not have";
	if (!!(part->have & XF_TRUNCATED) != cut)
		return cut ? "not marked as truncated" : "marked as truncated, but all is there";
	if (part->vlans > whole->vlans ||
	    memcmp(part->vlan, whole->vlan, part->vlans * sizeof(part->vlan[0])))
		return "the tags differ from the whole packet's";
	if (both & (XF_HAVE_IP4 | XF_HAVE_IP6 | XF_HAVE_ARP) && part->eth_type != whole->eth_type)
		return "the EtherType differs from the whole packet's";
	if (both & (XF_HAVE_IP4 | XF_HAVE_IP6 | XF_HAVE_ARP_IP4) &&
	    (memcmp(part->src, whole->src, 16) || memcmp(part->dst, whole->dst, 16)))
		return "the addresses differ from the whole packet's";
	if (both & (XF_HAVE_PORTS | XF_HAVE_ICMP) &&
	    (part->proto != whole->proto || part->sport != whole->sport ||
	     part->dport != whole->dport))
		return "layer 4 differs from the whole packet's";
	if (both & XF_HAVE_FRAG &&
	    (part->frag_id != whole->frag_id || part->frag_off != whole->frag_off))
		return "the fragment differs from the whole packet's";
	if (both & XF_HAVE_TCP_FLAGS && part->tcp_flags != whole->tcp_flags)
		return "the TCP flags differ from the whole packet's";
	return NULL;
}

static void every_beginning_is_consistent(void **state)
{
	struct xf_fixture *fix = *state;
	struct xf_record rec, ref;
	const char *why;

	fix->bad = 0;
	for (size_t i = 0; i < fix->packets.n; i++) {
		const struct xf_packet *packet = &fix->packets.list[i];

		for (size_t len = SMALLEST; len <= packet->len; len++) {
			if (!xf_fixture_run(fix, packet->name, packet->bytes, len, &rec))
				continue;
			why = part_is_wrong(packet, len, &rec);
			if (why)
				xf_complain(fix, packet->name, packet->bytes, len, why);
			xf_ref_parse(packet->bytes, len, &ref);
			xf_fixture_compare(fix, packet->name, packet->bytes, &ref, &rec);
		}
	}
	assert_int_equal(fix->bad, 0);
}

/* All packets of the tests above went into the ring. */
static void all_were_submitted(void **state)
{
	struct xf_fixture *fix = *state;
	struct xf_counters sum;
	uint64_t given = fix->packets.n;

	for (size_t i = 0; i < fix->packets.n; i++)
		given += fix->packets.list[i].len - SMALLEST + 1;
	xf_harness_count(&fix->harness, &sum);
	assert_int_equal(sum.submitted, given);
	assert_int_equal(xf_counters_seen(&sum), given);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reference_agrees_with_table),
		cmocka_unit_test(record_is_the_tables),
		cmocka_unit_test(every_beginning_is_consistent),
		cmocka_unit_test(all_were_submitted),
	};
	const char *why = xf_harness_refusal();

	if (why)
		return xf_skip_all(why);
	return cmocka_run_group_tests(tests, xf_fixture_set_up, xf_fixture_tear_down);
}
