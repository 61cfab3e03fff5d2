/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses and prefixes in the text of a rule. Strict, and without copies: a million lines a
 * second come through here. */
#ifndef XF_RULE_PREFIX_H
#define XF_RULE_PREFIX_H

#include "firewall/rule/rule.h"

/* Read "192.0.2.0/24" or "2001:db8::/32", or an address alone, which is a prefix of full length.
 * Bits behind the prefix are cleared if @mask says so, else refused. Returns the family, 4 or 6, or
 * -EINVAL with @why set to what was wrong and *@offset to the byte at which it was. */
int xf_rule_prefix_parse(const char *text, size_t len, bool mask, struct xf_prefix *prefix,
			 char why[128], size_t *offset);

/* Whether all of an IPv6 prefix is IPv4 in IPv6 form, ::ffff:0:0/96. */
bool xf_rule_prefix_is_mapped(const struct xf_prefix *prefix);

/* "02:00:00:00:00:01". Returns false when it is anything else. */
bool xf_rule_mac_parse(const char *text, size_t len, uint8_t mac[6]);

/* A prefix back in the same form; the length is left out when it is full. Returns the end of what
 * was written, at most XF_RULE_PREFIX_TEXT bytes without a NUL. */
#define XF_RULE_PREFIX_TEXT 49
char *xf_rule_prefix_text(char *out, const struct xf_prefix *prefix, int family);

#endif
