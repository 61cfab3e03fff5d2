/* SPDX-License-Identifier: GPL-2.0-only */
/* The subcommands. Each gets its name (argv[0]) and the words behind it, and returns the exit
 * status. */
#ifndef XF_CMD_H
#define XF_CMD_H

#include <stdbool.h>

#include "lib/exit_status.h"
#include "lib/opt.h"

/* For --help of what is at the hook. */
#define XF_RECEIVED_ONLY                                                                           \
	"XDP sees the packets that an interface receives, none that this machine sends.\n"

struct xf_netdev;

/* The options of every subcommand. */
struct xf_common_args {
	bool quiet;
	int verbose;
	bool help;
};

/* Tables over struct xf_common_args. That of status lacks --quiet, since its output is its result.
 */
extern const struct xf_opt xf_common_options[], xf_common_options_status[];

/* The first call of each subcommand: parse by @opts into @args, of which @common is a part; print
 * @usage and the options for --help, else set the message level. Words that are no option are
 * refused. Returns -1 to go on, else the exit status. */
int xf_cmd_parse(const struct xf_opt *opts, const char *usage, int argc, char **argv, void *args,
		 const struct xf_common_args *common);
/* The same for a subcommand that takes words, which are left in *@rest. */
int xf_cmd_parse_words(const struct xf_opt *opts, const char *usage, int argc, char **argv,
		       void *args, const struct xf_common_args *common, struct xf_rest *rest);

/* Check that no interface is named twice. Returns 0, or -1 after a message. */
int xf_cmd_check_once(const struct xf_strs *interfaces);
/* Find the interfaces, which may be given by alternative names, and store them in @devs, an array
 * of XF_STRS_MAX. An interface that is given twice is stored once, and a message says so. Returns
 * their number, or -errno after a message. */
int xf_cmd_find(const struct xf_strs *interfaces, struct xf_netdev *devs);
/* The same, and replace the names in *@interfaces by the kernel's, which are in @devs. Returns 0,
 * or -errno after a message. */
int xf_cmd_resolve(struct xf_strs *interfaces, struct xf_netdev *devs);

/* Flush stdout. Returns @status, or XF_EXIT_FAILED after a message. */
int xf_cmd_end_output(int status);

int xf_cmd_log(int argc, char **argv);
int xf_cmd_follow(int argc, char **argv);
int xf_cmd_status(int argc, char **argv);
int xf_cmd_unload(int argc, char **argv);
int xf_cmd_firewall(int argc, char **argv);
int xf_cmd_echo(int argc, char **argv);
int xf_cmd_forward(int argc, char **argv);

#endif
