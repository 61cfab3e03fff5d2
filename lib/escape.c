// SPDX-License-Identifier: GPL-2.0-only
/* Text from outside in a form that a terminal does not obey. */
#include "lib/escape.h"

#include <stdbool.h>
#include <string.h>

#define XF_UTF8_MAX 4 /* bytes of a character */

static bool is_tail(uint8_t byte)
{
	return (byte & 0xc0) == 0x80;
}

/* The second byte decides whether the sequence is overlong, a surrogate or beyond U+10FFFF. */
static bool second_is_valid(uint8_t first, uint8_t second)
{
	if (!is_tail(second))
		return false;
	switch (first) {
	case 0xe0:
		return second >= 0xa0;
	case 0xed:
		return second < 0xa0;
	case 0xf0:
		return second >= 0x90;
	case 0xf4:
		return second < 0x90;
	default:
		return true;
	}
}

/* Returns the bytes of the UTF-8 sequence at @s if it is well-formed, else 0. @s ends with a NUL.
 */
static size_t utf8_len(const uint8_t *s)
{
	size_t len;

	if (s[0] < 0x80)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4 || !second_is_valid(s[0], s[1]))
		return 0;
	len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	for (size_t i = 2; i < len; i++)
		if (!is_tail(s[i]))
			return 0;
	return len;
}

/* Neither a control character of ASCII nor (as UTF-8) one of the C1 set, which terminals obey as
 * well. */
static bool is_printable(const uint8_t *s, size_t len)
{
	if (len == 1)
		return s[0] >= 0x20 && s[0] != 0x7f;
	return len && !(s[0] == 0xc2 && s[1] < 0xa0);
}

char *xf_hex_byte(char *out, uint8_t byte)
{
	static const char hex[] = "0123456789abcdef";

	*out++ = hex[byte >> 4];
	*out++ = hex[byte & 15];
	return out;
}

/* Whether the character cannot be seen, ends a line, or turns the direction of the text around it:
 * U+061C, U+200B to U+200F, U+2028 to U+202E, U+2060 to U+206F, U+FEFF. */
static bool is_invisible(const uint8_t *s, size_t len)
{
	if (len == 2)
		return s[0] == 0xd8 && s[1] == 0x9c;
	if (len != 3)
		return false;
	if (s[0] == 0xe2 && s[1] == 0x80)
		return (s[2] >= 0x8b && s[2] <= 0x8f) || (s[2] >= 0xa8 && s[2] <= 0xae);
	if (s[0] == 0xe2 && s[1] == 0x81)
		return s[2] >= 0xa0 && s[2] <= 0xaf;
	return s[0] == 0xef && s[1] == 0xbb && s[2] == 0xbf;
}

static bool is_shown(const uint8_t *s, size_t len, const char *keep)
{
	if (is_printable(s, len))
		return !is_invisible(s, len);
	return *s && strchr(keep, *s);
}

char *xf_escape(char *out, const char *text, size_t len, const char *keep)
{
	const uint8_t *at = (const uint8_t *)text, *end = at + len;

	while (at < end) {
		size_t n = utf8_len(at);

		if (n <= (size_t)(end - at) && is_shown(at, n, keep)) {
			memcpy(out, at, n);
			out += n;
			at += n;
			continue;
		}
		*out++ = '\\';
		*out++ = 'x';
		out = xf_hex_byte(out, *at++);
	}
	return out;
}

/* One character of UTF-8 with less than five bytes, or one byte of something else. */
static uint32_t code_point(const uint8_t *s, size_t len)
{
	switch (len) {
	case 2:
		return (s[0] & 0x1f) << 6 | (s[1] & 0x3f);
	case 3:
		return (s[0] & 0x0f) << 12 | (s[1] & 0x3f) << 6 | (s[2] & 0x3f);
	default:
		return s[0];
	}
}

/* Copy the character at *@at, as it is or as "\u202e", and move behind it. */
static char *put_json_char(char *out, const uint8_t **at, const uint8_t *end)
{
	size_t len = utf8_len(*at);
	uint32_t code;

	if (len > (size_t)(end - *at))
		len = 0;
	if (is_printable(*at, len) && !is_invisible(*at, len)) {
		out = mempcpy(out, *at, len);
		*at += len;
		return out;
	}
	code = code_point(*at, len);
	*at += len ?: 1;
	*out++ = '\\';
	*out++ = 'u';
	return xf_hex_byte(xf_hex_byte(out, code >> 8), code & 0xff);
}

char *xf_json_escape(char *out, size_t room, const char *text, size_t len)
{
	const uint8_t *at = (const uint8_t *)text, *end = at + len;
	char *last = out + room - XF_JSON_ESCAPE_MAX;

	while (*at && at < end && out <= last) {
		if (*at == '"' || *at == '\\')
			*out++ = '\\';
		out = put_json_char(out, &at, end);
	}
	return out;
}

char *xf_json_next(char *out, const char **json)
{
	const uint8_t *at = (const uint8_t *)*json;

	out = put_json_char(out, &at, at + XF_UTF8_MAX);
	*json = (const char *)at;
	return out;
}
