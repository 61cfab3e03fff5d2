// SPDX-License-Identifier: GPL-2.0-only
/* The token line, and the syntax of host names. The other parsers have files of their own.
 *
 * Each parser reads from left to right. It answers NO, YES or BAD because of bytes that it has
 * read, and MORE when it comes to the end: so a longer prefix never changes an answer but MORE. */
#include "sockmap/route/first_packet.h"

#include <string.h>

#include "sockmap/route/first_impl.h"

/* The byte in lower case, or 0 when no name may contain it. */
static char name_char(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A' + 'a';
	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.')
		return c;
	return 0;
}

bool xf_first_name(const uint8_t *data, size_t len, char name[XF_NAME_MAX + 1])
{
	name[0] = '\0';
	if (len && data[len - 1] == '.')
		len--;
	if (!len || len > XF_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		name[i] = name_char(data[i]);
		if (!name[i] || (name[i] == '.' && (!i || i == len - 1 || name[i - 1] == '.'))) {
			name[0] = '\0';
			return false;
		}
	}
	name[len] = '\0';
	return true;
}

/* The volatile variable keeps a compiler from ending the loop at the first difference. */
static bool same_secret(const uint8_t *line, const uint8_t *secret, size_t len)
{
	volatile uint8_t different = 0;

	for (size_t i = 0; i < len; i++)
		different |= line[i] ^ secret[i];
	return !different;
}

enum xf_first xf_first_token(const uint8_t *data, size_t len, const uint8_t *secret,
			     size_t secret_len, size_t *skip)
{
	size_t most = secret_len + 2; /* with CR LF */
	const uint8_t *end = len ? memchr(data, '\n', len < most ? len : most) : NULL;
	size_t line;

	if (!end) {
		/* A CR behind the secret may belong to the end of the line. */
		if (len <= secret_len || (len == secret_len + 1 && data[secret_len] == '\r'))
			return XF_FIRST_MORE;
		return XF_FIRST_NO;
	}
	line = end - data;
	*skip = line + 1;
	if (line && data[line - 1] == '\r')
		line--;
	if (line != secret_len || !same_secret(data, secret, secret_len))
		return XF_FIRST_NO;
	return XF_FIRST_YES;
}
