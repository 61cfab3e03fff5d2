/* SPDX-License-Identifier: GPL-2.0-only */
/* A composite rule cut into tuples that a hash table can hold. Pure functions. Inside firewall/
 * only. */
#ifndef XF_TUPLES_H
#define XF_TUPLES_H

#include <stddef.h>

#include "firewall/rule/rule.h"
#include "xdp-prog/fw_abi.h"

/* Ports that agree in their upper bits. */
struct xf_ports {
	uint16_t first, mask;
};

#define XF_PORTS_MAX 30
/* The fewest such groups that make up min to max. Returns how many. */
size_t xf_ports_cut(uint16_t min, uint16_t max, struct xf_ports ports[XF_PORTS_MAX]);

/* One of a rule's tuples, with the fields masked, and its tuple space; neither has a number yet. */
struct xf_cut {
	struct xf_fw_tuple tuple;
	struct xf_fw_space space;
};

#define XF_CUTS_MAX (XF_PORTS_MAX * XF_PORTS_MAX)
/* Returns how many. */
size_t xf_rule_cut(const struct xf_rule *rule, struct xf_cut cuts[XF_CUTS_MAX]);

/* Put the addresses of a rule's tuple back. */
void xf_rule_uncut(const struct xf_fw_tuple *tuple, struct xf_rule *rule);

#endif
