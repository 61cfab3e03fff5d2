// SPDX-License-Identifier: GPL-2.0-only
/* xdpfun-load unload: remove xdpfun programs that have no living owner, and no others. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/hook/attach.h"
#include "loader/hook/refusal.h"
#include "loader/hook/stack.h"
#include "loader/hook/bpffs.h"
#include "loader/hook/hints.h"
#include "loader/cmd/caps.h"
#include "loader/cmd/cmd.h"
#include "loader/cmd/inventory.h"
#include "lib/msg.h"

struct unload_args {
	struct xf_strs interfaces;
	bool all;
	bool force;
	struct xf_common_args common;
};

static const char usage[] =
    "Usage: xdpfun-load unload -i IFACE... | --all  [--force]\n\n"
    "Remove the xdpfun programs whose loader died, and those that something else loaded, from each IFACE.\n"
    "Programs that are not xdpfun's are never touched, nor is a firewall that 'firewall attach' made.\n";

static const struct xf_opt options[] = {
	{ .name = "interface",
	  .short_name = 'i',
	  .type = XF_OPT_LIST,
	  .arg = "IFACE",
	  .offset = offsetof(struct unload_args, interfaces),
	  .help = "interface to clean; may be repeated" },
	{ .name = "all",
	  .type = XF_OPT_FLAG,
	  .offset = offsetof(struct unload_args, all),
	  .help = "clean every interface" },
	{ .name = "force",
	  .type = XF_OPT_FLAG,
	  .offset = offsetof(struct unload_args, force),
	  .help = "remove also programs whose loader is running" },
	{ .type = XF_OPT_TABLE,
	  .table = xf_common_options,
	  .offset = offsetof(struct unload_args, common) },
	{ .type = XF_OPT_END },
};

/* A firewall stays on purpose without a process, and a clean-up after loggers must not turn it off:
 * --all passes it with a message, and -i fails. */
static int leave_firewall(const struct xf_inventory *inv, unsigned int i, bool named)
{
	const char *set = inv->prog[i].set;

	if (!named) {
		xf_info("%s: left program %u, the firewall of the set '%s'", inv->ifname,
			inv->chain.prog[i].id, set);
		return 0;
	}
	xf_err("%s: program %u is the firewall of the set '%s', which only 'firewall detach' "
	       "removes",
	       inv->ifname, inv->chain.prog[i].id, set);
	xf_hint("'xdpfun-load firewall detach -i %s --set %s'", inv->ifname, set);
	return -EBUSY;
}

static const char *why(const struct xf_inventory_prog *prog)
{
	switch (prog->owner_state) {
	case XF_OWNER_NONE:
		return "which something else loaded";
	case XF_OWNER_DEAD:
		return "whose loader died";
	case XF_OWNER_ALIVE:
		return "whose loader is still running";
	}
	return "";
}

/* Returns 0 when the program is gone, else -errno after a message. */
static int remove_prog(const struct xf_inventory *inv, unsigned int i, bool force)
{
	const struct xf_inventory_prog *prog = &inv->prog[i];
	__u32 id = inv->chain.prog[i].id;
	int err;

	if (prog->owner_state == XF_OWNER_ALIVE && !force) {
		xf_err("%s: program %u belongs to process %u, which is running", inv->ifname, id,
		       prog->owner.pid);
		xf_hint("end that process, or use --force");
		return -EBUSY;
	}
	err = xf_detach(inv->ifindex, id);
	if (err && err != -ENOENT) {
		xf_refusal_detach(inv->ifname, id, err);
		return err;
	}
	xf_info("%s: removed program %u, %s", inv->ifname, id, why(prog));
	return 0;
}

/* A dispatcher that cannot be read may have an xdpfun in it. Returns -EBUSY after a message for
 * one. */
static int check_readable(const struct xf_inventory *inv)
{
	if (inv->chain.kind != XF_CHAIN_PINS && inv->chain.kind != XF_CHAIN_VERSION)
		return 0;
	xf_err("%s: cannot read its dispatcher (id %u): %s", inv->ifname, inv->chain.main_id,
	       inv->chain.kind == XF_CHAIN_PINS
		   ? "its pins are not in our bpffs"
		   : "it has another protocol version than our libxdp");
	if (inv->chain.kind == XF_CHAIN_PINS)
		xf_hint_other_bpffs();
	else
		xf_hint("use the release of libxdp that made it");
	return -EBUSY;
}

struct counts {
	int removed, failed, left;
};

static void unload_from(const struct xf_inventory *inv, const struct unload_args *args,
			struct counts *counts)
{
	counts->failed += !args->all && check_readable(inv);
	for (unsigned int i = 0; i < inv->chain.n; i++) {
		if (inv->prog[i].kind == XF_INVENTORY_FOREIGN)
			continue;
		if (inv->prog[i].set[0]) {
			counts->failed += !!leave_firewall(inv, i, !args->all);
			counts->left++;
		} else if (remove_prog(inv, i, args->force)) {
			counts->failed++;
		} else {
			counts->removed++;
		}
	}
}

/* Interfaces upon others first. */
static int unload(const struct xf_inventory *invs, unsigned int n, const struct unload_args *args)
{
	unsigned int ifindexes[n ? n : 1], order[n ? n : 1];
	struct counts counts = {};

	for (unsigned int i = 0; i < n; i++)
		ifindexes[i] = invs[i].ifindex;
	xf_stack_order(ifindexes, n, order);
	for (unsigned int i = n; i-- > 0;)
		unload_from(&invs[order[i]], args, &counts);
	if (!counts.removed && !counts.failed && !counts.left)
		xf_info("there is no xdpfun program to remove");
	return counts.failed ? XF_EXIT_FAILED : XF_EXIT_OK;
}

static int run(const struct unload_args *args)
{
	struct xf_locks locks = { .fd = -1 };
	struct xf_inventory *invs = NULL;
	int n, status = XF_EXIT_FAILED;

	if (xf_caps_check("unload") || xf_locks__open(&locks))
		return XF_EXIT_FAILED;
	xf_bpffs_prepare();
	xf_locks__attach_begin(&locks);
	n = xf_inventory_read(&invs, &args->interfaces, &locks);
	if (n >= 0)
		status = unload(invs, n, args);
	xf_locks__attach_end(&locks);
	free(invs);
	xf_locks__close(&locks);
	return status;
}

int xf_cmd_unload(int argc, char **argv)
{
	struct unload_args args = {};
	int status = xf_cmd_parse(options, usage, argc, argv, &args, &args.common);

	if (status >= 0)
		return status;
	if (args.all == !!args.interfaces.n) {
		xf_err("%s", args.all ? "-i and --all exclude each other"
				      : "which interface? name it with -i, or give --all");
		return XF_EXIT_USAGE;
	}
	return run(&args);
}
