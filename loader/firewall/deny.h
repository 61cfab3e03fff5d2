/* SPDX-License-Identifier: GPL-2.0-only */
/* Warn of what a policy of deny is about to cut off: sockets of this machine that no rule serves,
 * and packets for machines behind it. */
#ifndef XF_FW_DENY_H
#define XF_FW_DENY_H

#include "lib/opt.h"
#include "loader/firewall/named_set.h"

struct xf_fw_deny {
	const struct xf_named_set *set;
	const struct xf_strs *interfaces; /* to which the set is about to be attached */
	bool begins;	   /* the policy is about to hold, also where the set is attached already */
	const char *undo;  /* a command that takes it back, or NULL: it is on trial */
	const char *trial; /* one that would have only tried it, or NULL: there is none */
};

void xf_fw_deny_warn(const struct xf_fw_deny *deny);

#endif
