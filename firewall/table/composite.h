/* SPDX-License-Identifier: GPL-2.0-only */
/* Composite rules: their tuples in the index, and the list of tuple spaces. Inside firewall/ only.
 */
#ifndef XF_COMPOSITE_H
#define XF_COMPOSITE_H

#include "firewall/table/index.h"
#include "firewall/rule/rule.h"

/* Like xf_prefix__find(), __insert() (also -E2BIG: too many tuple spaces, or rules that differ in
 * next to nothing) and __remove(). */
int xf_composite__find(struct xf_region *region, const struct xf_rule *rule, uint32_t *id);
int xf_composite__insert(struct xf_region *region, const struct xf_rule *rule, uint32_t *id);
void xf_composite__remove(struct xf_region *region, uint32_t id);

/* The rule of an entry. Returns 0 or -EUCLEAN. */
int xf_rule_from_composite_entry(struct xf_region *region, const struct xf_fw_rule *entry,
				 struct xf_rule *rule);

#endif
