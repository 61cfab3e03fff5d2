// SPDX-License-Identifier: GPL-2.0-only
/* The routes file: one rule a line, words between spaces, '#' comments. */
#include "sockmap/route/routes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sockmap/route/endpoint.h"
#include "sockmap/route/routes_conditions.h"

#define PREFIX_TEXT 64

static int add_upstream(struct xf_parse *p, struct xf_routes_rule *rule, struct xf_word word)
{
	struct xf_routes *routes = p->routes;
	struct xf_endpoint target, *entry;
	char text[XF_NAME_MAX + 8];
	const char *why;

	if (!word.len ||
	    xf_endpoint_parse_upstream(xf_word_string(word, text, sizeof(text)), &target, &why))
		return xf_words__expected(&p->words, word, word.len ? why : "ADDR:PORT");
	entry = xf_routes_more(&routes->targets, &routes->n_targets, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	*entry = target;
	rule->n_targets++;
	return 0;
}

/* Parse "ADDR:PORT[,ADDR:PORT...]" or "reject" at the end of the line. */
static int parse_target(struct xf_parse *p, struct xf_routes_rule *rule)
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

/* Parse a rule such as "sni NAME -> ...", which begins with @word. */
static int parse_rule(struct xf_parse *p, struct xf_word word)
{
	struct xf_routes *routes = p->routes;
	struct xf_routes_rule *rule =
	    xf_routes_more(&routes->rules, &routes->n_rules, sizeof(*rule));
	int err;

	if (!rule)
		return -ENOMEM;
	rule->route.line = p->words.line;
	rule->route.index = routes->n_rules - 1;
	rule->first_target = routes->n_targets;
	err = xf_condition__parse(p, word, rule);
	if (err)
		return err;
	if (!xf_word_is(word, "->"))
		word = xf_words__next(&p->words);
	return xf_word_is(word, "->") ? parse_target(p, rule)
				      : xf_words__expected(&p->words, word, "->");
}

/* Parse the prefixes up to the end of the line; at least one is required. */
static int parse_prefixes(struct xf_parse *p, bool with_port, struct xf_addr_prefix **list,
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

static int parse_sources(struct xf_parse *p)
{
	struct xf_word word = xf_words__next(&p->words);

	if (!xf_word_is(word, "from"))
		return xf_words__expected(&p->words, word, "from");
	return parse_prefixes(p, false, &p->routes->sources, &p->routes->n_sources);
}

static int parse_destinations(struct xf_parse *p, struct xf_word word)
{
	if (!p->destinations_line) {
		p->destinations_line = p->words.line;
		p->destinations_start = p->words.start;
		p->destinations = word.at;
	}
	return parse_prefixes(p, true, &p->routes->destinations, &p->routes->n_destinations);
}

/* Refuse control characters, which a display would hide. */
static int check_bytes(struct xf_parse *p)
{
	for (const char *at = p->words.start; at < p->words.end; at++) {
		unsigned char c = *at;

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return xf_words__fail(
			    &p->words, at, "expected text, found a control character (0x%02x)", c);
	}
	return 0;
}

static int parse_line(struct xf_parse *p)
{
	struct xf_word word;
	int err = check_bytes(p);

	if (err)
		return err;
	word = xf_words__next(&p->words);
	if (!word.len)
		return 0;
	if (xf_condition_begins(word))
		return parse_rule(p, word);
	if (xf_word_is(word, "accept-proxy"))
		return parse_sources(p);
	if (xf_word_is(word, "proxy-destinations"))
		return parse_destinations(p, word);
	return xf_words__expected(
	    &p->words, word, "sni, host, alpn, token, any, ->, accept-proxy or proxy-destinations");
}

static int parse_lines(struct xf_parse *p, const char *text, size_t len)
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
static int check_whole(struct xf_parse *p)
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

static int parse_text(struct xf_parse *p, const char *text, size_t len)
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
	struct xf_parse p = { .read = read, .arg = arg, .words.error = error };
	int err;

	p.routes = xf_routes__new();
	if (!p.routes)
		return -ENOMEM;
	err = parse_text(&p, text, len);
	xf_conditions__forget(&p);
	if (!err)
		err = xf_routes__finish(p.routes);
	if (err) {
		xf_routes__put(p.routes);
		return err;
	}
	*routes = p.routes;
	return 0;
}
