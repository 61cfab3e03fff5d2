// SPDX-License-Identifier: GPL-2.0-only
/* The logger and tshark agree on each packet of the table.
 *
 * tshark's fields are read in their order and made into a record. It differs from ours by these
 * rules only:
 * - tshark reads on where we stop: at the fifth tag or label, at the ninth extension header, at the
 * old tag 0x9100, at a version that is not the EtherType's, at ICMP in IPv6 and ICMPv6 in IPv4, at
 * extension headers in IPv4, and at ARP for IPv4 over something else than Ethernet.
 * - tshark stops where we read on: at the mobility and HIP headers, which it takes for the last,
 * and at a wrong length of the IPv4 header, where it does not even show the addresses.
 * - tshark shows what follows an extension header also when that one is longer than the packet.
 * - Whether a packet is malformed: tshark judges all of it, we only what a record holds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/prog/logger/fixture.h"

#define COMMAND                                                                                    \
	"tshark -n -o ip.defragment:FALSE -o ipv6.defragment:FALSE -o "                            \
	"tcp.desegment_tcp_streams:FALSE "                                                         \
	"-T pdml -r %s 2>/dev/null"

/* The fields of one packet so far. */
struct says {
	struct xf_record rec;
	unsigned int labels;
	bool stop; /* the logger has stopped here, tshark may go on */
	bool bad_ihl;
	unsigned int exts;
	uint8_t proto_before; /* the last extension header's own number */
	unsigned int ext_at;  /* where that header begins */
	uint16_t ip_id;
	unsigned int arp_hw_len;
};

/* One field of tshark's: its text, its bytes in hexadecimal, and its place in the packet. */
struct field {
	char name[64];
	char show[64];
	char value[64];
	unsigned int pos;
};

struct rule {
	const char *name;
	void (*take)(struct says *says, const struct rule *rule, const struct field *field);
	size_t offset; /* in the record */
	size_t size;
	uint32_t have;	 /* is then set */
	uint32_t within; /* must be set already, or the field is ignored */
};

static unsigned long number(const struct field *field)
{
	return strtoul(field->show, NULL, 0);
}

static void take_number(struct says *says, const struct rule *rule, const struct field *field)
{
	unsigned long value = number(field);

	memcpy((char *)&says->rec + rule->offset, &value,
	       rule->size); /* little-endian, as all of this */
	says->rec.have |= rule->have;
}

static void take_bytes(struct says *says, const struct rule *rule, const struct field *field)
{
	uint8_t *to = (uint8_t *)&says->rec + rule->offset;

	for (size_t i = 0; i < rule->size; i++)
		sscanf(field->value + 2 * i, "%2hhx", &to[i]);
	says->rec.have |= rule->have;
}

static void take_type(struct says *says, const struct rule *rule, const struct field *field)
{
	take_number(says, rule, field);
	if (says->rec.eth_type == 0x9100)
		says->stop = true;
}

static void take_tag(struct says *says, const struct rule *rule, const struct field *field)
{
	/* tshark takes two provider tags in a row for one header, and shows no type between them.
	 */
	if (!strcmp(rule->name, "ieee8021ad.cvid"))
		says->rec.eth_type = 0x88a8;
	if (says->rec.vlans == XF_MAX_VLANS) {
		says->rec.have |= XF_TRUNCATED;
		says->stop = true;
		return;
	}
	says->rec.vlan[says->rec.vlans++] = number(field);
}

static void take_label(struct says *says, const struct rule *rule, const struct field *field)
{
	(void)rule;
	(void)field;
	if (says->labels++ < XF_MAX_LABELS)
		return;
	says->rec.have |= XF_TRUNCATED;
	says->stop = true;
}

static void take_version(struct says *says, const struct rule *rule, const struct field *field)
{
	uint16_t type = says->rec.eth_type;

	(void)rule;
	if ((type == 0x0800 && number(field) != 4) || (type == 0x86dd && number(field) != 6))
		says->stop = true;
}

static void take_bad_ihl(struct says *says, const struct rule *rule, const struct field *field)
{
	(void)rule;
	(void)field;
	says->bad_ihl = true;
}

static void take_ip_id(struct says *says, const struct rule *rule, const struct field *field)
{
	(void)rule;
	says->ip_id = number(field);
}

/* Offsets come in units of 8 bytes, for IPv4 and IPv6. */
static void take_frag_off(struct says *says, const struct rule *rule, const struct field *field)
{
	says->rec.frag_off = number(field) * 8;
	says->rec.have |= rule->have;
}

static void take_more(struct says *says, const struct rule *rule, const struct field *field)
{
	(void)rule;
	says->rec.have &= ~XF_HAVE_MORE_FRAGS;
	if (strcmp(field->show, "0") && strcmp(field->show, "False"))
		says->rec.have |= XF_HAVE_MORE_FRAGS;
}

static void take_ext(struct says *says, const struct rule *rule, const struct field *field)
{
	(void)rule;
	if (says->exts++ == XF_MAX_EXT_HDRS) {
		says->rec.have |= XF_TRUNCATED;
		says->stop = true;
		return;
	}
	says->proto_before = says->rec.proto;
	says->ext_at = field->pos;
	says->rec.proto = number(field);
}

static void ext_ends(struct says *says, unsigned long size)
{
	if (says->ext_at + size <= says->rec.len)
		return;
	says->rec.proto = says->proto_before;
	says->stop = true;
}

static void take_ext_len(struct says *says, const struct rule *rule, const struct field *field)
{
	(void)rule;
	ext_ends(says, number(field));
}

static void take_ah_len(struct says *says, const struct rule *rule, const struct field *field)
{
	(void)rule;
	ext_ends(says, (number(field) + 2) * 4);
}

static void take_arp_hw_len(struct says *says, const struct rule *rule, const struct field *field)
{
	(void)rule;
	says->arp_hw_len = number(field);
}

static void take_arp_address(struct says *says, const struct rule *rule, const struct field *field)
{
	if (says->arp_hw_len == 6)
		take_bytes(says, rule, field);
}

#define AT(member) offsetof(struct xf_record, member), sizeof(((struct xf_record *)0)->member)
#define SKIP 0, 0
#define IP4 XF_HAVE_IP4
#define IP6 XF_HAVE_IP6

static const struct rule rules[] = {
	{ "frame.len", take_number, AT(len), 0, 0 },
	{ "eth.dst", take_bytes, AT(eth_dst), XF_HAVE_ETH, 0 },
	{ "eth.src", take_bytes, AT(eth_src), XF_HAVE_ETH, 0 },
	{ "eth.type", take_type, AT(eth_type), 0, 0 },
	{ "eth.len", take_type, AT(eth_type), 0, 0 },
	{ "eth.invalid_lentype", take_type, AT(eth_type), 0, 0 },
	{ "llc.dsap", take_number, AT(llc_dsap), 0, 0 },
	{ "llc.ssap", take_number, AT(llc_ssap), XF_HAVE_LLC, 0 },
	{ "llc.oui", take_number, AT(snap_oui), 0, 0 },
	{ "llc.type", take_number, AT(snap_type), XF_HAVE_SNAP, 0 },
	{ "llc.cisco_pid", take_number, AT(snap_type), XF_HAVE_SNAP, 0 },
	{ "vlan.etype", take_type, AT(eth_type), 0, 0 },
	{ "vlan.len", take_type, AT(eth_type), 0, 0 },
	{ "ieee8021ah.etype", take_type, AT(eth_type), 0, 0 },
	{ "vlan.id", take_tag, SKIP, 0, 0 },
	{ "ieee8021ad.id", take_tag, SKIP, 0, 0 },
	{ "ieee8021ad.svid", take_tag, SKIP, 0, 0 },
	{ "ieee8021ad.cvid", take_tag, SKIP, 0, 0 },
	{ "mpls.label", take_label, SKIP, 0, 0 },
	{ "arp.hw.size", take_arp_hw_len, SKIP, 0, 0 },
	{ "arp.opcode", take_number, AT(arp_op), XF_HAVE_ARP, 0 },
	{ "arp.src.proto_ipv4", take_arp_address, offsetof(struct xf_record, src), 4,
	  XF_HAVE_ARP_IP4, 0 },
	{ "arp.dst.proto_ipv4", take_arp_address, offsetof(struct xf_record, dst), 4,
	  XF_HAVE_ARP_IP4, 0 },
	{ "ip.version", take_version, SKIP, 0, 0 },
	{ "ipv6.version", take_version, SKIP, 0, 0 },
	{ "ip.bogus_header_length", take_bad_ihl, SKIP, 0, 0 },
	{ "ip.bogus_ip_length", take_bad_ihl, SKIP, 0, 0 },
	{ "ip.src", take_bytes, offsetof(struct xf_record, src), 4, IP4, 0 },
	{ "ip.dst", take_bytes, offsetof(struct xf_record, dst), 4, IP4, 0 },
	{ "ip.proto", take_number, AT(proto), IP4, 0 },
	{ "ip.id", take_ip_id, SKIP, 0, 0 },
	{ "ip.flags.mf", take_more, SKIP, 0, 0 },
	{ "ip.frag_offset", take_frag_off, SKIP, 0, 0 },
	{ "ipv6.src", take_bytes, AT(src), IP6, 0 },
	{ "ipv6.dst", take_bytes, AT(dst), IP6, 0 },
	{ "ipv6.nxt", take_number, AT(proto), IP6, 0 },
	{ "ipv6.hopopts.nxt", take_ext, SKIP, 0, IP6 },
	{ "ipv6.routing.nxt", take_ext, SKIP, 0, IP6 },
	{ "ipv6.dstopts.nxt", take_ext, SKIP, 0, IP6 },
	{ "ipv6.fraghdr.nxt", take_ext, SKIP, 0, IP6 },
	{ "ah.next_header", take_ext, SKIP, 0, IP6 },
	{ "shim6.nxt", take_ext, SKIP, 0, IP6 },
	{ "ipv6.hopopts.len_oct", take_ext_len, SKIP, 0, IP6 },
	{ "ipv6.routing.len_oct", take_ext_len, SKIP, 0, IP6 },
	{ "ipv6.dstopts.len_oct", take_ext_len, SKIP, 0, IP6 },
	{ "shim6.len_oct", take_ext_len, SKIP, 0, IP6 },
	{ "ah.length", take_ah_len, SKIP, 0, IP6 },
	{ "ipv6.fraghdr.offset", take_frag_off, SKIP, XF_HAVE_FRAG, IP6 },
	{ "ipv6.fraghdr.more", take_more, SKIP, 0, IP6 },
	{ "ipv6.fraghdr.ident", take_number, AT(frag_id), 0, IP6 },
	{ "tcp.srcport", take_number, AT(sport), 0, 0 },
	{ "tcp.dstport", take_number, AT(dport), XF_HAVE_PORTS, 0 },
	{ "tcp.flags", take_number, AT(tcp_flags), XF_HAVE_TCP_FLAGS,
	  0 }, /* the low eight of tshark's twelve */
	{ "udp.srcport", take_number, AT(sport), 0, 0 },
	{ "udp.dstport", take_number, AT(dport), XF_HAVE_PORTS, 0 },
	{ "sctp.srcport", take_number, AT(sport), 0, 0 },
	{ "sctp.dstport", take_number, AT(dport), XF_HAVE_PORTS, 0 },
	{ "icmp.type", take_number, AT(icmp_type), XF_HAVE_ICMP, IP4 },
	{ "icmp.code", take_number, AT(icmp_code), XF_HAVE_ICMP, IP4 },
	{ "icmpv6.type", take_number, AT(icmp_type), XF_HAVE_ICMP, IP6 },
	{ "icmpv6.code", take_number, AT(icmp_code), XF_HAVE_ICMP, IP6 },
};

static void take_field(struct says *says, const struct field *field)
{
	if (says->stop)
		return;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (!strcmp(rules[i].name, field->name) && !(rules[i].within & ~says->rec.have))
			rules[i].take(says, &rules[i], field);
}

/* Copy an attribute's text, cut at the size of @to, because no field of a record is longer. */
static void read_attribute(const char *line, const char *start, char *to, size_t size)
{
	const char *from = strstr(line, start);
	size_t len;

	to[0] = '\0';
	if (!from)
		return;
	from += strlen(start);
	len = strcspn(from, "\"");
	snprintf(to, size, "%.*s", (int)len, from);
}

/* tshark writes one field a line. */
static void take_line(struct says *says, const char *line)
{
	struct field field;
	char pos[16];

	read_attribute(line, "<field name=\"", field.name, sizeof(field.name));
	if (!field.name[0])
		return;
	read_attribute(line, " show=\"", field.show, sizeof(field.show));
	read_attribute(line, " value=\"", field.value, sizeof(field.value));
	read_attribute(line, " pos=\"", pos, sizeof(pos));
	field.pos = strtoul(pos, NULL, 10);
	take_field(says, &field);
}

/* Apply the rules about both records, then compare them. */
static void compare(struct xf_fixture *fix, const struct xf_packet *packet, struct says *says,
		    struct xf_record ours)
{
	struct xf_record *theirs = &says->rec;

	if (theirs->have & XF_HAVE_IP4 && (theirs->frag_off || theirs->have & XF_HAVE_MORE_FRAGS)) {
		theirs->have |= XF_HAVE_FRAG;
		theirs->frag_id = says->ip_id;
	}
	/* tshark reads more than the length says. */
	if (theirs->have & XF_HAVE_LLC && theirs->eth_type < 3) {
		theirs->have &= ~XF_HAVE_LLC;
		theirs->llc_dsap = theirs->llc_ssap = 0;
	}
	if (says->bad_ihl && ours.have == (XF_HAVE_ETH | XF_HAVE_IP4 | XF_TRUNCATED)) {
		ours.have &= ~XF_HAVE_IP4;
		ours.proto = 0;
		memset(ours.src, 0, sizeof(ours.src));
		memset(ours.dst, 0, sizeof(ours.dst));
	}
	if (theirs->have & XF_HAVE_IP6 && (theirs->proto == 135 || theirs->proto == 139)) {
		theirs->proto = ours.proto;
		theirs->have |= ours.have & (XF_HAVE_PORTS | XF_HAVE_TCP_FLAGS);
		theirs->sport = ours.sport;
		theirs->dport = ours.dport;
		theirs->tcp_flags = ours.tcp_flags;
	}
	theirs->have |= ours.have & XF_TRUNCATED;
	xf_fixture_compare(fix, packet->name, packet->bytes, theirs, &ours);
}

static void write_capture(const struct xf_packets *packets, int fd)
{
	const uint32_t head[] = {
		0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, 1
	}; /* version 2.4, Ethernet */
	FILE *file = fdopen(fd, "w");

	assert_non_null(file);
	fwrite(head, sizeof(head), 1, file);
	for (size_t i = 0; i < packets->n; i++) {
		const uint32_t len = packets->list[i].len;
		const uint32_t packet[] = { i, 0, len, len };

		fwrite(packet, sizeof(packet), 1, file);
		fwrite(packets->list[i].bytes, len, 1, file);
	}
	assert_int_equal(fclose(file), 0);
}

/* Run the program on a packet, and compare its record. */
static void run_one(struct xf_fixture *fix, const struct xf_packet *packet, struct xf_record *rec)
{
	if (!xf_fixture_run(fix, packet->name, packet->bytes, packet->len, rec))
		memset(rec, 0, sizeof(*rec));
}

static void records_are_what_tshark_says(void **state)
{
	struct xf_fixture *fix = *state;
	char path[] = P_tmpdir "/xdpfun-test-XXXXXX";
	char command[sizeof(COMMAND) + sizeof(path)];
	struct says says = { 0 };
	struct xf_record ours;
	char *line = NULL;
	size_t size = 0, n = 0;
	FILE *tshark;

	write_capture(&fix->packets, mkstemp(path));
	snprintf(command, sizeof(command), COMMAND, path);
	tshark = popen(command, "r");
	assert_non_null(tshark);
	while (getline(&line, &size, tshark) > 0) {
		if (strstr(line, "<packet>"))
			memset(&says, 0, sizeof(says));
		take_line(&says, line);
		if (!strstr(line, "</packet>") || n == fix->packets.n)
			continue;
		run_one(fix, &fix->packets.list[n], &ours);
		compare(fix, &fix->packets.list[n++], &says, ours);
	}
	free(line);
	unlink(path);
	assert_int_equal(pclose(tshark), 0);
	assert_int_equal(n, fix->packets.n);
	assert_int_equal(fix->bad, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_are_what_tshark_says),
	};
	const char *why = xf_harness_refusal();

	if (!why && system("command -v tshark >/dev/null"))
		why = "tshark is not installed";
	if (why)
		return xf_skip_all(why);
	return cmocka_run_group_tests(tests, xf_fixture_set_up, xf_fixture_tear_down);
}
