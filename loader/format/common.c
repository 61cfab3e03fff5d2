// SPDX-License-Identifier: GPL-2.0-only
/* Parts of a line that the text and the JSON format share. */
#include "loader/format/common.h"

#include <time.h>

#include "lib/protocols.h"

/* Other protocols, among them extension headers of IPv6, are written as numbers. */
static const struct {
	char text[8]; /* with its NUL */
	uint8_t len;
} protos[256] = {
#define PROTO(number, name) [number] = { name, sizeof(name) - 1 },
	XF_PROTOCOLS(PROTO)
#undef PROTO
};

const char *xf_proto_name(uint8_t proto)
{
	return protos[proto].len ? protos[proto].text : NULL;
}

char *xf_proto_text(char *out, uint8_t proto)
{
	memcpy(out, protos[proto].text, sizeof(protos[proto].text));
	return out + protos[proto].len;
}

char *xf_tcp_flags_text(char *out, uint8_t flags)
{
	static const char letters[8] = "FSRP.UEW";

	if (!flags)
		return put(out, "none");
	for (; flags; flags &= flags - 1)
		*out++ = letters[__builtin_ctz(flags)];
	return out;
}

static char *addr_text(char *out, const struct xf_record *rec, const uint8_t *addr)
{
	if (rec->have & (XF_HAVE_IP4 | XF_HAVE_ARP_IP4))
		return xf_ip4_text(out, addr);
	return xf_ip6_text(out, addr);
}

char *xf_src_text(char *out, const struct xf_record *rec)
{
	return addr_text(out, rec, rec->src);
}

char *xf_dst_text(char *out, const struct xf_record *rec)
{
	return addr_text(out, rec, rec->dst);
}

char *xf_oui_text(char *out, uint32_t oui)
{
	out = xf_hex_byte(out, oui >> 16);
	*out++ = ':';
	out = xf_hex_byte(out, oui >> 8 & 0xff);
	*out++ = ':';
	return xf_hex_byte(out, oui & 0xff);
}

char *xf_vlans_text(char *out, const struct xf_record *rec)
{
	for (int i = 0; i < rec->vlans && i < XF_MAX_VLANS; i++) {
		if (i)
			*out++ = ',';
		out = xf_u64_text(out, rec->vlan[i]);
	}
	return out;
}

static char *date_text(char *out, const struct tm *tm)
{
	out = xf_padded_text(out, tm->tm_year + 1900, 4);
	*out++ = '-';
	out = xf_padded_text(out, tm->tm_mon + 1, 2);
	*out++ = '-';
	return xf_padded_text(out, tm->tm_mday, 2);
}

static char *clock_text(char *out, const struct tm *tm)
{
	out = xf_padded_text(out, tm->tm_hour, 2);
	*out++ = ':';
	out = xf_padded_text(out, tm->tm_min, 2);
	*out++ = ':';
	return xf_padded_text(out, tm->tm_sec, 2);
}

char *xf_local_time_text(char *out, int64_t second, bool date)
{
	time_t when = second;
	struct tm tm = { 0 };

	localtime_r(&when, &tm);
	if (date) {
		out = date_text(out, &tm);
		*out++ = ' ';
	}
	return clock_text(out, &tm);
}

char *xf_utc_time_text(char *out, int64_t second)
{
	time_t when = second;
	struct tm tm = { 0 };

	gmtime_r(&when, &tm);
	out = date_text(out, &tm);
	*out++ = 'T';
	return clock_text(out, &tm);
}
