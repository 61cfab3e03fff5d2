/* SPDX-License-Identifier: GPL-2.0-only */
/* One generation of rules and its changes, whether packets meet it or not. Inside firewall/ only.
 */
#ifndef XF_GENERATION_RULES_H
#define XF_GENERATION_RULES_H

#include "firewall/table/region.h"
#include "firewall/rule/rule.h"

#define XF_SET_RULES_MAX (4u << 20)

/* Make the attached generation an empty one, in tables from slot on. Returns 0 or -errno. */
int xf_generation__init(struct xf_region *region, uint32_t slot, bool deny,
			uint64_t expected_rules);

/* Like xf_ruleset__add() and __del(), and -EAGAIN: not with these seeds, the generation must be
 * built anew.
 */
int xf_generation__add(struct xf_region *region, const struct xf_rule *rule, uint64_t now);
int xf_generation__del(struct xf_region *region, const struct xf_rule *rule, uint64_t now);

/* The entry of a rule that holds. Returns 0, -ENOENT or another -errno. */
int xf_generation__find(struct xf_region *region, const struct xf_rule *rule, uint64_t now,
			const struct xf_fw_rule **entry);

/* Add a rule that is not there, with a time and counters that it had elsewhere. */
int xf_generation__add_counted(struct xf_region *region, const struct xf_rule *rule,
			       uint64_t expires, uint64_t packets, uint64_t bytes);

/* Take out the expired rules among the next so many entries. Returns how many there were. */
size_t xf_generation__expire(struct xf_region *region, uint64_t now, uint64_t entries);

/* All rules that are or were once valid, in no order. The callback's non-zero ends it and is
 * returned. */
int xf_generation__each(struct xf_region *region,
			int (*fn)(void *arg, uint32_t id, struct xf_fw_rule *entry), void *arg);
bool xf_rule_entry_is_rule(const struct xf_fw_rule *entry);
bool xf_rule_entry_holds(const struct xf_fw_rule *entry, uint64_t now);
/* The rule in an entry, without its ttl. Returns 0 or -EUCLEAN. */
int xf_rule_from_entry(struct xf_region *region, const struct xf_fw_rule *entry,
		       struct xf_rule *rule);

/* Enter all rules of one generation that hold into another, with their counters and times. */
int xf_generation__copy_rules(struct xf_region *from, struct xf_region *to, uint64_t now);
/* The same for rules that protect. */
int xf_generation__copy_protecting(struct xf_region *from, struct xf_region *to, uint64_t now);
/* Make the tables of one generation those of another, which is attached and has a slot of its own.
 */
int xf_generation__clone(struct xf_region *from, struct xf_region *to);

#endif
