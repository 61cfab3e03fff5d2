/* SPDX-License-Identifier: GPL-2.0-only */
/* Parts of a line that the text and the JSON format share. Functions that write return the end. */
#ifndef XF_OUT_COMMON_H
#define XF_OUT_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/addr.h"
#include "loader/format/format.h"

#define XF_IFACE_MAX 15 /* bytes of an interface's name */

/* Append a string. Inlined, so that the length of a literal is a constant and the copy a few
 * stores. */
static inline __attribute__((always_inline)) char *put(char *out, const char *text)
{
	size_t len = strlen(text);

	memcpy(out, text, len);
	return out + len;
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

/* Returns the bytes of the UTF-8 sequence at @s if it is well-formed, else 0. @s ends with a NUL.
 */
size_t xf_utf8_len(const uint8_t *s);
/* Whether the character is printable: not a control character of ASCII, nor (as UTF-8) one of the
 * C1 set, which terminals obey as well. @utf8_len is from xf_utf8_len(). */
bool xf_is_printable(const uint8_t *s, size_t utf8_len);
char *xf_hex_byte(char *out, uint8_t byte);

#endif
