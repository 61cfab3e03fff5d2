/* SPDX-License-Identifier: GPL-2.0-only */
/* One firewall rule: its fields, its text, and its place in the order. Pure functions. */
#ifndef XF_RULE_H
#define XF_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The fields that a rule names. */
enum xf_rule_has {
	XF_RULE_SRC = 1 << 0,
	XF_RULE_DST = 1 << 1,
	XF_RULE_SPORT = 1 << 2,
	XF_RULE_DPORT = 1 << 3,
	XF_RULE_MAC = 1 << 4,
	XF_RULE_PROTO = 1 << 5,
	XF_RULE_ESTABLISHED = 1 << 6,
};

/* An address and how many of its bits count; the others are zero. IPv4 in the first four bytes. */
struct xf_prefix {
	uint8_t addr[16];
	uint8_t len; /* bits: 0 to 32 or 128 */
};

/* Fields that has does not announce are zero, so that equal rules are equal in all but ttl. */
struct xf_rule {
	bool deny;
	bool protect;	/* it allows, whatever other rules say; then it names a source and nothing
			   else */
	uint8_t has;	/* enum xf_rule_has */
	uint8_t family; /* 4 or 6 when it names a prefix; else 0: both */
	uint8_t proto;	/* protocol number */
	struct xf_prefix src, dst;
	uint16_t sport_min, sport_max; /* host byte order, both included */
	uint16_t dport_min, dport_max;
	uint8_t mac[6]; /* the frame's source */
	uint32_t ttl;	/* seconds from when it is added; 0: for ever */
};

/* The mistake in a rule that was not understood. */
struct xf_rule_error {
	unsigned int column; /* in bytes, from 1 */
	char text[160];	     /* the word that was found there, and the one that was expected */
};

/* One rule in text, without a line's end; words are separated by blanks, '#' begins a comment.
 * Returns 1, 0 when there is no rule (blank, or only a comment), or -EINVAL with *error set. Ports
 * without tcp, udp or sctp named mean all three. */
int xf_rule_parse(const char *text, size_t len, struct xf_rule *rule, struct xf_rule_error *error);

#define XF_RULE_TEXT_MAX 256
/* The rule in text as xf_rule_parse() reads it, in canonical words and order, with its ttl. Returns
 * the length. */
size_t xf_rule_format(const struct xf_rule *rule, char text[XF_RULE_TEXT_MAX]);

/* The place in the order: of the rules that match a packet the one with the largest rank holds.
 * From the most to the least significant: source prefix length, destination prefix length, how
 * narrow the destination port is and the source port, source MAC named, protocol named, established
 * named, deny. A rule that protects is above all others. */
uint64_t xf_rule_rank(const struct xf_rule *rule);

/* Everything but ttl is the same. */
bool xf_rule_equal(const struct xf_rule *a, const struct xf_rule *b);

#endif
