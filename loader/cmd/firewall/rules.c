// SPDX-License-Identifier: GPL-2.0-only
/* xdpfun-load firewall add, del: single rules. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/time.h"
#include "loader/cmd/firewall/change.h"
#include "lib/msg.h"

#define EXIST_OPTION(text)                                                                         \
	{                                                                                          \
		.name = "exist", .type = XF_OPT_FLAG,                                              \
		.offset = offsetof(struct xf_fw_args, exist), .help = text                         \
	}

static const char add_usage[] =
    "Usage: xdpfun-load firewall add [--set NAME] RULE\n"
    "       xdpfun-load firewall add [--set NAME] -\n"
    "       xdpfun-load firewall add [--set NAME] [--mask] allow|deny -\n\n"
    "Add a rule, or the rules on standard input (one a line, each at once, until it ends), or allow or deny\n"
    "the addresses there. A set is made if there is none.\n\n"
    "RULE: allow|deny [from PREFIX] [to PREFIX] [proto tcp|udp|icmp|gre|...|N]\n"
    "      [sport N[-M]] [dport N[-M]] [ether MAC] [established] [ttl SECONDS]\n";

static const struct xf_opt add_options[] = {
	EXIST_OPTION(
	    "a rule that is there already is no failure (the longer ttl holds in any case)"),
	{ .type = XF_OPT_TABLE, .table = xf_fw_input_options },
	{ .type = XF_OPT_TABLE, .table = xf_fw_options },
	{ .type = XF_OPT_END },
};

static const char del_usage[] =
    "Usage: xdpfun-load firewall del [--set NAME] RULE\n"
    "       xdpfun-load firewall del [--set NAME] -\n"
    "       xdpfun-load firewall del [--set NAME] [--mask] allow|deny -\n\n"
    "Take a rule, or the rules on standard input, or those for the addresses there, out of a set. The rule\n"
    "is named as it was added; its ttl does not matter.\n";

static const struct xf_opt del_options[] = {
	EXIST_OPTION("a rule that is not there is no failure"),
	{ .type = XF_OPT_TABLE, .table = xf_fw_input_options },
	{ .type = XF_OPT_TABLE, .table = xf_fw_options },
	{ .type = XF_OPT_END },
};

/* By enum xf_fw_change. */
static const char *const verbs[] = { "add", "del" };
static const char *const names[] = { "firewall add", "firewall del" };

/* The words with blanks between them. Returns the length, or -EINVAL when they are too long for any
 * rule. */
static int join(const struct xf_rest *words, char *text, size_t size)
{
	size_t len = 0;

	text[0] = '\0';
	for (int i = 0; i < words->n && len < size; i++)
		len += snprintf(text + len, size - len, "%s%s", i ? " " : "", words->at[i]);
	return len < size ? (int)len : -EINVAL;
}

static int parse_words(const struct xf_rest *words, struct xf_rule *rule)
{
	struct xf_rule_error error;
	char text[1024];
	int len = join(words, text, sizeof(text)), ret;

	if (len < 0) {
		xf_err("that is too long for a rule");
		return len;
	}
	ret = xf_rule_parse(text, len, rule, &error);
	if (ret == 1)
		return 0;
	if (ret == 0)
		xf_err("there is no rule, expected one as in 'deny from 192.0.2.0/24', or '-' for "
		       "standard input");
	else
		xf_err("rule, column %u: %s", error.column, error.text);
	xf_hint("%s%s'--help' shows what a rule is made of", ret ? text : "", ret ? "; " : "");
	return -EINVAL;
}

/* Returns 0 with --exist. */
static int say_present(const struct xf_fw_args *args, struct xf_named_set *set,
		       const struct xf_rule *rule, uint64_t now)
{
	char life[64] = "for ever";
	uint32_t ttl = 0;

	if (xf_ruleset__ttl(set->ruleset, rule, now, &ttl))
		return -EEXIST; /* cannot be: the set is locked, and it was just there */
	if (ttl)
		snprintf(life, sizeof(life), "for %" PRIu32 " more seconds", ttl);
	if (!args->exist)
		xf_err("this rule is in the set '%s' already, %s", args->set, life);
	else if (rule->ttl && (!ttl || ttl > rule->ttl))
		xf_info("this rule is in the set '%s' already, %s, which is longer", args->set,
			life);
	return args->exist ? 0 : -EEXIST;
}

static int add(const struct xf_fw_args *args, struct xf_named_set *set, const struct xf_rule *rule)
{
	uint64_t now = xf_now_ns(CLOCK_BOOTTIME);
	int err = xf_ruleset__add(set->ruleset, rule, now);

	if (err == -EEXIST)
		return say_present(args, set, rule, now);
	if (err)
		xf_named_set__explain(set, "add the rule to", err);
	return err;
}

static int del(const struct xf_fw_args *args, struct xf_named_set *set, const struct xf_rule *rule)
{
	int err = xf_ruleset__del(set->ruleset, rule, xf_now_ns(CLOCK_BOOTTIME));

	if (err == -ENOENT && args->exist)
		return 0;
	if (err == -ENOENT) {
		xf_err("there is no such rule in the set '%s'", args->set);
		xf_hint("'xdpfun-load firewall list --set %s' shows its rules", args->set);
	} else if (err) {
		xf_named_set__explain(set, "take the rule out of", err);
	}
	return err;
}

static void warn_if_bad(const struct xf_named_set *set, const struct xf_rule *rule, bool added)
{
	struct xf_ssh_warn warn;

	xf_ssh_warn__init(&warn);
	if (!xf_ssh_warn__concerns(&warn, rule, added))
		return;
	xf_ssh_warn__before(&warn, set->ruleset, xf_now_ns(CLOCK_BOOTTIME), rule, added,
			    set->pins.name);
}

static int change_many(const struct xf_fw_args *args, const struct xf_fw_source *source,
		       enum xf_fw_change what)
{
	if (xf_fw_source_check(args, source, verbs[what]))
		return XF_EXIT_USAGE;
	return xf_fw_begin(names[what]) ? XF_EXIT_FAILED : xf_fw_stream(args, source, what);
}

static int change_one(const struct xf_fw_args *args, const struct xf_rest *words,
		      enum xf_fw_change what)
{
	bool adding = what == XF_FW_ADD;
	struct xf_named_set set;
	struct xf_rule rule;
	int err;

	if (xf_fw_source_check(args, NULL, verbs[what]) || parse_words(words, &rule))
		return XF_EXIT_USAGE;
	if (!adding && rule.protect) {
		xf_err("'firewall protect --remove' alone takes back what is protected");
		return XF_EXIT_USAGE;
	}
	if (xf_fw_begin(names[what]) ||
	    xf_named_set__open(&set, args->set, adding ? XF_FW_CREATE : XF_FW_CHANGE))
		return XF_EXIT_FAILED;
	warn_if_bad(&set, &rule, adding);
	err = adding ? add(args, &set, &rule) : del(args, &set, &rule);
	xf_named_set__close(&set);
	return err ? XF_EXIT_FAILED : XF_EXIT_OK;
}

static int change(int argc, char **argv, enum xf_fw_change what)
{
	bool adding = what == XF_FW_ADD;
	struct xf_fw_args args = {};
	struct xf_fw_source source;
	struct xf_rest words;
	int status = xf_fw_args__parse(&args, adding ? add_options : del_options,
				       adding ? add_usage : del_usage, argc, argv, &words);

	if (status >= 0)
		return status;
	if (xf_fw_source_of(&words, &source) && !strcmp(source.path, "-"))
		return change_many(&args, &source, what);
	return change_one(&args, &words, what);
}

int xf_fw_add(int argc, char **argv)
{
	return change(argc, argv, XF_FW_ADD);
}

int xf_fw_del(int argc, char **argv)
{
	return change(argc, argv, XF_FW_DEL);
}
