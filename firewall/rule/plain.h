/* SPDX-License-Identifier: GPL-2.0-only */
/* Lists of addresses as others publish and keep them, each address a rule: one address, prefix or
 * range a line, the output of 'ipset save', and the elements of an nft set. Pure functions. */
#ifndef XF_RULE_PLAIN_H
#define XF_RULE_PLAIN_H

#include "firewall/rule/range.h"

#define XF_PLAIN_NAME 40

/* All zero at first but for deny and mask. */
struct xf_plain {
	bool deny; /* whether each address becomes a rule that denies it, or that allows it */
	bool mask; /* bits behind a prefix are cleared, else refused */

	const char *start, *at, *end; /* the line */
	uint64_t line;		      /* its number */
	bool statement;		      /* there was one on the line: ';' ends it and is no comment */
	struct xf_range range;	      /* the rest of the address that was read last */
	uint32_t set_ttl;	      /* the set's timeout: of elements without their own */
	uint32_t ttl;		      /* of the address that was read last */
	unsigned int depth;	      /* of blocks of nft */
	uint64_t block;		      /* the line on which the outermost begins */
	uint64_t elements;	      /* the line on which a list of elements begins, or 0 */
	char set[XF_PLAIN_NAME];      /* the name of the set, or how it begins */
};

/* The next line, without its end. It must stay until xf_plain__next() has no more of it. */
void xf_plain__line(struct xf_plain *plain, const char *text, size_t len);
/* The next rule of the line. Returns 1; 0: there is no more; or with *error set -EINVAL: an address
 * is left out, there may be others; or -EPROTO: the structure behind it is not clear, and no rule
 * may be taken from there. */
int xf_plain__next(struct xf_plain *plain, struct xf_rule *rule, struct xf_rule_error *error);
/* Behind the last line: the number of the line on which a block or a list of elements begins that
 * has no end, or 0. */
uint64_t xf_plain__unended(const struct xf_plain *plain);

#endif
