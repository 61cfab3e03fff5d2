// SPDX-License-Identifier: GPL-2.0-only
/* Options and checks that the subcommands of the firewall share. */
#include "loader/cmd/firewall/args.h"

#include <errno.h>

#include "loader/hook/bpffs.h"
#include "loader/cmd/caps.h"
#include "lib/time.h"
#include "loader/firewall/pins.h"
#include "loader/hook/hints.h"
#include "lib/msg.h"

const char *const xf_fw_policies[] = { "allow", "deny", NULL };

const struct xf_opt xf_fw_options[] = {
	{ .name = "set",
	  .type = XF_OPT_STR,
	  .arg = "NAME",
	  .offset = offsetof(struct xf_fw_args, set),
	  .help = "the rule set (default: default)" },
	{ .type = XF_OPT_TABLE,
	  .table = xf_common_options,
	  .offset = offsetof(struct xf_fw_args, common) },
	{ .type = XF_OPT_END },
};

const struct xf_opt xf_fw_json_options[] = {
	{ .name = "json",
	  .type = XF_OPT_FLAG,
	  .offset = offsetof(struct xf_fw_args, json),
	  .help = "print one JSON object" },
	{ .type = XF_OPT_TABLE, .table = xf_fw_options },
	{ .type = XF_OPT_END },
};

const struct xf_opt xf_fw_confirm_options[] = {
	{ .name = "confirm",
	  .type = XF_OPT_SECONDS,
	  .arg = "SECONDS",
	  .min = XF_NSEC / 10,
	  .max = 7 * 24 * 3600 * XF_NSEC,
	  .offset = offsetof(struct xf_fw_args, confirm_ns),
	  .help =
	      "on trial: without 'firewall confirm' in this time packets meet what held before,\n"
	      "whatever becomes of this machine's logins" },
	{ .type = XF_OPT_END },
};

int xf_fw_args__parse(struct xf_fw_args *args, const struct xf_opt *opts, const char *usage,
		      int argc, char **argv, struct xf_rest *rest)
{
	int status;

	args->set = "default";
	args->policy = -1;
	args->format = -1;
	if (rest)
		status = xf_cmd_parse_words(opts, usage, argc, argv, args, &args->common, rest);
	else
		status = xf_cmd_parse(opts, usage, argc, argv, args, &args->common);
	if (status >= 0)
		return status;
	if (xf_fw_name_check(args->set) || xf_cmd_check_once(&args->interfaces))
		return XF_EXIT_USAGE;
	return -1;
}

int xf_fw_begin(const char *what)
{
	const char *no_bpffs;
	int err = xf_caps_check(what);

	if (err)
		return err;
	no_bpffs = xf_bpffs_prepare();
	if (!no_bpffs)
		return 0;
	xf_err("a rule set is kept in bpffs, and there is none: %s", no_bpffs);
	xf_hint_mount_bpffs();
	return -ENODEV;
}
