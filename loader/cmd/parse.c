// SPDX-License-Identifier: GPL-2.0-only
/* The first and the last step of each subcommand: its command line and its output. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "loader/cmd/cmd.h"
#include "loader/hook/netdev.h"
#include "lib/msg.h"
#include "lib/opt.h"

#define COMMON(member, letter, kind, text)                                                         \
	{                                                                                          \
		.name = #member, .short_name = letter, .type = kind,                               \
		.offset = offsetof(struct xf_common_args, member), .help = text                    \
	}
#define QUIET COMMON(quiet, 'q', XF_OPT_FLAG, "say only what went wrong")
#define VERBOSE(text) COMMON(verbose, 'v', XF_OPT_COUNT, text)
#define HELP COMMON(help, 'h', XF_OPT_FLAG, "show this help")

const struct xf_opt xf_common_options[] = {
	QUIET, VERBOSE("show also what libbpf and libxdp say"), HELP, {}
};
const struct xf_opt xf_common_options_relay[] = {
	QUIET, VERBOSE("say more, also what libbpf says"), HELP, {}
};
/* Its output is all that it says: there is nothing to be quiet about. */
const struct xf_opt xf_common_options_status[] = { VERBOSE("show also what libxdp says"),
						   HELP,
						   {} };
const struct xf_opt xf_common_options_fw[] = {
	QUIET, VERBOSE("say more, also what libbpf and libxdp say"), HELP, {}
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
