/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules that name something else than a single prefix: their pieces in the index, and the list of
 * shapes. Inside firewall/ only. */
#ifndef XF_OTHERS_H
#define XF_OTHERS_H

#include "firewall/table/index.h"
#include "firewall/rule/rule.h"

/* As xf_prefix__find(), __insert() (also -E2BIG: too many shapes, or rules that differ in next to
 * nothing) and __remove(). */
int xf_other__find(struct xf_region *region, const struct xf_rule *rule, uint32_t *id);
int xf_other__insert(struct xf_region *region, const struct xf_rule *rule, uint32_t *id);
void xf_other__remove(struct xf_region *region, uint32_t id);

/* The rule of a line. Returns 0 or -EUCLEAN. */
int xf_rule_from_other_line(struct xf_region *region, const struct xf_fw_rule *line,
			    struct xf_rule *rule);

#endif
