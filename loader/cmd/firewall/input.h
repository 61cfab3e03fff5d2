/* SPDX-License-Identifier: GPL-2.0-only */
/* The rules in a file or on standard input, for the commands that take many. */
#ifndef XF_FW_INPUT_H
#define XF_FW_INPUT_H

#include "firewall/rule/rule.h"
#include "lib/lines.h"
#include "loader/cmd/firewall/args.h"

/* The options about it, over struct xf_fw_args. */
extern const struct xf_opt xf_fw_input_options[];

struct xf_fw_input {
	struct xf_lines lines;
	bool from_pipe; /* what feeds it may have failed, which shows in how it ends */
	bool any;	/* there was a rule, or a mistake */
};

/* @path "-" is standard input. Returns 0, or -errno after a message. */
int xf_fw_input__open(struct xf_fw_input *input, const struct xf_fw_args *args, const char *path);
void xf_fw_input__close(struct xf_fw_input *input);

/* The next rule. Returns 1; 0 at the end; -EAGAIN when none came within @wait_ms (-1: wait as long
 * as it takes); after a message -EINVAL, when a line is left out and others may follow, or another
 * -errno. */
int xf_fw_input__next(struct xf_fw_input *input, int wait_ms, struct xf_rule *rule);

#endif
