// SPDX-License-Identifier: GPL-2.0-only
/* xdpfun-load firewall detach: take a rule set off interfaces, and with --purge away. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "loader/hook/attach.h"
#include "loader/hook/refusal.h"
#include "loader/hook/stack.h"
#include "loader/cmd/firewall/args.h"
#include "loader/firewall/programs.h"
#include "loader/firewall/named_set.h"
#include "lib/msg.h"
#include "lib/time.h"
#include "loader/hook/lock.h"
#include "loader/hook/netdev.h"

#define GONE_TRIES 50 /* the kernel frees a program some time after it is detached */
#define GONE_STEP_MS 20

static const char usage[] =
    "Usage: xdpfun-load firewall detach [-i IFACE]... [--set NAME] [--purge]\n\n"
    "Take the firewall off each IFACE (default: all interfaces of the set). The rules stay, and the next\n"
    "'attach' uses them again, unless --purge is given.\n";

static const struct xf_opt options[] = {
	XF_FW_INTERFACE("interface to take it off; may be repeated (default: all)"),
	{ .name = "purge",
	  .type = XF_OPT_FLAG,
	  .offset = offsetof(struct xf_fw_args, purge),
	  .help = "remove the set, too, with its rules, policy and counters" },
	{ .type = XF_OPT_TABLE, .table = xf_fw_options },
	{ .type = XF_OPT_END },
};

/* Returns 0, or -errno after a message. */
static int detach_one(const struct xf_fw_args *args, const struct xf_fw_place *place)
{
	int err = xf_detach(place->ifindex, place->prog_id);

	if (err && err != -ENOENT) {
		xf_refusal_detach(place->ifname, place->prog_id, err);
		return err;
	}
	xf_info("%s: removed program %u of the set '%s'", place->ifname, place->prog_id, args->set);
	return 0;
}

/* Detach from interfaces upon others first. Returns how many could not be detached. */
static int detach_places(const struct xf_fw_args *args, const struct xf_fw_place *places,
			 unsigned int n)
{
	unsigned int ifindexes[n], order[n];
	int failed = 0;

	for (unsigned int i = 0; i < n; i++)
		ifindexes[i] = places[i].ifindex;
	xf_stack_order(ifindexes, n, order);
	for (unsigned int i = n; i-- > 0;)
		failed += !!detach_one(args, &places[order[i]]);
	return failed;
}

/* Returns how many could not be detached; the others are left in *@places. */
static int detach_all(const struct xf_fw_args *args, __u32 root_id, struct xf_fw_place **places,
		      int *n)
{
	struct xf_locks locks = { .fd = -1 };
	int failed;

	if (xf_locks__open(&locks))
		return 1;
	xf_locks__attach_begin(&locks);
	*n = xf_fw_places(places, &args->interfaces, root_id);
	failed = *n < 0 ? 1 : xf_fw_count_absent(&args->interfaces, args->set, *places, *n);
	if (*n > 0)
		failed += detach_places(args, *places, *n);
	if (!*n && !args->interfaces.n && !args->purge) {
		xf_err("the set '%s' is attached to no interface of this network namespace",
		       args->set);
		failed++;
	}
	xf_locks__attach_end(&locks);
	xf_locks__close(&locks);
	return failed;
}

/* How many other programs still obey the set, when the last detached ones have had time to go. */
static int users_left(const char *set, __u32 root_id, const struct xf_fw_place *detached, int n)
{
	const struct timespec step = { .tv_nsec = GONE_STEP_MS * XF_MSEC };
	int users = xf_fw_users(set, root_id, detached, n);

	for (int tries = 0; users > 0 && tries < GONE_TRIES; tries++) {
		nanosleep(&step, NULL);
		users = xf_fw_users(set, root_id, detached, n);
	}
	return users;
}

static int purge(struct xf_fw_pins *pins, int users)
{
	int err;

	if (users < 0)
		return users;
	if (users) {
		xf_err("the set '%s' is not removed, programs that obey it: %d, on interfaces that "
		       "were not named or are in other network namespaces",
		       pins->name, users);
		xf_hint("'xdpfun-load firewall detach --set %s' there first", pins->name);
		return -EBUSY;
	}
	err = xf_fw_pins__remove(pins);
	if (!err)
		xf_info("removed the set '%s'", pins->name);
	return err;
}

static int detach(const struct xf_fw_args *args, struct xf_fw_pins *pins)
{
	__u32 root_id = xf_fw_pins__root_id(pins);
	struct xf_fw_place *places = NULL;
	int n = 0, failed = detach_all(args, root_id, &places, &n);

	if (args->purge && !failed)
		failed = !!purge(pins, root_id ? users_left(pins->name, root_id, places, n) : 0);
	else if (!failed)
		xf_info("the rules of the set '%s' stay for the next 'attach'; 'detach --purge' "
			"removes them",
			args->set);
	free(places);
	return failed;
}

static int run(struct xf_fw_args *args)
{
	struct xf_netdev netdevs[XF_STRS_MAX];
	struct xf_fw_pins pins;
	int failed, err;

	if (xf_fw_begin("firewall detach") || xf_cmd_resolve(&args->interfaces, netdevs))
		return XF_EXIT_FAILED;
	/* Not its table: a set of another version can be detached as well. */
	err = xf_fw_pins__open(&pins, args->set, true);
	if (err) {
		if (err == -ENOENT)
			xf_named_set__missing(args->set);
		return XF_EXIT_FAILED;
	}
	failed = detach(args, &pins);
	xf_fw_pins__close(&pins);
	return failed ? XF_EXIT_FAILED : XF_EXIT_OK;
}

int xf_fw_detach(int argc, char **argv)
{
	struct xf_fw_args args = {};
	int status = xf_fw_args__parse(&args, options, usage, argc, argv, NULL);

	return status >= 0 ? status : run(&args);
}
