/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules that name a single prefix. Inside firewall/ only. */
#ifndef XF_PREFIXES_H
#define XF_PREFIXES_H

#include "firewall/table/index.h"
#include "firewall/rule/rule.h"

bool xf_is_single_prefix(const struct xf_rule *rule);

/* A rule of a single prefix to its entry, and back. */
void xf_rule_to_prefix_entry(const struct xf_rule *rule, struct xf_fw_rule *entry);
void xf_rule_from_prefix_entry(const struct xf_fw_rule *entry, struct xf_rule *rule);

/* Addresses in the form that an entry has, by enum xf_fw_dir. */
struct xf_addr_words {
	uint8_t family; /* 4 or 6 */
	uint64_t addr[2][2];
};
/* Whether the entry, of a single prefix, covers these addresses. */
bool xf_prefix_entry_covers(const struct xf_fw_rule *entry, const struct xf_addr_words *words);

/* Find the rule in the generation, its id in *id. Returns 0, -ENOENT, or -EAGAIN: these seeds do
 * not tell it from another one. */
int xf_prefix__find(struct xf_region *region, const struct xf_rule *rule, uint32_t *id);
/* Enter a rule that is not there; it does not hold yet. Returns 0, -EAGAIN or another -errno, and
 * then nothing is changed. */
int xf_prefix__insert(struct xf_region *region, const struct xf_rule *rule, uint32_t *id);
/* Take out a rule that does not hold any more. */
void xf_prefix__remove(struct xf_region *region, uint32_t id);

#endif
