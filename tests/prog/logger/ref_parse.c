// SPDX-License-Identifier: GPL-2.0-only
/* The reference parser, which reads byte by byte and disregards speed. */
#include <stdbool.h>
#include <string.h>

#include "tests/prog/logger/ref_parse.h"

/* A packet, and how far it has been read. */
struct reader {
	const uint8_t *bytes;
	size_t len;
	size_t at;
	size_t datagram; /* layer 4: bytes that are left of the datagram; what follows is padding */
	bool unread;	 /* headers that end elsewhere, or tags */
	bool first;	 /* a first fragment, by any of its headers */
	bool as_linux;	 /* walk over what Linux walks over */
};

static bool has(const struct reader *in, size_t n)
{
	return in->len - in->at >= n;
}

static bool datagram_has(const struct reader *in, size_t n)
{
	return has(in, n) && in->datagram >= n;
}

static unsigned int byte_at(const struct reader *in, size_t offset)
{
	return in->bytes[in->at + offset];
}

static unsigned int word_at(const struct reader *in, size_t offset)
{
	return byte_at(in, offset) << 8 | byte_at(in, offset + 1);
}

static void truncated(struct xf_record *rec)
{
	rec->have |= XF_TRUNCATED;
}

/* RFC 9293, 768, 3828, 9260: all begin with the two ports. */
static void read_ports(const struct reader *in, struct xf_record *rec)
{
	if (!datagram_has(in, 4)) {
		truncated(rec);
		return;
	}
	rec->sport = word_at(in, 0);
	rec->dport = word_at(in, 2);
	rec->have |= XF_HAVE_PORTS;
}

static void read_tcp(const struct reader *in, struct xf_record *rec)
{
	read_ports(in, rec);
	if (!datagram_has(in, 14)) {
		truncated(rec);
		return;
	}
	rec->tcp_flags = byte_at(in, 13);
	rec->have |= XF_HAVE_TCP_FLAGS;
}

/* RFC 792 and 4443. */
static void read_icmp(const struct reader *in, struct xf_record *rec)
{
	if (!datagram_has(in, 2)) {
		truncated(rec);
		return;
	}
	rec->icmp_type = byte_at(in, 0);
	rec->icmp_code = byte_at(in, 1);
	rec->have |= XF_HAVE_ICMP;
}

/* Whether this is a first fragment, and fields that rules need are in the second. */
static bool is_cut(const struct reader *in, const struct xf_record *rec)
{
	if (!in->first)
		return false;
	if (rec->proto == 6)
		return !(rec->have & XF_HAVE_TCP_FLAGS);
	return (rec->proto == 17 || rec->proto == 132) && !(rec->have & XF_HAVE_PORTS);
}

static void read_layer4(struct reader *in, struct xf_record *rec)
{
	bool ip6 = rec->have & XF_HAVE_IP6;

	if (rec->frag_off != 0) { /* what follows is from the middle of the datagram */
		in->unread = in->first;
		return;
	}
	if (rec->proto == 6)
		read_tcp(in, rec);
	else if (rec->proto == 17 || rec->proto == 136 || rec->proto == 132)
		read_ports(in, rec);
	else if ((rec->proto == 1 && !ip6) || (rec->proto == 58 && ip6))
		read_icmp(in, rec);
	else if (rec->proto == 2 && !ip6 &&
		 in->as_linux) /* IGMP begins with a type and a code, too */
		read_icmp(in, rec);
	in->unread = is_cut(in, rec);
}

/* RFC 791 */
static void read_ip4(struct reader *in, struct xf_record *rec)
{
	const struct reader start = *in;
	unsigned int header;
	bool more;

	if (!has(in, 20) || byte_at(in, 0) / 16 != 4) {
		truncated(rec);
		return;
	}
	header = byte_at(in, 0) % 16 * 4;
	rec->proto = byte_at(in, 9);
	memcpy(rec->src, in->bytes + in->at + 12, 4);
	memcpy(rec->dst, in->bytes + in->at + 16, 4);
	rec->have |= XF_HAVE_IP4;

	more = byte_at(in, 6) & 0x20;
	rec->frag_off = (byte_at(in, 6) % 32 * 256 + byte_at(in, 7)) * 8;
	in->first = more && rec->frag_off == 0;
	if (more)
		rec->have |= XF_HAVE_MORE_FRAGS;
	if (more || rec->frag_off) {
		rec->have |= XF_HAVE_FRAG;
		rec->frag_id = word_at(in, 4);
	}
	if (header < 20 || !has(in, header)) {
		truncated(rec);
		return;
	}
	in->at += header;
	/* 0: longer than the field can say */
	if (word_at(&start, 2) != 0)
		in->datagram = word_at(&start, 2) > header ? word_at(&start, 2) - header : 0;
	read_layer4(in, rec);
}

/* Bytes of the extension header with number @proto whose length byte is @len; 0 when it is none. */
static unsigned int ext_size(const struct reader *in, unsigned int proto, unsigned int len)
{
	if (in->as_linux && (proto == 51 || proto == 135 || proto == 139 || proto == 140))
		return 0;
	switch (proto) {
	case 0:	  /* hop-by-hop options, RFC 8200 */
	case 43:  /* routing */
	case 60:  /* destination options */
	case 135: /* mobility, RFC 6275 */
	case 139: /* host identity protocol, RFC 7401 */
	case 140: /* shim6, RFC 5533 */
		return (len + 1) * 8;
	case 44: /* fragment, RFC 8200: has no length */
		return 8;
	case 51: /* authentication, RFC 4302: 32-bit words, minus 2 */
		return (len + 2) * 4;
	}
	return 0;
}

/* RFC 8200, section 4.5 */
static void read_frag(const struct reader *in, struct xf_record *rec)
{
	rec->frag_off = word_at(in, 2) / 8 * 8;
	rec->frag_id = word_at(in, 4) << 16 | word_at(in, 6);
	rec->have |= XF_HAVE_FRAG;
	rec->have &= ~XF_HAVE_MORE_FRAGS;
	if (byte_at(in, 3) & 1)
		rec->have |= XF_HAVE_MORE_FRAGS;
}

/* Pass over the extension headers. Returns false when parsing ends here. */
static bool read_ext(struct reader *in, struct xf_record *rec)
{
	int seen = 0;

	while (ext_size(in, rec->proto, 0) != 0) {
		unsigned int size, next;

		if (rec->frag_off != 0)
			return true;
		in->unread = seen++ == XF_MAX_EXT_HDRS || !has(in, 8);
		if (in->unread) {
			truncated(rec);
			return false;
		}
		next = byte_at(in, 0);
		size = ext_size(in, rec->proto, byte_at(in, 1));
		if (rec->proto == 44)
			read_frag(in, rec);
		in->first |=
		    rec->proto == 44 && rec->frag_off == 0 && rec->have & XF_HAVE_MORE_FRAGS;
		if (!has(in, size)) {
			in->unread = true;
			truncated(rec);
			return false;
		}
		in->at += size;
		rec->proto = next;
	}
	return true;
}

/* RFC 2675. Linux takes a payload length of 0 for a jumbogram's when any hop-by-hop options follow,
 * and newer kernels send what is longer than 65,535 bytes without them. */
static bool is_jumbo(const struct reader *in, uint8_t next)
{
	if (next != 0)
		return in->len - in->at > 65535;
	return in->as_linux || (has(in, 3) && byte_at(in, 2) == 0xc2);
}

/* RFC 8200 */
static void read_ip6(struct reader *in, struct xf_record *rec)
{
	const struct reader start = *in;
	bool behind = false; /* an extension header is in the padding */
	size_t payload;

	if (!has(in, 40) || byte_at(in, 0) / 16 != 6) {
		truncated(rec);
		return;
	}
	rec->proto = byte_at(in, 6);
	memcpy(rec->src, in->bytes + in->at + 8, 16);
	memcpy(rec->dst, in->bytes + in->at + 24, 16);
	rec->have |= XF_HAVE_IP6;
	in->at += 40;
	payload = in->at;
	if (word_at(&start, 4) == 0 && !is_jumbo(in, rec->proto)) {
		in->unread = ext_size(in, rec->proto, 0) != 0;
		if (rec->proto != 59) /* no next header */
			truncated(rec);
		return;
	}
	if (!read_ext(in, rec))
		return;
	/* 0: longer than the field can say */
	if (word_at(&start, 4) != 0) {
		size_t used = in->at - payload;

		in->datagram = word_at(&start, 4) > used ? word_at(&start, 4) - used : 0;
		behind = rec->frag_off == 0 && used > word_at(&start, 4);
	}
	read_layer4(in, rec);
	in->unread |= behind;
}

/* RFC 826 */
static void read_arp(const struct reader *in, struct xf_record *rec)
{
	if (!has(in, 8)) {
		truncated(rec);
		return;
	}
	rec->arp_op = word_at(in, 6);
	rec->have |= XF_HAVE_ARP;
	if (word_at(in, 2) != 0x0800 || byte_at(in, 4) != 6 || byte_at(in, 5) != 4)
		return;
	if (!has(in, 28)) {
		truncated(rec);
		return;
	}
	memcpy(rec->src, in->bytes + in->at + 14, 4);
	memcpy(rec->dst, in->bytes + in->at + 24, 4);
	rec->have |= XF_HAVE_ARP_IP4;
}

/* IEEE 802.3, 802.2: what is behind the length is no part of the frame. */
static void read_llc(const struct reader *in, struct xf_record *rec)
{
	if (!has(in, 3) || rec->eth_type < 3) {
		truncated(rec);
		return;
	}
	rec->llc_dsap = byte_at(in, 0);
	rec->llc_ssap = byte_at(in, 1);
	rec->have |= XF_HAVE_LLC;
	if (rec->llc_dsap != 0xaa || rec->llc_ssap != 0xaa)
		return;
	if (!has(in, 8) || rec->eth_type < 8) {
		truncated(rec);
		return;
	}
	rec->snap_oui = byte_at(in, 3) << 16 | word_at(in, 4);
	rec->snap_type = word_at(in, 6);
	rec->have |= XF_HAVE_SNAP;
}

/* IEEE 802.1Q; 0x88a8 is the tag of a provider bridge. Returns false when parsing ends here. */
static bool read_tags(struct reader *in, struct xf_record *rec)
{
	while (rec->eth_type == 0x8100 || rec->eth_type == 0x88a8) {
		in->unread = rec->vlans == XF_MAX_VLANS;
		if (in->unread || !has(in, 4)) {
			truncated(rec);
			return false;
		}
		rec->vlan[rec->vlans++] = word_at(in, 0) % 4096;
		rec->eth_type = word_at(in, 2);
		in->at += 4;
	}
	return true;
}

/* RFC 2516, RFC 1661 (6.5: a number in one byte is odd), RFC 1332, RFC 5072. */
static int read_pppoe(struct reader *in)
{
	unsigned int ppp;

	if (!has(in, 8))
		return -1;
	in->at += 6;
	if (byte_at(in, 0) % 2) {
		ppp = byte_at(in, 0);
		in->at += 1;
	} else {
		ppp = word_at(in, 0);
		in->at += 2;
	}
	if (ppp == 0x21)
		return 0x0800;
	if (ppp == 0x57)
		return 0x86dd;
	in->unread = ppp < 0x8000; /* all that is not control may have IP in it */
	return 0x8864;
}

/* The EtherType of what is behind the tags: IP in a PPPoE session or behind labels (RFC 3032; what
 * their end does not say, the first bits do, RFC 4928). Returns -1 when parsing ends here. */
static int read_shim(struct reader *in, struct xf_record *rec)
{
	bool more = true;

	if (rec->eth_type == 0x8864)
		return read_pppoe(in);
	if (rec->eth_type != 0x8847 && rec->eth_type != 0x8848)
		return rec->eth_type;
	for (int labels = 0; more; labels++, in->at += 4) {
		in->unread = labels == XF_MAX_LABELS;
		if (in->unread || !has(in, 4))
			return -1;
		more = byte_at(in, 2) % 2 == 0;
	}
	if (!has(in, 1))
		return -1;
	if (byte_at(in, 0) / 16 == 4)
		return 0x0800;
	return byte_at(in, 0) / 16 == 6 ? 0x86dd : rec->eth_type;
}

static bool parse(struct reader in, struct xf_record *rec)
{
	const uint8_t *bytes = in.bytes;
	int type;

	memset(rec, 0, sizeof(*rec));
	rec->len = in.len;
	if (!has(&in, 14)) {
		truncated(rec);
		return false;
	}
	memcpy(rec->eth_dst, bytes, 6);
	memcpy(rec->eth_src, bytes + 6, 6);
	rec->eth_type = word_at(&in, 12);
	rec->have |= XF_HAVE_ETH;
	in.at = 14;
	if (!read_tags(&in, rec))
		return in.unread;
	type = read_shim(&in, rec);
	if (type < 0)
		truncated(rec);
	else if (type == 0x0800)
		read_ip4(&in, rec);
	else if (type == 0x86dd)
		read_ip6(&in, rec);
	else if (rec->eth_type == 0x0806)
		read_arp(&in, rec);
	else if (rec->eth_type <= 1500)
		read_llc(&in, rec);
	return in.unread;
}

void xf_ref_parse(const uint8_t *bytes, size_t len, struct xf_record *rec)
{
	parse((struct reader) { .bytes = bytes, .len = len, .datagram = SIZE_MAX }, rec);
}

bool xf_ref_parse_fw(const uint8_t *bytes, size_t len, struct xf_record *rec)
{
	return parse(
	    (struct reader) { .bytes = bytes, .len = len, .datagram = SIZE_MAX, .as_linux = true },
	    rec);
}
