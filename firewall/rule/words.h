/* SPDX-License-Identifier: GPL-2.0-only */
/* The words that reading and writing a rule share. */
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

#endif
