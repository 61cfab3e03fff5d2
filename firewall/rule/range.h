/* SPDX-License-Identifier: GPL-2.0-only */
/* A range of addresses, and the prefixes that make it up. */
#ifndef XF_RULE_RANGE_H
#define XF_RULE_RANGE_H

#include "firewall/rule/rule.h"

/* Both ends included; IPv4 in the first four bytes. */
struct xf_range {
	uint8_t family; /* 4 or 6; 0: it is empty */
	uint8_t first[16], last[16];
};

struct xf_range xf_range_of(const struct xf_prefix *prefix, int family);

/* Cut off the largest prefix with which a range that is not empty begins. */
struct xf_prefix xf_range__cut(struct xf_range *range);

#endif
