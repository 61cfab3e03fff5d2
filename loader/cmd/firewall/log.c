// SPDX-License-Identifier: GPL-2.0-only
/* xdpfun-load firewall log: the packets that a rule set drops, and by which rule. */
#include <errno.h>
#include <stdlib.h>

#include "loader/cmd/firewall/args.h"
#include "loader/firewall/programs.h"
#include "loader/firewall/named_set.h"
#include "loader/firewall/drop_reason.h"
#include "lib/msg.h"
#include "loader/hook/netdev.h"
#include "loader/cmd/log_args.h"
#include "loader/cmd/run.h"

static const char usage[] =
    "Usage: xdpfun-load firewall log [--set NAME] [-i IFACE]... [OPTIONS]\n\n"
    "Print a line for each packet that the set's program on each IFACE (default: all interfaces of the set)\n"
    "drops, with the rule that denied it, until Ctrl-C. Nothing is attached or detached.\n";

static const struct xf_opt options[] = {
	{ .name = "set",
	  .type = XF_OPT_STR,
	  .arg = "NAME",
	  .offset = offsetof(struct xf_log_args, set),
	  .help = "the rule set (default: default)" },
	{ .name = "interface",
	  .short_name = 'i',
	  .type = XF_OPT_LIST,
	  .arg = "IFACE",
	  .offset = offsetof(struct xf_log_args, interfaces),
	  .help = "interface to read; may be repeated (default: all of the set)" },
	{ .type = XF_OPT_TABLE, .table = xf_output_options },
	{ .type = XF_OPT_TABLE, .table = xf_log_options },
	{ .type = XF_OPT_END },
};

struct fw_log {
	struct xf_named_set set;
	struct xf_netdev netdevs[XF_STRS_MAX];
	struct xf_fw_place *places;
	int n;
};

/* The interfaces that are to be read, in args. Returns 0, or -errno after a message. */
static int choose(struct xf_log_args *args, const struct fw_log *log)
{
	if (xf_fw_count_absent(&args->interfaces, args->set, log->places, log->n))
		return -ENOENT;
	if (args->interfaces.n)
		return 0;
	if (!log->n) {
		xf_err("the set '%s' is attached to no interface of this network namespace",
		       args->set);
		xf_hint("'xdpfun-load firewall attach -i IFACE --set %s' attaches it", args->set);
		return -ENOENT;
	}
	if (log->n > XF_STRS_MAX) {
		xf_err(
		    "the set '%s' is attached to %d interfaces, and at most %d can be read at once",
		    args->set, log->n, XF_STRS_MAX);
		xf_hint("name some of them with -i");
		return -E2BIG;
	}
	for (int i = 0; i < log->n; i++)
		args->interfaces.at[args->interfaces.n++] = log->places[i].ifname;
	return 0;
}

/* Open the set and find its programs. It is not locked afterwards: writers must not wait for us. */
static int open_log(struct fw_log *log, struct xf_log_args *args)
{
	int err = xf_fw_begin("firewall log");

	if (!err)
		err = xf_cmd_resolve(&args->interfaces, log->netdevs);
	if (!err)
		err = xf_named_set__open(&log->set, args->set, XF_FW_READ);
	if (err)
		return err;
	log->n = xf_fw_places(&log->places, &args->interfaces, xf_fw_pins__root_id(&log->set.pins));
	xf_named_set__unlock(&log->set);
	err = log->n < 0 ? log->n : choose(args, log);
	if (err) {
		free(log->places);
		xf_named_set__close(&log->set);
	}
	return err;
}

static int start_source(struct xf_run *run, struct xf_source *src, bool waiting)
{
	const struct fw_log *log = run->arg;
	const struct xf_fw_place *place = xf_fw_place_on(src->name, log->places, log->n);
	int err;

	(void)waiting;

	src->at = (struct xf_attached) { .prog_id = place->prog_id, .mode = place->mode };
	err = xf_run__read(run, src);
	if (err == -EBUSY)
		xf_hint("a program has one reader; end that one first");
	return err;
}

static int log_drops(struct xf_log_args *args)
{
	struct xf_session_opts opts = xf_log_args__session(args);
	struct xf_run *run = calloc(1, sizeof(*run));
	struct fw_log log = {};
	struct xf_fw_drop_reason why;
	int status = XF_EXIT_FAILED;

	if (run && !open_log(&log, args)) {
		why.ruleset = log.set.ruleset;
		opts.explain = xf_fw_drop_reason__explain;
		opts.explain_arg = &why;
		opts.unload = "xdpfun-load firewall detach";
		opts.abi = &xf_abi_firewall;
		opts.again = false;
		run->args = args;
		run->arg = &log;
		run->start = start_source;
		status = xf_run(run, "firewall log", &opts);
		free(log.places);
		xf_named_set__close(&log.set);
	}
	free(run);
	return status;
}

int xf_fw_log(int argc, char **argv)
{
	struct xf_log_args args = { .set = "default" };
	int status = xf_log_args__parse(&args, options, usage, argc, argv);

	if (status >= 0)
		return status;
	return xf_fw_name_check(args.set) ? XF_EXIT_USAGE : log_drops(&args);
}
