// SPDX-License-Identifier: GPL-2.0-only
/* The words of one line of the routes file, and error messages about them. */
#include "sockmap/route/routes_words.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int xf_words__fail(struct xf_words *words, const char *at, const char *fmt, ...)
{
	va_list args;

	words->error->line = words->line;
	words->error->column = at - words->start + 1;
	va_start(args, fmt);
	vsnprintf(words->error->text, sizeof(words->error->text), fmt, args);
	va_end(args);
	return -EINVAL;
}

const char *xf_word_quoted(const char *at, size_t len, char out[XF_WORD_QUOTED])
{
	size_t n = 0;

	if (!len)
		return "the end of the line";
	out[n++] = '\'';
	for (size_t i = 0; i < len; i++) {
		unsigned char c = at[i];

		if (n > XF_WORD_QUOTED - 10) {
			n += sprintf(out + n, "...");
			break;
		}
		if (c == '\'' || c == '\\')
			n += sprintf(out + n, "\\%c", c);
		else if (c < ' ' || c > '~')
			n += sprintf(out + n, "\\x%02x", c);
		else
			out[n++] = c;
	}
	strcpy(out + n, "'");
	return out;
}

int xf_words__expected(struct xf_words *words, struct xf_word found, const char *what)
{
	char text[XF_WORD_QUOTED];

	return xf_words__fail(words, found.at, "expected %s, found %s", what,
			      xf_word_quoted(found.at, found.len, text));
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct xf_word xf_words__next(struct xf_words *words)
{
	struct xf_word word;

	while (words->at < words->end && is_blank(*words->at))
		words->at++;
	word.at = words->at;
	if (words->at < words->end && *words->at == '#')
		words->end = words->at;
	while (words->at < words->end && !is_blank(*words->at))
		words->at++;
	word.len = words->at - word.at;
	return word;
}

bool xf_word_is(struct xf_word word, const char *text)
{
	return word.len == strlen(text) && !memcmp(word.at, text, word.len);
}

const char *xf_word_string(struct xf_word word, char *out, size_t size)
{
	size_t len = word.len < size ? word.len : 0;

	memcpy(out, word.at, len);
	out[len] = '\0';
	return out;
}
