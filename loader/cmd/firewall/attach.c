// SPDX-License-Identifier: GPL-2.0-only
/* xdpfun-load firewall attach, confirm: put a rule set on interfaces, for good or on trial. */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/time.h"
#include "loader/cmd/hint_ours.h"
#include "loader/hook/attach.h"
#include "loader/cmd/caps.h"
#include "loader/cmd/firewall/args.h"
#include "loader/firewall/deny.h"
#include "loader/firewall/programs.h"
#include "loader/firewall/named_set.h"
#include "loader/firewall/trial.h"
#include "loader/firewall/tunnels.h"
#include "loader/firewall/ssh_warn.h"
#include "lib/msg.h"
#include "loader/hook/netdev.h"
#include "loader/hook/stack.h"
#include "loader/hook/lock.h"

#define DEFAULT_PRIO 20
#define DEFAULT_INTERFACE "eth0"
#define COMMAND_MAX 2048 /* XF_STRS_MAX interfaces are shorter */

static const char attach_usage[] =
    "Usage: xdpfun-load firewall attach [-i IFACE]... [-m auto|native|skb] [--set NAME]\n"
    "                                   [--policy allow|deny] [--confirm SECONDS] [OPTIONS]\n\n"
    "Attach the firewall to each IFACE (default: eth0), where it goes on without this process until\n"
    "'firewall detach'. All interfaces of a set share its rules, which may be there already.\n"
    "XDP sees received packets only, not what this machine sends.\n";

static const char *const mode_names[] = { "auto", "native", "skb", NULL };

static const struct xf_opt attach_options[] = {
	XF_FW_INTERFACE("interface to attach to; may be repeated (default: eth0)"),
	{ .name = "mode",
	  .short_name = 'm',
	  .type = XF_OPT_ENUM,
	  .arg = "auto|native|skb",
	  .values = mode_names,
	  .offset = offsetof(struct xf_fw_args, mode),
	  .help =
	      "auto (the default): native, or skb if the driver refuses; the others are strict" },
	{ .name = "policy",
	  .type = XF_OPT_ENUM,
	  .arg = "allow|deny",
	  .values = xf_fw_policies,
	  .offset = offsetof(struct xf_fw_args, policy),
	  .help =
	      "what happens to packets that no rule matches (default: as it was, at first allow)" },
	{ .type = XF_OPT_TABLE, .table = xf_fw_confirm_options },
	{ .name = "prio",
	  .short_name = 'P',
	  .type = XF_OPT_U32,
	  .arg = "N",
	  .max = INT32_MAX,
	  .offset = offsetof(struct xf_fw_args, prio),
	  .help = "position in the chain, lower runs first (default: 20)" },
	{ .name = "require-chain",
	  .type = XF_OPT_FLAG,
	  .offset = offsetof(struct xf_fw_args, require_chain),
	  .help = "fail if the next XDP program on IFACE would be refused" },
	{ .type = XF_OPT_TABLE, .table = xf_fw_options },
	{ .type = XF_OPT_END },
};

static const char confirm_usage[] =
    "Usage: xdpfun-load firewall confirm [--set NAME]\n\n"
    "Make permanent what 'attach', 'replace' or 'policy' with --confirm\ntries.\n";

static const struct xf_opt confirm_options[] = {
	{ .type = XF_OPT_TABLE, .table = xf_fw_options },
	{ .type = XF_OPT_END },
};

/* The set is attached already. Returns 0, or -EBUSY after a message when it is attached in another
 * mode than the one that was asked for. */
static int keep(const struct xf_fw_args *args, const struct xf_fw_place *place)
{
	if (args->mode == XF_MODE_AUTO || args->mode == (int)place->mode) {
		xf_info("%s: already attached, program %u in %s mode obeys the set '%s'",
			place->ifname, place->prog_id, xf_mode_name(place->mode), args->set);
		return 0;
	}
	xf_err("%s: already attached in %s mode, not in %s mode", place->ifname,
	       xf_mode_name(place->mode), xf_mode_name(args->mode));
	xf_hint("'xdpfun-load firewall detach -i %s --set %s' first", place->ifname, args->set);
	return -EBUSY;
}

static int attach_new(const struct xf_fw_args *args, const struct xf_named_set *set,
		      const char *ifname, unsigned int ifindex)
{
	struct xf_reuse reuse[XF_FW_MAPS_MAX];
	const struct xf_ruleset_map *maps;
	size_t n = xf_ruleset__maps(set->ruleset, &maps);
	struct xf_attach_opts opts = {
		.embedded = &xf_embedded_firewall,
		.ifname = ifname,
		.ifindex = ifindex,
		.mode = args->mode,
		.prio = args->prio,
		.actions = 1u << XDP_PASS,
		.require_chain = args->require_chain,
		.hint_ours = xf_hint_ours,
		.maps = reuse,
		.n_maps = n,
	};
	struct xf_attached at;
	int err;

	for (size_t i = 0; i < n; i++)
		reuse[i] = (struct xf_reuse) { maps[i].name, maps[i].fd };
	err = xf_attach(&opts, &at);
	if (err)
		return err;
	xf_info("%s: attached program %u in %s mode, priority %u, set '%s', policy %s", ifname,
		at.prog_id, xf_mode_name(at.mode), args->prio, args->set,
		xf_fw_policies[xf_ruleset__denies(set->ruleset)]);
	xf_tunnels_note(ifname, ifindex);
	return 0;
}

static int attach_one(const struct xf_fw_args *args, const struct xf_named_set *set, __u32 root_id,
		      const char *ifname)
{
	struct xf_strs names = { .at = { ifname }, .n = 1 };
	struct xf_fw_place *places;
	struct xf_netdev netdev;
	int n, err = xf_netdev_find(ifname, &netdev);

	if (err)
		return err;
	n = xf_fw_places(&places, &names, root_id);
	if (n < 0)
		return n;
	err = n ? keep(args, &places[0]) : attach_new(args, set, ifname, netdev.ifindex);
	free(places);
	return err;
}

/* Returns how many interfaces the set is not on. */
static int attach_all(const struct xf_fw_args *args, const struct xf_named_set *set, __u32 root_id)
{
	unsigned int ifindexes[XF_STRS_MAX] = {}, order[XF_STRS_MAX];
	struct xf_locks locks = { .fd = -1 };
	struct xf_netdev netdev;
	int failed = 0;

	if (xf_locks__open(&locks))
		return args->interfaces.n;
	for (unsigned int i = 0; i < args->interfaces.n; i++)
		if (!xf_netdev_lookup(args->interfaces.at[i], &netdev))
			ifindexes[i] = netdev.ifindex;
	xf_stack_order(ifindexes, args->interfaces.n, order);
	xf_locks__attach_begin(&locks);
	for (unsigned int i = 0; i < args->interfaces.n; i++)
		failed += !!attach_one(args, set, root_id, args->interfaces.at[order[i]]);
	xf_locks__attach_end(&locks);
	xf_locks__close(&locks);
	return failed;
}

/* The state before this command. */
struct before {
	bool denied, held;
	bool first;  /* packets met no firewall: a trial of it is a first one */
	int further; /* interfaces that did not have the set */
};

/* Nothing is attached: the set is as it was. A trial that is not a first one takes the policy
 * back itself. */
static void undo(const struct xf_fw_args *args, const struct xf_named_set *set,
		 const struct before *before)
{
	if (args->confirm_ns && before->first)
		xf_ruleset__resume(set->ruleset);
	else if (args->confirm_ns)
		xf_ruleset__end_trial(set->ruleset);
	if (before->held)
		xf_ruleset__hold(set->ruleset); /* again */
	if (xf_ruleset__denies(set->ruleset) != before->denied)
		xf_ruleset__set_policy(set->ruleset, before->denied);
}

/* On how many of the interfaces the set is not yet, or -errno after a message. */
static int count_further(const struct xf_fw_args *args, __u32 root_id)
{
	struct xf_fw_place *places;
	int n = xf_fw_places(&places, &args->interfaces, root_id);

	free(places);
	return n < 0 ? n : (int)args->interfaces.n - n;
}

/* A trial is one of the set. Where it holds already the packets of a further interface would meet
 * it for good. */
static int refuse_further(const struct xf_fw_args *args)
{
	xf_err("cannot try the set '%s' on a further interface: it is in use, and what is tried is "
	       "the set, not where it is attached",
	       args->set);
	xf_hint("try a set of its own there (--set), or attach without --confirm");
	return -EINVAL;
}

/* "COMMAND -i eth0 -i eth1 --set default" */
static int put_command(char command[COMMAND_MAX], const char *name, const struct xf_fw_args *args)
{
	int len = snprintf(command, COMMAND_MAX, "xdpfun-load firewall %s", name);

	for (unsigned int i = 0; i < args->interfaces.n; i++)
		len += snprintf(command + len, COMMAND_MAX - len, " -i %s", args->interfaces.at[i]);
	return len + snprintf(command + len, COMMAND_MAX - len, " --set %s", args->set);
}

/* The policy deny is about to hold where it did not. */
static void warn_of_others(const struct xf_fw_args *args, const struct xf_named_set *set,
			   const struct before *before, uint64_t now)
{
	char undo[COMMAND_MAX], trial[COMMAND_MAX];
	struct xf_fw_deny deny = {
		.set = set,
		.interfaces = &args->interfaces,
		.begins = !before->denied || before->held,
	};
	int len = put_command(trial, "attach", args);

	snprintf(trial + len, COMMAND_MAX - len, " --policy deny --confirm 60");
	if (deny.begins && !before->first)
		snprintf(undo, COMMAND_MAX, "xdpfun-load firewall policy --set %s allow",
			 args->set);
	else
		put_command(undo, "detach", args);
	if (!args->confirm_ns)
		deny.undo = undo;
	if (before->first || (!before->further && !xf_ruleset__trial(set->ruleset, now)))
		deny.trial = trial;
	xf_fw_deny_warn(&deny);
}

/* Warn of packets that the session and others would miss. */
static void warn(const struct xf_fw_args *args, const struct xf_named_set *set,
		 const struct before *before, bool deny, uint64_t now)
{
	struct xf_ssh_warn warn;

	xf_ssh_warn__init(&warn);
	xf_ssh_warn__see_all(&warn, set->ruleset, now);
	xf_ssh_warn__say(&warn, deny, args->set);
	if (deny)
		warn_of_others(args, set, before, now);
}

static int prepare(const struct xf_fw_args *args, const struct xf_named_set *set, __u32 root_id,
		   struct before *before)
{
	uint64_t now = xf_now_ns(CLOCK_BOOTTIME);
	bool deny = args->policy < 0 ? xf_ruleset__denies(set->ruleset) : args->policy;
	int err = 0, users = xf_fw_users(args->set, root_id, NULL, 0);

	if (users < 0)
		return users;
	before->denied = xf_ruleset__denies(set->ruleset);
	before->held = xf_ruleset__held(set->ruleset, now);
	before->first = !users || before->held;
	before->further = count_further(args, root_id);
	if (before->further < 0)
		return before->further;
	if (args->confirm_ns && !before->first && before->further)
		return refuse_further(args);
	warn(args, set, before, deny, now);
	if (args->confirm_ns && before->first)
		err = xf_ruleset__try_first(set->ruleset, now + args->confirm_ns);
	else if (args->confirm_ns)
		err = xf_ruleset__try(set->ruleset, deny, now + args->confirm_ns);
	else if (before->held)
		xf_ruleset__resume(set->ruleset);
	if (err)
		xf_fw_trial__explain(set, err);
	if (err || deny == xf_ruleset__denies(set->ruleset))
		return err;
	err = xf_ruleset__set_policy(set->ruleset, deny);
	if (err) {
		xf_named_set__explain(set, "set the policy of", err);
		undo(args, set, before);
	}
	return err;
}

static int attach(struct xf_fw_args *args)
{
	struct xf_netdev netdevs[XF_STRS_MAX];
	struct xf_named_set set;
	struct before before;
	__u32 root_id;
	int err, failed;

	/* Before anything is made. */
	if (xf_caps_check("firewall attach") || xf_cmd_resolve(&args->interfaces, netdevs) ||
	    xf_fw_begin("firewall attach") || xf_named_set__open(&set, args->set, XF_FW_ATTACH))
		return XF_EXIT_FAILED;
	root_id = xf_fw_pins__root_id(&set.pins);
	err = prepare(args, &set, root_id, &before);
	failed = err ? (int)args->interfaces.n : attach_all(args, &set, root_id);
	if (failed == (int)args->interfaces.n && set.created)
		xf_fw_pins__remove(&set.pins); /* no packet has met it */
	else if (!err && failed == (int)args->interfaces.n)
		undo(args, &set, &before);
	else if (!err && args->confirm_ns)
		xf_fw_trial__announce(&set, args->confirm_ns);
	else if (!err)
		xf_fw_trial__remind(&set);
	xf_named_set__close(&set);
	return failed ? XF_EXIT_FAILED : XF_EXIT_OK;
}

int xf_fw_attach(int argc, char **argv)
{
	struct xf_fw_args args = { .prio = DEFAULT_PRIO };
	int status = xf_fw_args__parse(&args, attach_options, attach_usage, argc, argv, NULL);

	if (status >= 0)
		return status;
	if (!args.interfaces.n)
		args.interfaces.at[args.interfaces.n++] = DEFAULT_INTERFACE;
	return attach(&args);
}

static int confirm(const struct xf_fw_args *args)
{
	struct xf_named_set set;
	int err;

	if (xf_fw_begin("firewall confirm") || xf_named_set__open(&set, args->set, XF_FW_CHANGE))
		return XF_EXIT_FAILED;
	err = xf_fw_trial__confirm(&set);
	xf_named_set__close(&set);
	return err ? XF_EXIT_FAILED : XF_EXIT_OK;
}

int xf_fw_confirm(int argc, char **argv)
{
	struct xf_fw_args args = {};
	int status = xf_fw_args__parse(&args, confirm_options, confirm_usage, argc, argv, NULL);

	return status >= 0 ? status : confirm(&args);
}
