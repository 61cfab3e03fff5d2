// SPDX-License-Identifier: GPL-2.0-only
/* What each subcommand does first with its words. */
#include <stdio.h>

#include "cmd.h"
#include "lib/msg.h"
#include "lib/opt.h"

int xf_cmd_parse(const struct xf_opt *opts, const char *usage, int argc, char **argv, void *args,
		 const bool *help)
{
	struct xf_rest rest;

	if (xf_opts_parse(opts, argc, argv, args, &rest))
		return XF_EXIT_USAGE;
	if (*help) {
		printf("%s\nOptions:\n", usage);
		xf_opts_help(stdout, opts);
		return XF_EXIT_OK;
	}
	if (rest.n) {
		xf_err("unexpected word '%s'", rest.at[0]);
		xf_hint("an interface is named with -i; --help shows the options");
		return XF_EXIT_USAGE;
	}
	return -1;
}
