/* SPDX-License-Identifier: GPL-2.0-only */
/* Options and checks that the subcommands of the firewall share. */
#ifndef XF_FW_ARGS_H
#define XF_FW_ARGS_H

#include "loader/cmd/cmd.h"
#include "lib/opt.h"

struct xf_fw_args {
	const char *set;
	struct xf_strs interfaces;
	int mode;   /* enum xf_mode */
	int policy; /* -1: not given */
	uint64_t confirm_ns;
	uint32_t prio;
	bool require_chain;
	bool purge;
	bool exist;
	bool remove;
	int format; /* of lists, -1: not given */
	bool mask;
	bool allow_empty;
	bool json;
	struct xf_common_args common;
};

/* The options of every command, of those that print JSON and of those that begin trials, over
 * struct xf_fw_args. */
extern const struct xf_opt xf_fw_options[], xf_fw_json_options[], xf_fw_confirm_options[];

#define XF_FW_INTERFACE(text)                                                                      \
	{                                                                                          \
		.name = "interface", .short_name = 'i', .type = XF_OPT_LIST, .arg = "IFACE",       \
		.offset = offsetof(struct xf_fw_args, interfaces), .help = text                    \
	}

extern const char *const xf_fw_policies[]; /* by whether it denies */

/* Parse, deal with --help, set the message level and check the set's name. @rest NULL: words that
 * are no option are refused. Returns -1 to go on, else the exit status. */
int xf_fw_args__parse(struct xf_fw_args *args, const struct xf_opt *opts, const char *usage,
		      int argc, char **argv, struct xf_rest *rest);

/* Check the privileges of the subcommand @what and prepare bpffs. Returns 0, or -errno after a
 * message. */
int xf_fw_begin(const char *what);

/* The subcommands of 'firewall', as those in cmd.h. */
int xf_fw_attach(int argc, char **argv);
int xf_fw_confirm(int argc, char **argv);
int xf_fw_detach(int argc, char **argv);
int xf_fw_add(int argc, char **argv);
int xf_fw_del(int argc, char **argv);
int xf_fw_replace(int argc, char **argv);
int xf_fw_flush(int argc, char **argv);
int xf_fw_policy(int argc, char **argv);
int xf_fw_protect(int argc, char **argv);
int xf_fw_list(int argc, char **argv);
int xf_fw_stats(int argc, char **argv);
int xf_fw_log(int argc, char **argv);

#endif
