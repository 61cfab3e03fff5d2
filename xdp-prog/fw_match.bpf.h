/* SPDX-License-Identifier: GPL-2.0-only */
/* The best of the rules that a packet has met so far. */
#ifndef XF_FW_MATCH_BPF_H
#define XF_FW_MATCH_BPF_H

#include "fw_index.bpf.h"

struct xf_fw_match {
	struct xf_fw_rule *rule; /* NULL: none */
	__u64 least;		 /* the least rank that a better one has */
	__u32 id;		 /* or XF_FW_UNREAD, whatever the rule is */
	__u32 deny;		 /* the policy */
};

/* A better rule could match fields of the packet that were not read. */
static __always_inline void xf_fw_take_unread(struct xf_fw_match *match)
{
	match->id = XF_FW_UNREAD;
	match->least = ~0ull; /* no rule changes that */
}

static __always_inline void xf_fw_take_rule(struct xf_fw_match *match, struct xf_fw_rule *rule,
					    __u32 id)
{
	if (rule->rank < match->least)
		return;
	match->rule = rule;
	match->least = rule->rank + 1;
	match->id = id;
}

/* @id: of the rule; 0: there is none; XF_FW_UNREAD. */
static __always_inline void xf_fw_take(const struct xf_fw_generation *gen,
				       struct xf_fw_match *match, __u32 id)
{
	struct xf_fw_rule *rule = NULL;

	if (id == XF_FW_UNREAD)
		xf_fw_take_unread(match);
	else if (id)
		rule = xf_fw_of_id(gen->slot, id);
	if (rule)
		xf_fw_take_rule(match, rule, id);
}

#endif
