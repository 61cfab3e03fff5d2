// SPDX-License-Identifier: GPL-2.0-only
/* xdpfun-load firewall replace: all rules of a set by those in a file, at once. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/time.h"
#include "loader/cmd/caps.h"
#include "loader/cmd/firewall/change.h"
#include "loader/firewall/trial.h"
#include "lib/msg.h"

static const char usage[] =
    "Usage: xdpfun-load firewall replace [--set NAME] [--confirm SECONDS] FILE\n"
    "       xdpfun-load firewall replace [--set NAME] [--confirm SECONDS] [--mask] allow|deny FILE\n\n"
    "Replace all rules of a set, which is made if there is none, by those in FILE (one a line; '-' is\n"
    "standard input), or allow or deny the addresses in it. Packets meet either all old rules or all new\n"
    "ones. With a mistake in FILE nothing changes. The policy stays.\n";

static const struct xf_opt options[] = {
	{ .type = XF_OPT_TABLE, .table = xf_fw_confirm_options },
	{ .type = XF_OPT_TABLE, .table = xf_fw_input_options },
	{ .type = XF_OPT_TABLE, .table = xf_fw_options },
	{ .type = XF_OPT_END },
};

/* The rules of the file. All are read before the set is locked: they may come from a slow pipe. */
struct rule_list {
	const char *name; /* of the file, for messages */
	struct listed {
		struct xf_rule rule;
		uint32_t line;
	} * at;
	size_t n, space;
};

static int list_add(struct rule_list *list, const struct xf_rule *rule, uint32_t line)
{
	if (list->n == list->space) {
		size_t space = list->space ? list->space * 2 : 1024;
		struct listed *more = reallocarray(list->at, space, sizeof(*more));

		if (!more) {
			xf_err("cannot keep %zu rules: %s", list->n, strerror(ENOMEM));
			return -ENOMEM;
		}
		list->at = more;
		list->space = space;
	}
	list->at[list->n++] = (struct listed) { *rule, line };
	return 0;
}

/* Returns 0, or -errno after a message. */
static int read_rules(const struct xf_fw_args *args, const struct xf_fw_source *source,
		      struct rule_list *list)
{
	struct xf_fw_input input;
	struct xf_rule rule;
	int ret = xf_fw_input__open(&input, args, source);

	if (ret)
		return ret;
	list->name = input.lines.name;
	while ((ret = xf_fw_input__next(&input, -1, &rule)) == 1) {
		ret = list_add(list, &rule, input.lines.number);
		if (ret)
			break;
	}
	xf_fw_input__close(&input);
	return ret;
}

/* Returns 0, or -errno after a message; *@twice counts rules that came more than once. */
static int add_rules(struct xf_build *build, const struct xf_named_set *set,
		     const struct rule_list *list, size_t *twice)
{
	uint64_t now = xf_now_ns(CLOCK_BOOTTIME);

	for (size_t i = 0; i < list->n; i++) {
		int err = xf_build__add(build, &list->at[i].rule, now);

		if (err == -EEXIST) {
			/* Rules that protect are there from the begin. */
			*twice += !list->at[i].rule.protect;
		} else if (err == -E2BIG || err == -ENOSPC) {
			xf_err("%s:%" PRIu32 ":1: too much for a set: %s", list->name,
			       list->at[i].line, xf_ruleset__why(set->ruleset));
			return err;
		} else if (err) {
			xf_named_set__explain(set, "replace the rules of", err);
			return err;
		}
	}
	return 0;
}

static void warn(const struct xf_named_set *set, const struct rule_list *list)
{
	struct xf_ssh_warn warning;

	xf_ssh_warn__init(&warning);
	xf_ssh_warn__see_protecting(&warning, set->ruleset, xf_now_ns(CLOCK_BOOTTIME));
	for (size_t i = 0; i < list->n; i++)
		xf_ssh_warn__see(&warning, &list->at[i].rule);
	xf_ssh_warn__say(&warning, xf_ruleset__denies(set->ruleset), set->pins.name);
}

static int replace_rules(const struct xf_fw_args *args, const struct xf_named_set *set,
			 const struct rule_list *list, size_t *twice)
{
	struct xf_build *build;
	uint64_t now;
	int err = args->confirm_ns ? xf_fw_trial__check(set) : 0;

	if (err)
		return err;
	err = xf_build__begin(&build, set->ruleset, list->n);
	if (err) {
		xf_named_set__explain(set, "replace the rules of", err);
		return err;
	}
	err = add_rules(build, set, list, twice);
	if (err) {
		xf_build__abort(build);
		return err;
	}
	warn(set, list);
	now = xf_now_ns(CLOCK_BOOTTIME);
	err = args->confirm_ns ? xf_build__try(build, now + args->confirm_ns)
			       : xf_build__commit(build);
	if (err)
		xf_named_set__explain(set, "replace the rules of", err);
	return err;
}

static void report(const struct xf_fw_args *args, const struct xf_named_set *set, size_t rules,
		   size_t twice)
{
	if (twice)
		xf_info("set '%s': %zu rules, %zu lines were repetitions", args->set, rules, twice);
	else
		xf_info("set '%s': %zu rules", args->set, rules);
	if (args->confirm_ns)
		xf_fw_trial__announce(set, args->confirm_ns);
	else
		xf_fw_trial__remind(set);
}

static int replace_set(const struct xf_fw_args *args, const struct rule_list *list)
{
	struct xf_named_set set;
	size_t twice = 0;
	int err = xf_named_set__open(&set, args->set, XF_FW_CREATE);

	if (err)
		return err;
	err = replace_rules(args, &set, list, &twice);
	if (!err)
		report(args, &set, list->n - twice, twice);
	else if (set.created)
		xf_fw_pins__remove(&set.pins);
	xf_named_set__close(&set);
	return err;
}

static int replace(const struct xf_fw_args *args, const struct xf_fw_source *source)
{
	struct rule_list list = {};
	int err;

	if (xf_caps_check("firewall replace"))
		return XF_EXIT_FAILED;
	err = read_rules(args, source, &list);
	if (!err)
		err = xf_fw_begin("firewall replace");
	if (!err)
		err = replace_set(args, &list);
	if (err)
		xf_info("nothing has changed, the rules of the set '%s' are what they were",
			args->set);
	free(list.at);
	return err ? XF_EXIT_FAILED : XF_EXIT_OK;
}

int xf_fw_replace(int argc, char **argv)
{
	struct xf_fw_args args = {};
	struct xf_fw_source source;
	struct xf_rest words;
	int status = xf_fw_args__parse(&args, options, usage, argc, argv, &words);

	if (status >= 0)
		return status;
	if (!xf_fw_source_of(&words, &source)) {
		xf_err(words.n ? "expected one FILE, or allow or deny before it, got %d words"
			       : "the file with the rules is missing",
		       words.n);
		xf_hint("'xdpfun-load firewall replace FILE', or '-' for standard input");
		return XF_EXIT_USAGE;
	}
	if (xf_fw_source_check(&args, &source, "replace"))
		return XF_EXIT_USAGE;
	return replace(&args, &source);
}
