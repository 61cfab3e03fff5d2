/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules into a set and out of it, one or many. */
#ifndef XF_FW_CHANGE_H
#define XF_FW_CHANGE_H

#include "loader/cmd/firewall/args.h"
#include "loader/firewall/set.h"
#include "loader/firewall/warn.h"
#include "lib/lines.h"

enum xf_fw_change {
	XF_FW_ADD,
	XF_FW_DEL,
};

/* The rules on standard input, each as it comes, until it ends. Others may change the set in
 * between. Returns the exit status. */
int xf_fw_stream(const struct xf_fw_args *args, enum xf_fw_change change);

/* "FILE:LINE:COLUMN: what is wrong". */
void xf_fw_bad_line(const struct xf_lines *lines, const struct xf_rule_error *error);

/* xf_lines__next() failed in another way than -EAGAIN. */
void xf_fw_unread_line(const struct xf_lines *lines, int err);

#endif
