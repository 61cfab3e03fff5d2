// SPDX-License-Identifier: GPL-2.0-only
/* The conditions of the routes file: their values, and the rules that no connection can reach. */
#include "sockmap/route/routes_conditions.h"

#include <arpa/inet.h>
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "sockmap/route/first_impl.h"

#define SECRET_MAX 1024

static int set_value(struct xf_routes_rule *rule, const void *value, size_t len)
{
	rule->value = malloc(len + 1);
	if (!rule->value)
		return -ENOMEM;
	memcpy(rule->value, value, len);
	rule->value[len] = '\0';
	rule->value_len = len;
	return 0;
}

/* Parse "example.org" or "*.example.org". */
static int parse_name(struct xf_parse *p, struct xf_routes_rule *rule, struct xf_word word)
{
	struct xf_word name = word;
	char text[1 + XF_NAME_MAX + 1] = ".";

	rule->suffix = word.len > 2 && word.at[0] == '*' && word.at[1] == '.';
	if (rule->suffix)
		name = (struct xf_word) { word.at + 2, word.len - 2 };
	if (!xf_first_name((const uint8_t *)name.at, name.len, text + 1))
		return xf_words__expected(
		    &p->words, word,
		    "a host name, as in example.org or *.example.org (in letters, "
		    "digits, '-', '_' and '.'; others as xn--...)");
	return rule->suffix ? set_value(rule, text, strlen(text))
			    : set_value(rule, text + 1, strlen(text + 1));
}

/* Parse a host, which may also be an IPv6 address, in brackets or not. */
static int parse_host(struct xf_parse *p, struct xf_routes_rule *rule, struct xf_word word)
{
	char text[INET6_ADDRSTRLEN];
	struct xf_word inner = word;
	struct in6_addr addr;

	if (!word.len || !memchr(word.at, ':', word.len))
		return parse_name(p, rule, word);
	if (word.at[0] == '[' && word.at[word.len - 1] == ']')
		inner = (struct xf_word) { word.at + 1, word.len - 2 };
	if (inet_pton(AF_INET6, xf_word_string(inner, text, sizeof(text)), &addr) != 1)
		return xf_words__expected(&p->words, word,
					  "a host name or an IPv6 address, without a port");
	inet_ntop(AF_INET6, &addr, text, sizeof(text));
	return set_value(rule, text, strlen(text));
}

/* Take the line end off the contents of a token file, and check the rest. Returns its fault, or
 * NULL. */
static const char *bad_secret(const uint8_t *secret, size_t *len)
{
	if (*len && secret[*len - 1] == '\n') {
		--*len;
		if (*len && secret[*len - 1] == '\r')
			--*len;
	}
	if (!*len)
		return "is empty";
	if (memchr(secret, '\n', *len) || memchr(secret, '\r', *len))
		return "has more than one line";
	if (memchr(secret, '\0', *len))
		return "contains a NUL byte";
	return *len > SECRET_MAX ? "is longer than 1024 bytes" : NULL;
}

/* Parse "@FILE" and read the file. */
static int parse_token(struct xf_parse *p, struct xf_routes_rule *rule, struct xf_word word)
{
	char name[XF_WORD_QUOTED], why[128] = "";
	size_t len = 0, all;
	uint8_t *secret;
	const char *bad;
	char *path;
	int err;

	if (word.len < 2 || word.at[0] != '@')
		return xf_words__expected(&p->words, word, "@FILE, the file that the token is in");
	path = strndup(word.at + 1, word.len - 1);
	if (!path)
		return -ENOMEM;
	secret = p->read(path, &len, why, sizeof(why), p->arg);
	free(path);
	xf_word_quoted(word.at + 1, word.len - 1, name);
	if (!secret)
		return xf_words__fail(&p->words, word.at,
				      "expected a token file, cannot read %s: %s", name, why);
	all = len;
	bad = bad_secret(secret, &len);
	err = bad ? xf_words__fail(&p->words, word.at,
				   "expected a token file of one line, but %s %s", name, bad)
		  : set_value(rule, secret, len);
	explicit_bzero(secret, all);
	free(secret);
	return err;
}

/* Parse a protocol's name, as in h2 or acme-tls/1. */
static int parse_alpn(struct xf_parse *p, struct xf_routes_rule *rule, struct xf_word word)
{
	bool fits = word.len && word.len <= XF_NAME_MAX && !xf_word_is(word, "->");

	for (size_t i = 0; fits && i < word.len; i++)
		fits = xf_first_alpn_char(word.at[i]);
	if (!fits)
		return xf_words__expected(&p->words, word,
					  "the name of a protocol, as in h2 or http/1.1");
	return set_value(rule, word.at, word.len);
}

static const struct {
	const char *name;
	enum xf_condition condition;
	int (*parse)(struct xf_parse *p, struct xf_routes_rule *rule, struct xf_word word);
} conditions[] = {
	{ "->", XF_IF_ANY, NULL },	    { "any", XF_IF_ANY, NULL },
	{ "sni", XF_IF_SNI, parse_name },   { "host", XF_IF_HOST, parse_host },
	{ "alpn", XF_IF_ALPN, parse_alpn }, { "token", XF_IF_TOKEN, parse_token },
};

#define CONDITIONS (sizeof(conditions) / sizeof(conditions[0]))

static size_t find(struct xf_word word)
{
	size_t i = 0;

	while (i < CONDITIONS && !xf_word_is(word, conditions[i].name))
		i++;
	return i;
}

bool xf_condition_begins(struct xf_word word)
{
	return find(word) < CONDITIONS;
}

/* ---- rules that no connection can reach ---- */

/* The condition of a rule in an earlier line. The value is the rule's. */
struct seen {
	enum xf_condition condition;
	bool suffix;
	const char *value;
	unsigned int line;
};

static int compare(const void *left, const void *right)
{
	const struct seen *a = left, *b = right;

	if (a->condition != b->condition)
		return a->condition < b->condition ? -1 : 1;
	if (a->suffix != b->suffix)
		return a->suffix ? 1 : -1;
	return strcmp(a->value, b->value);
}

/* Returns the line of a rule that takes every connection which @rule would, or 0. */
static unsigned int taken_by(const struct xf_parse *p, const struct xf_routes_rule *rule)
{
	struct seen key = { rule->condition, rule->suffix, rule->value, 0 };
	struct seen **found = tfind(&key, &p->conditions, compare);

	key.suffix = true;
	for (const char *dot = strchr(rule->value, '.'); dot && !found;
	     dot = strchr(dot + 1, '.')) {
		key.value = dot;
		found = tfind(&key, &p->conditions, compare);
	}
	return found ? (*found)->line : 0;
}

static int remember(struct xf_parse *p, const struct xf_routes_rule *rule)
{
	struct seen *seen = malloc(sizeof(*seen));

	if (!seen)
		return -ENOMEM;
	*seen = (struct seen) { rule->condition, rule->suffix, rule->value, rule->route.line };
	if (tsearch(seen, &p->conditions, compare))
		return 0;
	free(seen);
	return -ENOMEM;
}

void xf_conditions__forget(struct xf_parse *p)
{
	tdestroy(p->conditions, free);
	p->conditions = NULL;
}

/* Refuse a rule behind one that takes every connection, which must be a mistake. */
static int check_kind(struct xf_parse *p, enum xf_condition condition, struct xf_word word)
{
	if (p->any_line)
		return xf_words__fail(
		    &p->words, word.at,
		    "expected no rule here: the one in line %u takes every connection",
		    p->any_line);
	if (p->token_line && condition != XF_IF_TOKEN)
		return xf_words__fail(
		    &p->words, word.at,
		    "expected a token rule: line %u closes every connection without a right "
		    "token, so that no other rule behind it is ever reached",
		    p->token_line);
	if (condition == XF_IF_ANY)
		p->any_line = p->words.line;
	if (condition == XF_IF_TOKEN && !p->token_line)
		p->token_line = p->words.line;
	return 0;
}

/* Refuse a rule for connections that an earlier one takes already. */
static int check_value(struct xf_parse *p, const struct xf_routes_rule *rule, struct xf_word word)
{
	unsigned int line = taken_by(p, rule);

	if (line)
		return xf_words__fail(&p->words, word.at,
				      "expected a rule that a connection can reach: line %u takes "
				      "every connection that line %u is for",
				      line, p->words.line);
	return remember(p, rule);
}

/* ---- the condition ---- */

/* Keep the condition as written, with one space between its words. */
static int set_text(struct xf_routes_rule *rule, const char *keyword, struct xf_word value)
{
	size_t len = strlen(keyword);
	char *text = malloc(len + 1 + value.len + 1);

	if (!text)
		return -ENOMEM;
	memcpy(text, keyword, len);
	text[len] = ' ';
	memcpy(text + len + 1, value.at, value.len);
	text[value.len ? len + 1 + value.len : len] = '\0';
	rule->route.text = text;
	return 0;
}

int xf_condition__parse(struct xf_parse *p, struct xf_word word, struct xf_routes_rule *rule)
{
	struct xf_word value = { word.at, 0 };
	size_t i = find(word);
	int err;

	rule->condition = conditions[i].condition;
	err = check_kind(p, rule->condition, word);
	if (!err && conditions[i].parse) {
		value = xf_words__next(&p->words);
		err = conditions[i].parse(p, rule, value);
		if (!err)
			err = check_value(p, rule, word);
	}
	return err ? err
		   : set_text(rule, rule->condition == XF_IF_ANY ? "any" : conditions[i].name,
			      value);
}
