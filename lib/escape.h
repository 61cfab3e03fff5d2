/* SPDX-License-Identifier: GPL-2.0-only */
/* Text from outside (names of interfaces and files, rules, messages of libraries) in a form that a
 * terminal does not obey. */
#ifndef XF_ESCAPE_H
#define XF_ESCAPE_H

#include <stddef.h>
#include <stdint.h>

char *xf_hex_byte(char *out, uint8_t byte);

/* Copy @len bytes of @text, which ends with a NUL there or later. Each byte that is not of a
 * character that is printable and visible, nor one of @keep, becomes "\x1b". Writes at most
 * XF_ESCAPED_MAX(@len) bytes, no NUL; returns the end. */
#define XF_ESCAPED_MAX(len) (4 * (len))
char *xf_escape(char *out, const char *text, size_t len, const char *keep);

#define XF_JSON_ESCAPE_MAX 6 /* bytes of an escape sequence, and of any character */
/* Write the first @len bytes of @text, up to its NUL, as the inside of a JSON string. Bytes that
 * are no UTF-8 are read as Latin-1. The text is cut when fewer than XF_JSON_ESCAPE_MAX bytes of
 * @room are left. Returns the end; no NUL. */
char *xf_json_escape(char *out, size_t room, const char *text, size_t len);
/* Write one character of JSON, which ends with a NUL, and move *@json behind it. One that a
 * terminal obeys, or that cannot be seen, is in a string and becomes an escape sequence. Writes at
 * most XF_JSON_ESCAPE_MAX bytes, no NUL; returns the end. */
char *xf_json_next(char *out, const char **json);

#endif
