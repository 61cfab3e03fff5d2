/* SPDX-License-Identifier: GPL-2.0-only */
/* The rules in a file or on standard input, for the commands that take many. */
#ifndef XF_FW_INPUT_H
#define XF_FW_INPUT_H

#include "firewall/rule/plain.h"
#include "firewall/rule/rule.h"
#include "lib/lines.h"
#include "loader/cmd/firewall/args.h"

/* The options about it, over struct xf_fw_args. */
extern const struct xf_opt xf_fw_input_options[];

/* The words behind a command: a file, and before it whether to allow or deny the addresses in it.
 */
struct xf_fw_source {
	const char *path;
	int action; /* index in xf_fw_policies; -1: the file has rules, which say it themselves */
};

/* Set *source from the words. Returns whether they are of that form. */
bool xf_fw_source_of(const struct xf_rest *words, struct xf_fw_source *source);
/* Whether the options fit it, or with @source NULL a single rule. Returns 0, or -EINVAL after a
 * message. @command is "add" or the like. */
int xf_fw_source_check(const struct xf_fw_args *args, const struct xf_fw_source *source,
		       const char *command);

struct xf_fw_input {
	struct xf_lines lines;
	bool from_pipe; /* the command that feeds it may have failed, which shows in its end */
	bool any;	/* there was a rule, or a mistake */
	bool hinted;
	bool is_plain;
	bool in_line; /* of a plain list: the line may have more rules */
	struct xf_plain plain;
};

/* @path "-" is standard input. Returns 0, or -errno after a message. */
int xf_fw_input__open(struct xf_fw_input *input, const struct xf_fw_args *args,
		      const struct xf_fw_source *source);
void xf_fw_input__close(struct xf_fw_input *input);

/* The next rule. Returns 1; 0 at the end; -EAGAIN when none came within @wait_ms (-1: wait as long
 * as it takes); after a message -EINVAL, when something is left out and more may follow, or another
 * -errno. */
int xf_fw_input__next(struct xf_fw_input *input, int wait_ms, struct xf_rule *rule);

#endif
