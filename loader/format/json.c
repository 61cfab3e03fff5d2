// SPDX-License-Identifier: GPL-2.0-only
/* Turns one record into a JSON object on a line. */
#include "lib/time.h"
#include "loader/format/common.h"

static void cache_second(struct xf_out_cache *cache, int64_t second)
{
	char *at = put(cache->text, "{\"time\":\"");

	at = xf_utc_time_text(at, second);
	*at++ = '.';
	cache->text_len = at - cache->text;
	cache->second = second;
}

static char *put_time(char *out, struct xf_out_cache *cache, uint64_t wall_ns)
{
	int64_t second = wall_ns / XF_NSEC;

	if (cache->second != second || !cache->text_len)
		cache_second(cache, second);
	out = put_second(out, cache);
	return xf_padded_text(out, wall_ns % XF_NSEC, 9);
}

char *xf_json_name(char *out, const char *iface)
{
	return xf_json_escape(out, XF_JSON_NAME_MAX, iface, XF_IFACE_MAX);
}

static char *put_vlans(char *out, const struct xf_record *rec)
{
	out = put(out, ",\"vlan\":[");
	out = xf_vlans_text(out, rec);
	*out++ = ']';
	return out;
}

/* An 802.3 frame. */
static char *put_llc(char *out, const struct xf_record *rec)
{
	out = put_number(out, ",\"len_802_3\":", rec->eth_type);
	if (rec->have & XF_HAVE_LLC) {
		out = put_number(out, ",\"llc_dsap\":", rec->llc_dsap);
		out = put_number(out, ",\"llc_ssap\":", rec->llc_ssap);
	}
	if (rec->have & XF_HAVE_SNAP) {
		out = put(out, ",\"snap_oui\":\"");
		out = xf_oui_text(out, rec->snap_oui);
		out = put_number(out, "\",\"snap_type\":", rec->snap_type);
	}
	return out;
}

static char *put_eth(char *out, const struct xf_record *rec)
{
	out = put(out, ",\"eth_src\":\"");
	out = xf_mac_text(out, rec->eth_src);
	out = put(out, "\",\"eth_dst\":\"");
	out = xf_mac_text(out, rec->eth_dst);
	*out++ = '"';
	if (rec->eth_type <= XF_ETH_LEN_MAX)
		out = put_llc(out, rec);
	else
		out = put_number(out, ",\"eth_type\":", rec->eth_type);
	return rec->vlans ? put_vlans(out, rec) : out;
}

static char *put_addrs(char *out, const struct xf_record *rec)
{
	out = put(out, ",\"src\":\"");
	out = xf_src_text(out, rec);
	out = put(out, "\",\"dst\":\"");
	out = xf_dst_text(out, rec);
	*out++ = '"';
	return out;
}

static char *put_proto(char *out, uint8_t proto)
{
	if (!xf_proto_name(proto))
		return put_number(out, ",\"proto\":", proto);
	out = put(out, ",\"proto\":\"");
	out = xf_proto_text(out, proto);
	*out++ = '"';
	return out;
}

static char *put_ports(char *out, const struct xf_record *rec)
{
	out = put_number(out, ",\"sport\":", rec->sport);
	return put_number(out, ",\"dport\":", rec->dport);
}

static char *put_tcp_flags(char *out, const struct xf_record *rec)
{
	out = put(out, ",\"tcp_flags\":\"");
	out = xf_tcp_flags_text(out, rec->tcp_flags);
	*out++ = '"';
	return out;
}

static char *put_icmp(char *out, const struct xf_record *rec)
{
	out = put_number(out, ",\"icmp_type\":", rec->icmp_type);
	return put_number(out, ",\"icmp_code\":", rec->icmp_code);
}

static char *put_frag(char *out, const struct xf_record *rec)
{
	out = put_number(out, ",\"frag_id\":", rec->frag_id);
	return put_number(out, ",\"frag_off\":", rec->frag_off);
}

static char *put_network(char *out, const struct xf_record *rec)
{
	if (rec->have & (XF_HAVE_IP4 | XF_HAVE_IP6 | XF_HAVE_ARP_IP4))
		out = put_addrs(out, rec);
	if (xf_have_ip(rec))
		out = put_proto(out, rec->proto);
	if (rec->have & XF_HAVE_PORTS)
		out = put_ports(out, rec);
	if (rec->have & XF_HAVE_TCP_FLAGS)
		out = put_tcp_flags(out, rec);
	if (rec->have & XF_HAVE_ICMP)
		out = put_icmp(out, rec);
	if (rec->have & XF_HAVE_ARP)
		out = put_number(out, ",\"arp_op\":", rec->arp_op);
	if (rec->have & XF_HAVE_FRAG)
		out = put_frag(out, rec);
	return out;
}

/* The text of a rule has no character that JSON escapes. */
static char *put_denied(char *out, const struct xf_line *line)
{
	if (line->denied == XF_DENIED_BY_POLICY)
		return put(out, ",\"denied_by\":\"policy\",\"rule\":null");
	if (line->denied == XF_DENIED_UNREAD)
		return put(out, ",\"denied_by\":\"unread\",\"rule\":null");
	out = put(out, ",\"denied_by\":\"rule\",\"rule\":");
	if (!line->rule)
		return put(out, "null");
	*out++ = '"';
	out = put(out, line->rule);
	*out++ = '"';
	return out;
}

char *xf_out_json(struct xf_out_cache *cache, const struct xf_line *line, char *out)
{
	const struct xf_record *rec = line->rec;

	out = put_time(out, cache, line->wall_ns);
	out = put(out, "Z\",\"iface\":\"");
	out = xf_json_name(out, line->iface);
	out = put_number(out, "\",\"rx_queue\":", rec->rx_queue);
	out = put_number(out, ",\"len\":", rec->len);
	if (rec->have & XF_HAVE_ETH)
		out = put_eth(out, rec);
	out = put_network(out, rec);
	if (rec->have & XF_HAVE_MORE_FRAGS)
		out = put(out, ",\"frag_more\":true");
	if (rec->have & XF_TRUNCATED)
		out = put(out, ",\"truncated\":true");
	if (line->denied)
		out = put_denied(out, line);
	return put(out, "}\n");
}
