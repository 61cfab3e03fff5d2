/* SPDX-License-Identifier: GPL-2.0-only */
/* Packets for the firewall's bench: their source is drawn from the prefixes of rules. */
#ifndef XF_FW_DRAW_H
#define XF_FW_DRAW_H

#include <stddef.h>
#include <stdint.h>

#include "firewall/rule/rule.h"

#define FW_DRAWS (1u << 20) /* addresses in a list, and packets in a run */

/* Network byte order; IPv4 in the first. As in fw_draw.bpf.c. */
struct fw_draw {
	uint32_t word[4];
};

/* How the rules share the draws: evenly, or the nth of them as its rank 1/n says. */
enum fw_skew {
	FW_UNIFORM,
	FW_ZIPF,
};

uint32_t fw_random(void);
/* A rule against one prefix: of /8 to /32 or /32 to /128, all lengths alike. */
void fw_random_rule(struct xf_rule *rule, int family);

/* A list of addresses inside the sources of those rules that are of the family; family 0 is that of
 * the first rule. */
struct fw_draw *fw_list(const struct xf_rule *rules, size_t n, int family, enum fw_skew skew);

void fw_draw_load(void);
/* One of the programs that are measured beside the firewall. */
int fw_draw_prog(const char *name);
int fw_draw_map(const char *name);
/* Send the list through the program. Returns the nanoseconds for a packet; verdict is what the last
 * one met. */
double fw_draw_run(int prog_fd, int family, const struct fw_draw *list, uint32_t *verdict);

#endif
