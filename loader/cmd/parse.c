// SPDX-License-Identifier: GPL-2.0-only
/* The first and the last step of each subcommand: its command line and its output. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "loader/cmd/cmd.h"
#include "loader/hook/netdev.h"
#include "lib/msg.h"
#include "lib/opt.h"

const struct xf_opt xf_common_options_status[] = {
	{ .name = "verbose",
	  .short_name = 'v',
	  .type = XF_OPT_COUNT,
	  .offset = offsetof(struct xf_common_args, verbose),
	  .help = "print more, also the messages of libbpf and libxdp" },
	{ .name = "help",
	  .short_name = 'h',
	  .type = XF_OPT_FLAG,
	  .offset = offsetof(struct xf_common_args, help),
	  .help = "show this help" },
	{ .type = XF_OPT_END },
};

const struct xf_opt xf_common_options[] = {
	{ .name = "quiet",
	  .short_name = 'q',
	  .type = XF_OPT_FLAG,
	  .offset = offsetof(struct xf_common_args, quiet),
	  .help = "print only errors, warnings and results" },
	{ .type = XF_OPT_TABLE, .table = xf_common_options_status },
	{ .type = XF_OPT_END },
};

/* A guess at the meaning of a word without an option. */
static const char *guess(const struct xf_opt *opts)
{
	for (; opts->type != XF_OPT_END; opts++) {
		if (opts->name && !strcmp(opts->name, "interface"))
			return "an interface is named with -i";
		if (opts->name && !strcmp(opts->name, "listen"))
			return "the address to listen on is given with -l";
	}
	return "there are only options";
}

int xf_cmd_parse_words(const struct xf_opt *opts, const char *usage, int argc, char **argv,
		       void *args, const struct xf_common_args *common, struct xf_rest *rest)
{
	if (xf_opts_parse(opts, argc, argv, args, rest))
		return XF_EXIT_USAGE;
	if (!common->help) {
		xf_msg_level_set(common->verbose ? XF_VERBOSE
				 : common->quiet ? XF_QUIET
						 : XF_NORMAL);
		return -1;
	}
	printf("%s\nOptions:\n", usage);
	xf_opts_help(stdout, opts);
	return XF_EXIT_OK;
}

int xf_cmd_parse(const struct xf_opt *opts, const char *usage, int argc, char **argv, void *args,
		 const struct xf_common_args *common)
{
	struct xf_rest rest;
	int status = xf_cmd_parse_words(opts, usage, argc, argv, args, common, &rest);

	if (status < 0 && rest.n) {
		xf_err("unexpected word '%s'", rest.at[0]);
		xf_hint("%s; --help shows the options", guess(opts));
		return XF_EXIT_USAGE;
	}
	return status;
}

int xf_cmd_check_once(const struct xf_strs *interfaces)
{
	for (unsigned int i = 0; i < interfaces->n; i++)
		for (unsigned int j = 0; j < i; j++) {
			if (strcmp(interfaces->at[i], interfaces->at[j]))
				continue;
			xf_err("interface '%s' is named twice", interfaces->at[i]);
			return -1;
		}
	return 0;
}

/* Returns the index of the entry with the ifindex of @dev, or -1. */
static int find_same(const struct xf_netdev *devs, int n, const struct xf_netdev *dev)
{
	for (int i = 0; i < n; i++)
		if (devs[i].ifindex == dev->ifindex)
			return i;
	return -1;
}

int xf_cmd_find(const struct xf_strs *interfaces, struct xf_netdev *devs)
{
	const char *given[XF_STRS_MAX];
	int n = 0;

	for (unsigned int i = 0; i < interfaces->n; i++) {
		const char *name = interfaces->at[i];
		int same, err = xf_netdev_find(name, &devs[n]);

		if (err)
			return err;
		same = find_same(devs, n, &devs[n]);
		if (same >= 0)
			xf_info("'%s' and '%s' are one interface, %s: it is used once", given[same],
				name, devs[same].name);
		else
			given[n++] = name;
	}
	return n;
}

int xf_cmd_resolve(struct xf_strs *interfaces, struct xf_netdev *devs)
{
	int n = xf_cmd_find(interfaces, devs);

	if (n < 0)
		return n;
	for (int i = 0; i < n; i++)
		interfaces->at[i] = devs[i].name;
	interfaces->n = n;
	return 0;
}

int xf_cmd_end_output(int status)
{
	/* A reader that closes the pipe, as head(1) does, wants no more: no error. */
	if ((!fflush(stdout) && !ferror(stdout)) || errno == EPIPE)
		return status;
	xf_err("cannot write to stdout: %s", strerror(errno));
	return XF_EXIT_FAILED;
}
