/* SPDX-License-Identifier: GPL-2.0-only */
/* Options that echo and forward share. */
#ifndef XF_CMD_RELAY_ARGS_H
#define XF_CMD_RELAY_ARGS_H

#include "lib/opt.h"
#include "loader/cmd/cmd.h"
#include "loader/relay/args.h"

struct xf_relay_cmd {
	struct xf_relay_args args;
	struct xf_common_args common;
};

/* The options of both, over struct xf_relay_cmd. */
extern const struct xf_opt xf_relay_options[];

/* Parse the command line of echo or forward, handle --help (which prints @usage first), check what
 * the table cannot. Returns -1 to go on, else the exit status. */
int xf_relay_cmd__parse(struct xf_relay_cmd *cmd, bool echo, const struct xf_opt *opts,
			const char *usage, int argc, char **argv);
/* Parse the address to listen on given with @option. Returns 0, or -EINVAL after a message. */
int xf_relay_args__listen(const char *option, const char *text, struct xf_addr *addr);

#endif
