// SPDX-License-Identifier: GPL-2.0-only
/* xdpfun-load firewall protect: addresses that no other rule can deny. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "firewall/rule/prefix.h"
#include "lib/msg.h"
#include "lib/time.h"
#include "loader/cmd/firewall/args.h"
#include "loader/firewall/named_set.h"
#include "loader/firewall/ssh_warn.h"

static const char usage[] =
    "Usage: xdpfun-load firewall protect [--set NAME] [--remove] PREFIX...\n\n"
    "Let all packets from each PREFIX pass, whatever rules deny them and whatever the policy is. This stays\n"
    "when rules are replaced or flushed, until --remove takes it back. A set is made if there is none.\n";

static const struct xf_opt options[] = {
	{ .name = "remove",
	  .type = XF_OPT_FLAG,
	  .offset = offsetof(struct xf_fw_args, remove),
	  .help = "protect each PREFIX no more" },
	{ .type = XF_OPT_TABLE, .table = xf_fw_options },
	{ .type = XF_OPT_END },
};

/* Returns 0, or -EINVAL after a message. */
static int parse(const char *text, struct xf_rule *rule)
{
	size_t offset = 0;
	char why[128];
	int family;

	*rule = (struct xf_rule) { .protect = true, .has = XF_RULE_SRC };
	family = xf_rule_prefix_parse(text, strlen(text), false, &rule->src, why, &offset);
	if (family < 0) {
		xf_err("'%s', column %zu: %s", text, offset + 1, why);
		return family;
	}
	rule->family = family;
	return 0;
}

static int protect(const struct xf_named_set *set, const struct xf_rule *rule, const char *text)
{
	int err = xf_ruleset__add(set->ruleset, rule, xf_now_ns(CLOCK_BOOTTIME));

	if (err == -EEXIST) {
		xf_info("%s is protected already in the set '%s'", text, set->pins.name);
		return 0;
	}
	if (err)
		xf_named_set__explain(set, "protect addresses in", err);
	return err;
}

static int unprotect(const struct xf_named_set *set, const struct xf_rule *rule, const char *text)
{
	uint64_t now = xf_now_ns(CLOCK_BOOTTIME);
	struct xf_ssh_warn warn;
	int err;

	xf_ssh_warn__init(&warn);
	if (xf_ssh_warn__concerns(&warn, rule, false))
		xf_ssh_warn__before(&warn, set->ruleset, now, rule, false, set->pins.name);
	err = xf_ruleset__del(set->ruleset, rule, now);
	if (err == -ENOENT) {
		xf_err("%s is not protected in the set '%s'", text, set->pins.name);
		xf_hint("'xdpfun-load firewall list --set %s' shows those that are",
			set->pins.name);
	} else if (err) {
		xf_named_set__explain(set, "protect addresses no more in", err);
	}
	return err;
}

/* Returns the exit status. */
static int change(const struct xf_fw_args *args, const struct xf_rest *words,
		  const struct xf_rule *rules)
{
	struct xf_named_set set;
	int failed = 0;

	if (xf_fw_begin("firewall protect") ||
	    xf_named_set__open(&set, args->set, args->remove ? XF_FW_CHANGE : XF_FW_CREATE))
		return XF_EXIT_FAILED;
	for (int i = 0; i < words->n; i++)
		failed += !!(args->remove ? unprotect(&set, &rules[i], words->at[i])
					  : protect(&set, &rules[i], words->at[i]));
	xf_named_set__close(&set);
	return failed ? XF_EXIT_FAILED : XF_EXIT_OK;
}

int xf_fw_protect(int argc, char **argv)
{
	struct xf_fw_args args = {};
	struct xf_rule *rules;
	struct xf_rest words;
	int status = xf_fw_args__parse(&args, options, usage, argc, argv, &words);

	if (status >= 0)
		return status;
	if (!words.n) {
		xf_err("protect: expected an address or a prefix, as in 192.0.2.0/24");
		xf_hint("'xdpfun-load firewall list' shows those that are protected");
		return XF_EXIT_USAGE;
	}
	rules = calloc(words.n, sizeof(*rules));
	if (!rules)
		return XF_EXIT_FAILED;
	status = -1;
	for (int i = 0; i < words.n && status < 0; i++)
		if (parse(words.at[i], &rules[i]))
			status = XF_EXIT_USAGE;
	if (status < 0)
		status = change(&args, &words, rules);
	free(rules);
	return status;
}
