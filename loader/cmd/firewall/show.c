// SPDX-License-Identifier: GPL-2.0-only
/* Subcommands that print what is in a set, as text or as JSON. */
#include "loader/cmd/firewall/show.h"

static int read_set(const struct xf_fw_show *show, void *arg, const struct xf_fw_args *args)
{
	struct xf_named_set set;
	int err = xf_fw_begin(show->name);

	if (!err)
		err = xf_named_set__open(&set, args->set, XF_FW_READ);
	if (err)
		return err;
	err = show->read(arg, args, &set);
	xf_named_set__close(&set);
	return err;
}

int xf_fw_show(int argc, char **argv, const struct xf_fw_show *show, void *arg)
{
	struct xf_fw_args args = {};
	int status = xf_fw_args__parse(&args, xf_fw_json_options, show->usage, argc, argv, NULL);

	if (status >= 0)
		return status;
	if (read_set(show, arg, &args))
		return xf_cmd_end_output(XF_EXIT_FAILED);
	if (args.json)
		show->json(arg, &args);
	else
		show->text(arg, &args);
	return xf_cmd_end_output(XF_EXIT_OK);
}
