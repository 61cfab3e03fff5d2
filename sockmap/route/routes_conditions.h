/* SPDX-License-Identifier: GPL-2.0-only */
/* The condition in front of a rule's "->", and the state of a parse that its errors need. */
#ifndef XF_ROUTES_CONDITIONS_H
#define XF_ROUTES_CONDITIONS_H

#include "sockmap/route/routes_impl.h"
#include "sockmap/route/routes_words.h"

struct xf_parse {
	struct xf_routes *routes;
	xf_routes_read read;
	void *arg;
	struct xf_words words;
	unsigned int any_line;	 /* of the rule that every connection matches, 0: none */
	unsigned int token_line; /* of the first token rule */
	void *conditions;	 /* of the rules before this line: a tree of struct seen */
	/* of the first proxy-destinations */
	unsigned int destinations_line;
	const char *destinations_start, *destinations;
};

/* Whether @word begins a rule: it is the name of a condition, or "->". */
bool xf_condition_begins(struct xf_word word);
/* Parse the condition that begins with @word into @rule, up to the "->" and without it. Returns 0,
 * -EINVAL with the error filled, also when no connection can reach the rule, or -ENOMEM. */
int xf_condition__parse(struct xf_parse *p, struct xf_word word, struct xf_routes_rule *rule);
/* Free p->conditions. */
void xf_conditions__forget(struct xf_parse *p);

#endif
