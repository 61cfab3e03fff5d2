// SPDX-License-Identifier: GPL-2.0-only
/* The words of a list. */
#include "firewall/rule/plain_impl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "firewall/rule/words.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_mark(char c)
{
	return c == '{' || c == '}' || c == ',' || c == '=' || c == ';';
}

static bool is_in_word(char c)
{
	return !is_blank(c) && !is_mark(c) && c != '#' && c != '"';
}

struct xf_token xf_token_peek(const struct xf_plain *plain)
{
	const char *at = plain->at, *end = plain->end, *quote;
	struct xf_token token;

	while (at < end && is_blank(*at))
		at++;
	token = (struct xf_token) { .at = at };
	if (at < end && *at == '"') {
		quote = memchr(at + 1, '"', end - at - 1);
		at = quote ? quote + 1 : end;
	} else if (at < end && is_mark(*at)) {
		at++;
	} else {
		while (at < end && is_in_word(*at))
			at++;
	}
	token.len = at - token.at;
	return token;
}

struct xf_token xf_token_next(struct xf_plain *plain)
{
	struct xf_token token = xf_token_peek(plain);

	plain->at = token.at + token.len;
	return token;
}

bool xf_token_is(struct xf_token token, const char *word)
{
	return token.len == strlen(word) && !memcmp(token.at, word, token.len);
}

bool xf_token_is_mark(struct xf_token token)
{
	return token.len && is_mark(*token.at);
}

int xf_plain__fail(const struct xf_plain *plain, struct xf_rule_error *error, const char *at,
		   const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(error->text, sizeof(error->text), fmt, args);
	va_end(args);
	error->column = at - plain->start + 1;
	return -EINVAL;
}

int xf_plain__unexpected(const struct xf_plain *plain, struct xf_token token, const char *expected,
			 struct xf_rule_error *error)
{
	char quoted[XF_QUOTED];

	return xf_plain__fail(plain, error, token.at, "expected %s, not %s", expected,
			      xf_rule_quote(token.at, token.len, "the end of the line", quoted));
}
