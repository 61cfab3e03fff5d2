// SPDX-License-Identifier: GPL-2.0-only
/* The routes file: one rule a line, words between spaces, '#' comments. */
#include "sockmap/route/routes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sockmap/route/first_impl.h"
#include "sockmap/route/routes_impl.h"
#include "sockmap/route/routes_words.h"

#define SECRET_MAX 1024
#define PREFIX_TEXT 64

struct parse {
	struct xf_routes *routes;
	xf_routes_read read;
	void *arg;
	struct xf_words words;
	unsigned int any_line;	 /* of the rule that every connection matches, 0: none */
	unsigned int token_line; /* of the first token rule */
	/* of the first proxy-destinations */
	unsigned int destinations_line;
	const char *destinations_start, *destinations;
};

static int add_upstream(struct parse *p, struct xf_routes_rule *rule, struct xf_word word)
{
	struct xf_routes *routes = p->routes;
	struct xf_addr addr, *entry;
	char text[XF_SOCKADDR_TEXT];
	const char *why;

	if (!word.len ||
	    xf_sockaddr_parse(xf_word_string(word, text, sizeof(text)), 1, &addr, &why))
		return xf_words__expected(&p->words, word, word.len ? why : "ADDR:PORT");
	entry = xf_routes_more(&routes->upstreams, &routes->n_upstreams, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	*entry = addr;
	rule->route.n_upstreams++;
	return 0;
}

/* Parse "ADDR:PORT[,ADDR:PORT...]" or "reject" at the end of the line. */
static int parse_target(struct parse *p, struct xf_routes_rule *rule)
{
	struct xf_word word = xf_words__next(&p->words), rest = word, part;
	const char *comma;
	int err = 0;

	if (!word.len)
		return xf_words__expected(&p->words, word, "ADDR:PORT or reject");
	rule->route.reject = xf_word_is(word, "reject");
	while (!rule->route.reject && rest.at <= word.at + word.len && !err) {
		rest.len = word.at + word.len - rest.at;
		comma = memchr(rest.at, ',', rest.len);
		part = rest;
		if (comma)
			part.len = comma - rest.at;
		rest.at += part.len + 1;
		err = add_upstream(p, rule, part);
	}
	if (err)
		return err;
	word = xf_words__next(&p->words);
	return word.len ? xf_words__expected(&p->words, word, "the end of the line") : 0;
}

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
static int parse_name(struct parse *p, struct xf_routes_rule *rule, struct xf_word word)
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
static int parse_host(struct parse *p, struct xf_routes_rule *rule, struct xf_word word)
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
static int parse_token(struct parse *p, struct xf_routes_rule *rule, struct xf_word word)
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

static const struct {
	const char *name;
	enum xf_condition condition;
	int (*parse)(struct parse *p, struct xf_routes_rule *rule, struct xf_word word);
} conditions[] = {
	{ "->", XF_IF_ANY, NULL },
	{ "any", XF_IF_ANY, NULL },
	{ "sni", XF_IF_SNI, parse_name },
	{ "host", XF_IF_HOST, parse_host },
	{ "token", XF_IF_TOKEN, parse_token },
};

/* Refuse a rule that no connection can reach, which must be a mistake. */
static int check_reached(struct parse *p, enum xf_condition condition, struct xf_word word)
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

static struct xf_routes_rule *add_rule(struct parse *p, enum xf_condition condition)
{
	struct xf_routes *routes = p->routes;
	struct xf_routes_rule *rule =
	    xf_routes_more(&routes->rules, &routes->n_rules, sizeof(*rule));

	if (!rule)
		return NULL;
	rule->condition = condition;
	rule->route.line = p->words.line;
	rule->route.index = routes->n_rules - 1;
	rule->route.first_upstream = routes->n_upstreams;
	return rule;
}

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

/* Parse a rule such as "sni NAME -> ...", whose condition is entry @i of the table. */
static int parse_rule(struct parse *p, struct xf_word word, size_t i)
{
	enum xf_condition condition = conditions[i].condition;
	struct xf_word value = { word.at, 0 };
	struct xf_routes_rule *rule;
	int err;

	err = check_reached(p, condition, word);
	if (err)
		return err;
	rule = add_rule(p, condition);
	if (!rule)
		return -ENOMEM;
	if (conditions[i].parse) {
		value = xf_words__next(&p->words);
		err = conditions[i].parse(p, rule, value);
	}
	if (!err)
		err = set_text(rule, condition == XF_IF_ANY ? "any" : conditions[i].name, value);
	if (err)
		return err;
	if (!xf_word_is(word, "->"))
		word = xf_words__next(&p->words);
	return xf_word_is(word, "->") ? parse_target(p, rule)
				      : xf_words__expected(&p->words, word, "->");
}

/* Parse the prefixes up to the end of the line; at least one is required. */
static int parse_prefixes(struct parse *p, bool with_port, struct xf_addr_prefix **list,
			  unsigned int *n)
{
	struct xf_word word = xf_words__next(&p->words);
	struct xf_addr_prefix prefix, *entry;
	char text[PREFIX_TEXT];
	const char *why;

	do {
		if (xf_prefix_parse(xf_word_string(word, text, sizeof(text)), with_port, &prefix,
				    &why))
			return xf_words__expected(&p->words, word, why);
		entry = xf_routes_more(list, n, sizeof(*entry));
		if (!entry)
			return -ENOMEM;
		*entry = prefix;
		word = xf_words__next(&p->words);
	} while (word.len);
	return 0;
}

static int parse_sources(struct parse *p)
{
	struct xf_word word = xf_words__next(&p->words);

	if (!xf_word_is(word, "from"))
		return xf_words__expected(&p->words, word, "from");
	return parse_prefixes(p, false, &p->routes->sources, &p->routes->n_sources);
}

static int parse_destinations(struct parse *p, struct xf_word word)
{
	if (!p->destinations_line) {
		p->destinations_line = p->words.line;
		p->destinations_start = p->words.start;
		p->destinations = word.at;
	}
	return parse_prefixes(p, true, &p->routes->destinations, &p->routes->n_destinations);
}

/* Refuse control characters, which a display would hide. */
static int check_bytes(struct parse *p)
{
	for (const char *at = p->words.start; at < p->words.end; at++) {
		unsigned char c = *at;

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return xf_words__fail(
			    &p->words, at, "expected text, found a control character (0x%02x)", c);
	}
	return 0;
}

static int parse_line(struct parse *p)
{
	struct xf_word word;
	int err = check_bytes(p);

	if (err)
		return err;
	word = xf_words__next(&p->words);
	if (!word.len)
		return 0;
	for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
		if (xf_word_is(word, conditions[i].name))
			return parse_rule(p, word, i);
	}
	if (xf_word_is(word, "accept-proxy"))
		return parse_sources(p);
	if (xf_word_is(word, "proxy-destinations"))
		return parse_destinations(p, word);
	return xf_words__expected(&p->words, word,
				  "sni, host, token, any, ->, accept-proxy or proxy-destinations");
}

static int parse_lines(struct parse *p, const char *text, size_t len)
{
	const char *end = text + len, *next;
	int err = 0;

	for (; text < end && !err; text = next) {
		const char *newline = memchr(text, '\n', end - text);

		next = newline ? newline + 1 : end;
		p->words.line++;
		p->words.start = text;
		p->words.at = text;
		p->words.end = newline ? newline : end;
		if (newline && newline > text && newline[-1] == '\r')
			p->words.end--;
		err = parse_line(p);
	}
	return err;
}

/* Check what concerns several lines. */
static int check_whole(struct parse *p)
{
	if (p->destinations_line && !p->routes->n_sources) {
		p->words.line = p->destinations_line;
		p->words.start = p->destinations_start;
		return xf_words__fail(
		    &p->words, p->destinations,
		    "expected a line 'accept-proxy from PREFIX...' as well, found none: "
		    "without it no PROXY header is read");
	}
	if (!p->routes->n_rules && !p->destinations_line) {
		p->words.error->line = 0;
		p->words.error->column = 0;
		strcpy(p->words.error->text,
		       "expected at least one rule, as in 'any -> 192.0.2.1:80', found none");
		return -EINVAL;
	}
	return 0;
}

static int parse_text(struct parse *p, const char *text, size_t len)
{
	int err;

	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		p->words.line = 1;
		p->words.start = text;
		return xf_words__fail(
		    &p->words, text,
		    "expected plain text, found a byte order mark (UTF-8 BOM): save the file "
		    "without it");
	}
	err = parse_lines(p, text, len);
	return err ? err : check_whole(p);
}

int xf_routes__parse(struct xf_routes **routes, const char *text, size_t len, xf_routes_read read,
		     void *arg, struct xf_routes_error *error)
{
	struct parse p = { .read = read, .arg = arg, .words.error = error };
	int err;

	p.routes = xf_routes__new();
	if (!p.routes)
		return -ENOMEM;
	err = parse_text(&p, text, len);
	if (err) {
		xf_routes__put(p.routes);
		return err;
	}
	xf_routes__finish(p.routes);
	*routes = p.routes;
	return 0;
}
