// SPDX-License-Identifier: GPL-2.0-only
/* xdpfun-load firewall policy, flush: changes of a set as a whole. */
#include <stdio.h>
#include <string.h>

#include "lib/time.h"
#include "loader/cmd/firewall/args.h"
#include "loader/firewall/deny.h"
#include "loader/firewall/named_set.h"
#include "loader/firewall/trial.h"
#include "loader/firewall/ssh_warn.h"
#include "lib/msg.h"

#define COMMAND_MAX 128

static const char policy_usage[] =
    "Usage: xdpfun-load firewall policy [--set NAME] [--confirm SECONDS] allow|deny\n\n"
    "What happens to packets that no rule matches. Under deny these still pass: ARP, IPv6 neighbour\n"
    "discovery, MLD and IGMP, ICMP errors, DHCP replies, and packets of TCP and UDP connections that this\n"
    "machine has.\n";

static const char flush_usage[] =
    "Usage: xdpfun-load firewall flush [--set NAME]\n\n"
    "Take all rules out of a set. The policy stays, and so does what is protected.\n";

static const struct xf_opt policy_options[] = {
	{ .type = XF_OPT_TABLE, .table = xf_fw_confirm_options },
	{ .type = XF_OPT_TABLE, .table = xf_fw_options },
	{ .type = XF_OPT_END },
};

static const struct xf_opt flush_options[] = {
	{ .type = XF_OPT_TABLE, .table = xf_fw_options },
	{ .type = XF_OPT_END },
};

static void warn_of_session(const struct xf_named_set *set, uint64_t now)
{
	struct xf_ssh_warn warn;

	xf_ssh_warn__init(&warn);
	xf_ssh_warn__see_all(&warn, set->ruleset, now);
	xf_ssh_warn__say(&warn, true, set->pins.name);
}

static void warn_of_others(const struct xf_fw_args *args, const struct xf_named_set *set,
			   uint64_t now)
{
	const struct xf_strs none = {};
	char undo[COMMAND_MAX], trial[COMMAND_MAX];
	struct xf_fw_deny deny = { .set = set, .interfaces = &none, .begins = true };

	snprintf(undo, sizeof(undo), "xdpfun-load firewall policy --set %s allow", args->set);
	snprintf(trial, sizeof(trial), "xdpfun-load firewall policy --set %s --confirm 60 deny",
		 args->set);
	if (!args->confirm_ns)
		deny.undo = undo;
	if (!xf_ruleset__trial(set->ruleset, now))
		deny.trial = trial;
	xf_fw_deny_warn(&deny);
}

static int change_policy(const struct xf_fw_args *args, const struct xf_named_set *set, bool deny)
{
	uint64_t now = xf_now_ns(CLOCK_BOOTTIME);
	int err = args->confirm_ns ? xf_fw_trial__check(set) : 0;

	if (err)
		return err;
	if (deny)
		warn_of_session(set, now);
	if (deny && !xf_ruleset__denies(set->ruleset) && !xf_ruleset__held(set->ruleset, now))
		warn_of_others(args, set, now);
	if (args->confirm_ns) {
		err = xf_ruleset__try(set->ruleset, deny, now + args->confirm_ns);
		if (err)
			xf_fw_trial__explain(set, err);
		else
			xf_fw_trial__announce(set, args->confirm_ns);
		return err;
	}
	err = xf_ruleset__set_policy(set->ruleset, deny);
	if (err)
		xf_named_set__explain(set, "set the policy of", err);
	else
		xf_fw_trial__remind(set);
	return err;
}

static int set_policy(const struct xf_fw_args *args, bool deny)
{
	struct xf_named_set set;
	int err;

	if (xf_fw_begin("firewall policy") || xf_named_set__open(&set, args->set, XF_FW_CREATE))
		return XF_EXIT_FAILED;
	err = change_policy(args, &set, deny);
	if (err && set.created)
		xf_fw_pins__remove(&set.pins);
	xf_named_set__close(&set);
	return err ? XF_EXIT_FAILED : XF_EXIT_OK;
}

int xf_fw_policy(int argc, char **argv)
{
	struct xf_fw_args args = {};
	struct xf_rest words;
	int status = xf_fw_args__parse(&args, policy_options, policy_usage, argc, argv, &words);

	if (status >= 0)
		return status;
	for (int deny = 0; words.n == 1 && xf_fw_policies[deny]; deny++)
		if (!strcmp(words.at[0], xf_fw_policies[deny]))
			return set_policy(&args, deny);
	if (words.n)
		xf_err("policy: expected allow or deny, not '%s'", words.at[words.n - 1]);
	else
		xf_err("policy: expected allow or deny; 'firewall stats' shows what it is");
	return XF_EXIT_USAGE;
}

static int flush(const struct xf_fw_args *args)
{
	struct xf_ssh_warn warn;
	struct xf_named_set set;
	int err;

	if (xf_fw_begin("firewall flush") || xf_named_set__open(&set, args->set, XF_FW_CHANGE))
		return XF_EXIT_FAILED;
	xf_ssh_warn__init(&warn);
	xf_ssh_warn__see_protecting(&warn, set.ruleset, xf_now_ns(CLOCK_BOOTTIME));
	xf_ssh_warn__say(&warn, xf_ruleset__denies(set.ruleset), args->set);
	err = xf_ruleset__flush(set.ruleset);
	if (err)
		xf_named_set__explain(&set, "flush", err);
	xf_named_set__close(&set);
	return err ? XF_EXIT_FAILED : XF_EXIT_OK;
}

int xf_fw_flush(int argc, char **argv)
{
	struct xf_fw_args args = {};
	int status = xf_fw_args__parse(&args, flush_options, flush_usage, argc, argv, NULL);

	return status >= 0 ? status : flush(&args);
}
