/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables of commands: the subcommands of xdpfun-load, and those of its firewall. */
#ifndef XF_COMMANDS_H
#define XF_COMMANDS_H

#include <stdbool.h>

struct xf_command {
	const char *name; /* NULL ends the table */
	int (*run)(int argc, char **argv);
	const char *words; /* its arguments for the help, or NULL */
	const char *help;
};

/* Print the table, two or three columns. */
void xf_commands_help(const struct xf_command *commands);
/* Returns the command, or NULL after a message that names the nearest one. @before are the words
 * before it on the command line: "" or "firewall ". */
const struct xf_command *xf_commands_find(const struct xf_command *commands, const char *before,
					  const char *name);
/* Whether @word is "-h" or "--help". */
bool xf_is_help(const char *word);

#endif
