/* SPDX-License-Identifier: GPL-2.0-only */
/* Subcommands that print what is in a set, as text or as JSON. */
#ifndef XF_FW_SHOW_H
#define XF_FW_SHOW_H

#include "loader/cmd/firewall/args.h"
#include "loader/firewall/named_set.h"

struct xf_fw_show {
	const char *name, *usage;
	/* Take what will be printed from the open set. Returns 0, or -errno after a message. */
	int (*read)(void *arg, const struct xf_fw_args *args, struct xf_named_set *set);
	void (*text)(void *arg, const struct xf_fw_args *args);
	void (*json)(void *arg, const struct xf_fw_args *args);
};

/* Parse, read, print. Nothing is printed while the set is locked, since a reader of the output may
 * be slow. Returns the exit status. */
int xf_fw_show(int argc, char **argv, const struct xf_fw_show *show, void *arg);

#endif
