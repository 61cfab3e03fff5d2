/* SPDX-License-Identifier: GPL-2.0-only */
/* Words that the parsers and formatters of rules and lists share. */
#ifndef XF_RULE_WORDS_H
#define XF_RULE_WORDS_H

#include <stddef.h>
#include <stdint.h>

struct xf_rule_protocol {
	const char *name;
	uint8_t number;
};

/* Ended by one without a name. */
extern const struct xf_rule_protocol xf_rule_protocols[];

#define XF_QUOTED 48
/* A word that was not expected, in quotation marks; if it is empty, @missing. Whoever prints it
 * escapes it. Returns @out or @missing. */
const char *xf_rule_quote(const char *at, size_t len, const char *missing, char out[XF_QUOTED]);

#endif
