/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of protocols in rules. */
#ifndef XF_RULE_PROTOCOLS_H
#define XF_RULE_PROTOCOLS_H

#include <stdint.h>

struct xf_rule_protocol {
	const char *name;
	uint8_t number;
};

/* Ended by one without a name. */
extern const struct xf_rule_protocol xf_rule_protocols[];

#endif
