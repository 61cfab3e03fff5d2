// SPDX-License-Identifier: GPL-2.0-only
/* A rule's text to its fields. Nothing is allocated and nothing copied: lists of a million lines
 * are read with this. */
#include "firewall/rule/rule.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/num.h"
#include "lib/opt.h"
#include "lib/strbuf.h"
#include "firewall/rule/prefix.h"
#include "firewall/rule/protocols.h"
#include "firewall/rule/words.h"

#define SEEN_TTL (1u << 31) /* beside enum xf_rule_has */
_Static_assert(SEEN_TTL > UINT8_MAX, "no bit of struct xf_rule's has");

struct word {
	const char *at;
	size_t len; /* 0: the rule ends here */
};

struct parse {
	const char *start, *at, *end;
	struct xf_rule *rule;
	struct xf_rule_error *error;
	unsigned int seen;	    /* clauses, enum xf_rule_has and SEEN_TTL */
	const char *ports_at;	    /* where the first sport or dport stands, */
	const char *proto_at;	    /* proto, */
	const char *established_at; /* and established */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct word next_word(struct parse *p)
{
	struct word word;

	while (p->at < p->end && is_blank(*p->at))
		p->at++;
	word = (struct word) { .at = p->at };
	if (p->at == p->end || *p->at == '#')
		return word;
	while (p->at < p->end && !is_blank(*p->at))
		p->at++;
	word.len = p->at - word.at;
	return word;
}

static bool word_is(struct word word, const char *name, size_t len)
{
	return word.len == len && !memcmp(word.at, name, len);
}

__attribute__((format(printf, 3, 4))) static int fail(struct parse *p, const char *at,
						      const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(p->error->text, sizeof(p->error->text), fmt, args);
	va_end(args);
	p->error->column = at - p->start + 1;
	return -EINVAL;
}

static const char *quote(struct word word, char out[XF_QUOTED])
{
	return xf_rule_quote(word.at, word.len, "the end of the rule", out);
}

static int unexpected(struct parse *p, struct word word, const char *expected)
{
	char quoted[XF_QUOTED];

	return fail(p, word.at, "expected %s, not %s", expected, quote(word, quoted));
}

/* A whole word as a number. */
static int number(struct word word, uint64_t min, uint64_t max, uint64_t *value)
{
	char text[24];

	if (word.len >= sizeof(text))
		return -EINVAL;
	memcpy(text, word.at, word.len);
	text[word.len] = '\0';
	return xf_num_parse(text, min, max, value);
}

static int read_prefix(struct parse *p, struct word word, struct xf_prefix *prefix)
{
	char why[128], quoted[XF_QUOTED];
	size_t offset = 0;
	int family = xf_rule_prefix_parse(word.at, word.len, false, prefix, why, &offset);

	if (family < 0)
		return fail(p, word.at + offset, "%s, not %s", why, quote(word, quoted));
	if (p->rule->family && p->rule->family != family)
		return fail(p, word.at,
			    "expected an IPv%d prefix, because the other one is, not %s",
			    p->rule->family, quote(word, quoted));
	p->rule->family = family;
	return 0;
}

static int read_from(struct parse *p, struct word word)
{
	return read_prefix(p, word, &p->rule->src);
}

static int read_to(struct parse *p, struct word word)
{
	return read_prefix(p, word, &p->rule->dst);
}

static int read_proto(struct parse *p, struct word word)
{
	const struct xf_rule_protocol *known = xf_rule_protocols;
	uint64_t value;

	p->proto_at = word.at;
	for (; known->name; known++)
		if (word_is(word, known->name, strlen(known->name))) {
			p->rule->proto = known->number;
			return 0;
		}
	if (number(word, 0, UINT8_MAX, &value))
		return unexpected(p, word,
				  "the name of a protocol (tcp, udp, icmp, gre, ...) or a number "
				  "from 0 to 255");
	p->rule->proto = value;
	return 0;
}

static int read_ports(struct parse *p, struct word word, uint16_t *min, uint16_t *max)
{
	const char *dash = memchr(word.at, '-', word.len);
	struct word first = word, last = word;
	uint64_t from, to;

	if (dash) {
		first.len = dash - word.at;
		last.at = dash + 1;
		last.len = word.len - first.len - 1;
	}
	if (number(first, 0, UINT16_MAX, &from) || number(last, 0, UINT16_MAX, &to))
		return unexpected(p, word,
				  "a port from 0 to 65535, or a range of them as in 8000-8080");
	if (from > to)
		return unexpected(p, word, "a range whose first port is not above its last");
	*min = from;
	*max = to;
	if (!p->ports_at)
		p->ports_at = word.at;
	return 0;
}

static int read_sport(struct parse *p, struct word word)
{
	return read_ports(p, word, &p->rule->sport_min, &p->rule->sport_max);
}

static int read_dport(struct parse *p, struct word word)
{
	return read_ports(p, word, &p->rule->dport_min, &p->rule->dport_max);
}

static int read_mac(struct parse *p, struct word word)
{
	if (!xf_rule_mac_parse(word.at, word.len, p->rule->mac))
		return unexpected(p, word, "a MAC address, as in 02:00:00:00:00:01");
	/* The tables have it for packets of interfaces without an Ethernet header. */
	if (!memcmp(p->rule->mac, (uint8_t[6]) {}, sizeof(p->rule->mac)))
		return unexpected(p, word, "a MAC address that a frame can have");
	return 0;
}

static int read_ttl(struct parse *p, struct word word)
{
	uint64_t value;

	if (number(word, 1, UINT32_MAX, &value))
		return unexpected(p, word, "a whole number of seconds from 1 to 4294967295");
	p->rule->ttl = value;
	return 0;
}

/* In canonical order. */
static const struct clause {
	const char *name;
	size_t len;
	unsigned int bit;
	int (*read)(struct parse *p, struct word value); /* NULL: it has no value */
} clauses[] = {
	{ "from", 4, XF_RULE_SRC, read_from },
	{ "to", 2, XF_RULE_DST, read_to },
	{ "proto", 5, XF_RULE_PROTO, read_proto },
	{ "sport", 5, XF_RULE_SPORT, read_sport },
	{ "dport", 5, XF_RULE_DPORT, read_dport },
	{ "ether", 5, XF_RULE_MAC, read_mac },
	{ "established", 11, XF_RULE_ESTABLISHED, NULL },
	{ "ttl", 3, SEEN_TTL, read_ttl },
};
#define CLAUSES (sizeof(clauses) / sizeof(clauses[0]))

static int unknown_clause(struct parse *p, struct word word)
{
	const char *names[CLAUSES + 1] = {}, *nearest;
	struct xf_strbuf expected = XF_STRBUF(96);
	char text[16], quoted[XF_QUOTED];

	for (size_t i = 0; i < CLAUSES; i++)
		names[i] = clauses[i].name;
	snprintf(text, sizeof(text), "%.*s", (int)(word.len < 15 ? word.len : 15), word.at);
	nearest = xf_nearest(text, names);
	if (nearest)
		return fail(p, word.at, "expected '%s'? there is no %s", nearest,
			    quote(word, quoted));
	xf_strbuf__add_list(&expected, names, ", ", " or ");
	return unexpected(p, word, expected.at);
}

static int read_clause(struct parse *p, struct word word)
{
	const struct clause *clause = clauses;
	struct word value;

	while (clause < clauses + CLAUSES && !word_is(word, clause->name, clause->len))
		clause++;
	if (clause == clauses + CLAUSES)
		return unknown_clause(p, word);
	if (p->seen & clause->bit)
		return fail(p, word.at, "'%s' is given a second time, expected it once",
			    clause->name);
	p->seen |= clause->bit;
	if (clause->bit == XF_RULE_ESTABLISHED)
		p->established_at = word.at;
	if (!clause->read)
		return 0;
	value = next_word(p);
	return clause->read(p, value);
}

static const char *later(const char *a, const char *b)
{
	return a > b ? a : b;
}

static const char *proto_name(uint8_t number, char text[8])
{
	for (const struct xf_rule_protocol *known = xf_rule_protocols; known->name; known++)
		if (known->number == number)
			return known->name;
	snprintf(text, 8, "%u", number);
	return text;
}

/* Headers of IPv6 that Linux skips on its way to the protocol (RFC 8200, 4.1). */
static bool is_extension(uint8_t proto)
{
	return proto == IPPROTO_HOPOPTS || proto == IPPROTO_ROUTING || proto == IPPROTO_FRAGMENT ||
	       proto == IPPROTO_DSTOPTS;
}

/* Mistakes that only show when all clauses are known. */
static int check(struct parse *p)
{
	const struct xf_rule *rule = p->rule;
	char text[8];

	if (rule->protect && p->seen != XF_RULE_SRC)
		return fail(p, p->at,
			    "expected 'from' and a prefix beside protect, and nothing else");
	if (!rule->has)
		return fail(p, p->at,
			    "expected what the rule is about, as in 'from 192.0.2.0/24'; what "
			    "happens to all other packets is the policy ('firewall policy')");
	if (!(rule->has & XF_RULE_PROTO))
		return 0;
	if (rule->family == 6 && is_extension(rule->proto))
		return fail(
		    p, p->proto_at,
		    "expected another protocol: proto %u is a header before the protocol of "
		    "an IPv6 packet, and never that",
		    rule->proto);
	if (p->ports_at && rule->proto != IPPROTO_TCP && rule->proto != IPPROTO_UDP &&
	    rule->proto != IPPROTO_SCTP)
		return fail(p, later(p->ports_at, p->proto_at),
			    "expected proto tcp, udp or sctp beside a port, because proto %s has "
			    "none",
			    proto_name(rule->proto, text));
	if (p->established_at && rule->proto != IPPROTO_TCP)
		return fail(p, later(p->established_at, p->proto_at),
			    "expected proto tcp beside 'established', not proto %s",
			    proto_name(rule->proto, text));
	return 0;
}

int xf_rule_parse(const char *text, size_t len, struct xf_rule *rule, struct xf_rule_error *error)
{
	struct parse p = {
		.start = text, .at = text, .end = text + len, .rule = rule, .error = error
	};
	struct word word = next_word(&p);
	int err;

	if (!word.len)
		return 0;
	memset(rule, 0, sizeof(*rule));
	rule->deny = word_is(word, "deny", 4);
	rule->protect = word_is(word, "protect", 7);
	if (!rule->deny && !rule->protect && !word_is(word, "allow", 5))
		return unexpected(&p, word, "allow or deny");
	for (word = next_word(&p); word.len; word = next_word(&p)) {
		err = read_clause(&p, word);
		if (err)
			return err;
	}
	p.at = word.at;
	rule->has = p.seen & ~SEEN_TTL;
	err = check(&p);
	return err ?: 1;
}
