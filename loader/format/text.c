// SPDX-License-Identifier: GPL-2.0-only
/* Turns one record into a line like tcpdump's. */
#include "lib/time.h"
#include "loader/format/common.h"

#define ARP_REQUEST 1
#define ARP_REPLY 2

static void cache_second(struct xf_out_cache *cache, int64_t second, bool date)
{
	char *at = xf_local_time_text(cache->text, second, date);

	*at++ = '.';
	cache->text_len = at - cache->text;
	cache->second = second;
}

static char *put_time(char *out, struct xf_out_cache *cache, uint64_t wall_ns, bool date)
{
	int64_t second = wall_ns / XF_NSEC;
	uint32_t ns = wall_ns % XF_NSEC;

	if (cache->second != second || !cache->text_len)
		cache_second(cache, second, date);
	out = put_second(out, cache);
	out = xf_padded_text(out, ns / 1000, 6);
	*out++ = ' ';
	return out;
}

static char *put_iface(char *out, const char *iface)
{
	out = xf_escape(out, iface, strnlen(iface, XF_IFACE_MAX), "");
	*out++ = ' ';
	return out;
}

static char *put_vlans(char *out, const struct xf_record *rec)
{
	out = put(out, "vlan ");
	out = xf_vlans_text(out, rec);
	*out++ = ' ';
	return out;
}

static char *put_end_point(char *out, const struct xf_record *rec, bool is_src)
{
	bool ports = rec->have & XF_HAVE_PORTS;
	bool brackets = ports && !(rec->have & XF_HAVE_IP4);

	if (brackets)
		*out++ = '[';
	out = is_src ? xf_src_text(out, rec) : xf_dst_text(out, rec);
	if (brackets)
		*out++ = ']';
	if (ports) {
		*out++ = ':';
		out = xf_u64_text(out, is_src ? rec->sport : rec->dport);
	}
	return out;
}

static char *put_proto(char *out, uint8_t proto)
{
	if (xf_proto_name(proto))
		out = xf_proto_text(out, proto);
	else
		out = put_number(out, "proto ", proto);
	*out++ = ' ';
	return out;
}

static char *put_icmp(char *out, const struct xf_record *rec)
{
	out = xf_u64_text(out, rec->icmp_type);
	*out++ = '/';
	out = xf_u64_text(out, rec->icmp_code);
	*out++ = ' ';
	return out;
}

static char *put_frag(char *out, const struct xf_record *rec)
{
	out = put_number(out, "frag ", rec->frag_id);
	*out++ = '@';
	out = xf_u64_text(out, rec->frag_off);
	if (rec->have & XF_HAVE_MORE_FRAGS)
		*out++ = '+';
	*out++ = ' ';
	return out;
}

static char *put_ip(char *out, const struct xf_record *rec)
{
	out = put_end_point(out, rec, true);
	out = put(out, " > ");
	out = put_end_point(out, rec, false);
	*out++ = ' ';
	out = put_proto(out, rec->proto);
	if (rec->have & XF_HAVE_TCP_FLAGS) {
		*out++ = '[';
		out = xf_tcp_flags_text(out, rec->tcp_flags);
		out = put(out, "] ");
	}
	if (rec->have & XF_HAVE_ICMP)
		out = put_icmp(out, rec);
	if (rec->have & XF_HAVE_FRAG)
		out = put_frag(out, rec);
	return out;
}

static char *put_arp(char *out, const struct xf_record *rec)
{
	bool addrs = rec->have & XF_HAVE_ARP_IP4;

	if (addrs && rec->arp_op == ARP_REQUEST) {
		out = put(out, "arp request ");
		out = xf_dst_text(out, rec);
		out = put(out, " tell ");
		out = xf_src_text(out, rec);
	} else if (addrs && rec->arp_op == ARP_REPLY) {
		out = put(out, "arp reply ");
		out = xf_src_text(out, rec);
		out = put(out, " is-at ");
		out = xf_mac_text(out, rec->eth_src);
	} else {
		out = put_number(out, "arp op ", rec->arp_op);
	}
	*out++ = ' ';
	return out;
}

static char *put_type(char *out, uint16_t type)
{
	out = put(out, "type 0x");
	out = xf_hex_byte(out, type >> 8);
	out = xf_hex_byte(out, type & 0xff);
	*out++ = ' ';
	return out;
}

/* An 802.3 frame. */
static char *put_llc(char *out, const struct xf_record *rec)
{
	out = put(out, "llc ");
	if (rec->have & XF_HAVE_LLC) {
		out = put(out, "dsap 0x");
		out = xf_hex_byte(out, rec->llc_dsap);
		out = put(out, " ssap 0x");
		out = xf_hex_byte(out, rec->llc_ssap);
		*out++ = ' ';
	}
	if (rec->have & XF_HAVE_SNAP) {
		out = put(out, "snap ");
		out = xf_oui_text(out, rec->snap_oui);
		*out++ = ' ';
		out = put_type(out, rec->snap_type);
	}
	return out;
}

static char *put_eth(char *out, const struct xf_record *rec)
{
	out = xf_mac_text(out, rec->eth_src);
	out = put(out, " > ");
	out = xf_mac_text(out, rec->eth_dst);
	*out++ = ' ';
	if (rec->eth_type <= XF_ETH_LEN_MAX)
		return put_llc(out, rec);
	return put_type(out, rec->eth_type);
}

static char *put_denied(char *out, const struct xf_line *line)
{
	if (line->denied == XF_DENIED_UNREAD)
		return put(out, " denied unread: more headers than are looked through");
	out = put(out, " denied by ");
	if (line->denied == XF_DENIED_BY_POLICY)
		return put(out, "the policy");
	return put(out, line->rule ?: "a rule that is gone");
}

static char *put_line(char *out, struct xf_out_cache *cache, const struct xf_line *line, bool date)
{
	const struct xf_record *rec = line->rec;

	out = put_time(out, cache, line->wall_ns, date);
	out = put_iface(out, line->iface);
	if (rec->have & XF_HAVE_ETH && rec->vlans)
		out = put_vlans(out, rec);
	if (xf_have_ip(rec))
		out = put_ip(out, rec);
	else if (rec->have & XF_HAVE_ARP)
		out = put_arp(out, rec);
	else if (rec->have & XF_HAVE_ETH)
		out = put_eth(out, rec);
	out = put_number(out, "len ", rec->len);
	if (rec->have & XF_TRUNCATED)
		out = put(out, " [truncated]");
	if (line->denied)
		out = put_denied(out, line);
	*out++ = '\n';
	return out;
}

char *xf_out_text(struct xf_out_cache *cache, const struct xf_line *line, char *out)
{
	return put_line(out, cache, line, false);
}

char *xf_out_dated_text(struct xf_out_cache *cache, const struct xf_line *line, char *out)
{
	return put_line(out, cache, line, true);
}
