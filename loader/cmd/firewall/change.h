/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules into a set and out of it, one or many. */
#ifndef XF_FW_CHANGE_H
#define XF_FW_CHANGE_H

#include "loader/cmd/firewall/args.h"
#include "loader/cmd/firewall/input.h"
#include "loader/firewall/named_set.h"
#include "loader/firewall/ssh_warn.h"

enum xf_fw_change {
	XF_FW_ADD,
	XF_FW_DEL,
};

/* The rules on standard input, each as it comes, until it ends. Others may change the set in
 * between. Returns the exit status. */
int xf_fw_stream(const struct xf_fw_args *args, const struct xf_fw_source *source,
		 enum xf_fw_change change);

#endif
