/* SPDX-License-Identifier: GPL-2.0-only */
/* Parts of a line that the text and the JSON format share. Functions that write return the end. */
#ifndef XF_FORMAT_COMMON_H
#define XF_FORMAT_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/escape.h"
#include "loader/format/format.h"

/* Bytes of an interface's name, which may hold any byte but '/', ':' and white space. */
#define XF_IFACE_MAX 15

/* Append a string. Inlined, so that the length of a literal is a constant and the copy a few
 * stores. */
static inline __attribute__((always_inline)) char *put(char *out, const char *text)
{
	size_t len = strlen(text);

	memcpy(out, text, len);
	return out + len;
}

/* Append @before and the number @n. */
static inline __attribute__((always_inline)) char *put_number(char *out, const char *before,
							      uint64_t n)
{
	return xf_u64_text(put(out, before), n);
}

/* The text that the cache holds for @second; 32 bytes are written, more than it has, so that the
 * size is constant. */
static inline char *put_second(char *out, const struct xf_out_cache *cache)
{
	memcpy(out, cache->text, sizeof(cache->text));
	return out + cache->text_len;
}

static inline bool xf_have_ip(const struct xf_record *rec)
{
	return rec->have & (XF_HAVE_IP4 | XF_HAVE_IP6);
}

char *xf_src_text(char *out, const struct xf_record *rec);
char *xf_dst_text(char *out, const struct xf_record *rec);
char *xf_proto_text(char *out, uint8_t proto);
/* "00:00:0c". */
char *xf_oui_text(char *out, uint32_t oui);
/* The ids of the VLAN tags, as "7,12". */
char *xf_vlans_text(char *out, const struct xf_record *rec);

/* Seconds since the epoch as local time, "12:34:56", with the date "2026-11-30 12:34:56"; or in
 * UTC, "2026-11-30T12:34:56". */
char *xf_local_time_text(char *out, int64_t second, bool date);
char *xf_utc_time_text(char *out, int64_t second);

#endif
