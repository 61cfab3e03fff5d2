// SPDX-License-Identifier: GPL-2.0-only
/* xdpfun-load log: attach the packet logger and print its log. */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/cmd/hint_ours.h"
#include "loader/hook/actions.h"
#include "lib/msg.h"
#include "loader/hook/netdev.h"
#include "loader/cmd/log_args.h"
#include "loader/log/orphan.h"
#include "loader/hook/owner.h"
#include "loader/log/preload.h"
#include "loader/cmd/relay_args.h"
#include "loader/cmd/run.h"

#define DEFAULT_PRIO 100

static const char usage[] =
    "Usage: xdpfun-load [log] [-i IFACE]... [-m auto|native|skb] [OPTIONS]\n\n"
    "Attach the packet logger to each IFACE (default: eth0), in a chain with the XDP programs that are\n"
    "there already, and print a line for each packet that reaches it, until Ctrl-C.\n" XF_RECEIVED_ONLY;

static const char *const mode_names[] = { "auto", "native", "skb", NULL };

static const struct xf_opt options[] = {
	{ .name = "interface",
	  .short_name = 'i',
	  .type = XF_OPT_LIST,
	  .arg = "IFACE",
	  .offset = offsetof(struct xf_log_args, interfaces),
	  .help = "interface to log, or any for all that there are and those that come;\n"
		  "may be repeated, up to 64 (default: eth0)" },
	{ .type = XF_OPT_TABLE, .table = xf_wait_options },
	{ .name = "mode",
	  .short_name = 'm',
	  .type = XF_OPT_ENUM,
	  .arg = "auto|native|skb",
	  .values = mode_names,
	  .offset = offsetof(struct xf_log_args, mode),
	  .help =
	      "auto (the default): native, or skb if the driver refuses; the others are strict.\n"
	      "An existing dispatcher's mode is joined" },
	{ .name = "prio",
	  .short_name = 'P',
	  .type = XF_OPT_U32,
	  .arg = "N",
	  .max = INT32_MAX,
	  .offset = offsetof(struct xf_log_args, prio),
	  .help = "position in the dispatcher's chain, lower runs first (default: 100)" },
	{ .name = "actions",
	  .alias = "chain-actions",
	  .short_name = 'A',
	  .type = XF_OPT_STR,
	  .arg = "LIST",
	  .offset = offsetof(struct xf_log_args, actions),
	  .help =
	      "actions on which the chain goes on behind us; must contain XDP_PASS (default: XDP_PASS)" },
	{ .type = XF_OPT_TABLE, .table = xf_output_options },
	{ .name = "echo",
	  .type = XF_OPT_STR,
	  .value_optional = true,
	  .arg = "ADDR:PORT",
	  .offset = offsetof(struct xf_log_args, echo_text),
	  .seen_offset = offsetof(struct xf_log_args, echo),
	  .help = "also send every byte of TCP connections back, as 'xdpfun-load echo' does\n"
		  "(default: " XF_RELAY_ECHO_LISTEN ")" },
	{ .name = "require-chain",
	  .type = XF_OPT_FLAG,
	  .offset = offsetof(struct xf_log_args, require_chain),
	  .help = "fail if the next XDP program could not be chained" },
	{ .name = "object",
	  .type = XF_OPT_STR,
	  .arg = "FILE",
	  .offset = offsetof(struct xf_log_args, object),
	  .help = "attach this xdpfun.o and not the built-in one" },
	{ .type = XF_OPT_TABLE, .table = xf_log_options },
	{ .short_name = 'n', .type = XF_OPT_IGNORED },
	{ .short_name = 'l', .type = XF_OPT_IGNORED },
	{ .type = XF_OPT_END },
};

static struct xf_attach_opts attach_opts(const struct xf_run *run, const struct xf_source *src)
{
	return (struct xf_attach_opts) {
		.embedded = &xf_embedded_logger,
		.ifname = src->name,
		.ifindex = src->ifindex,
		.mode = run->args->mode,
		.prio = run->args->prio,
		.actions = run->args->action_set,
		.object = run->args->object,
		.require_chain = run->args->require_chain,
		.no_bpffs = run->no_bpffs,
		.hint_ours = xf_hint_ours,
	};
}

/* Take over an orphan that fits and has no reader. Returns its id, 0 when there is none, or -errno.
 */
static int adopt(struct xf_run *run, struct xf_source *src, const struct xf_orphans *orphans)
{
	struct xf_config config = xf_log_args__config(run->args, src->reader.wake_mask);
	struct xf_owner self;
	pid_t holder;
	int err;

	for (unsigned int i = 0; i < orphans->n; i++) {
		__u32 id = orphans->at[i].id;

		if (!orphans->at[i].fits || xf_locks__read_program(&run->locks, id, &holder))
			continue;
		src->at.prog_id = id;
		src->at.mode = orphans->chain.mode;
		src->at.dispatcher_id =
		    orphans->chain.kind == XF_CHAIN_DISPATCHER ? orphans->chain.main_id : 0;
		err = xf_owner_self(&self);
		if (!err)
			err = xf_source__take_over(src, &config);
		if (!err)
			err = xf_program__owner_set(&src->program, &self);
		if (err)
			return err;
		xf_info("%s: adopted program %u in %s mode, whose loader died", src->name, id,
			xf_mode_name(src->at.mode));
		return id;
	}
	return 0;
}

static int attach_new(struct xf_run *run, struct xf_source *src)
{
	struct xf_config config = xf_log_args__config(run->args, src->reader.wake_mask);
	struct xf_attach_opts opts = attach_opts(run, src);
	struct xf_reuse maps[XF_PRELOAD_MAPS];
	struct xf_preload preload;
	struct xf_owner self;
	pid_t holder;
	int err = xf_owner_self(&self);

	if (!err)
		err = xf_preload__open(&preload, &src->reader, &config, &self);
	if (err)
		return err;
	xf_preload__maps(&preload, maps);
	opts.maps = maps;
	opts.n_maps = XF_PRELOAD_MAPS;
	err = xf_attach(&opts, &src->at);
	xf_preload__close(&preload);
	if (err)
		return err;
	src->ours = true;
	err = xf_locks__read_program(&run->locks, src->at.prog_id, &holder);
	if (!err)
		err = xf_source__begin(src);
	if (!err)
		xf_info("%s: attached program %u in %s mode, priority %u", src->name,
			src->at.prog_id, xf_mode_name(src->at.mode), opts.prio);
	return err;
}

/* Adopt an orphan that fits; else attach a program, and remove the orphans: afterwards, or before
 * when the hook has no place. */
static int adopt_or_attach(struct xf_run *run, struct xf_source *src)
{
	struct xf_attach_opts opts = attach_opts(run, src);
	struct xf_orphans orphans;
	int err = xf_orphans_find(&orphans, &opts, &run->locks);

	if (err)
		return err;
	err = adopt(run, src, &orphans);
	if (err < 0)
		return err;
	if (err > 0) {
		src->ours = true;
		xf_orphans_remove(&orphans, src->name, src->ifindex, src->at.prog_id);
		return 0;
	}
	if (orphans.full)
		xf_orphans_remove(&orphans, src->name, src->ifindex, 0);
	err = attach_new(run, src);
	if (!err && !orphans.full)
		xf_orphans_remove(&orphans, src->name, src->ifindex, 0);
	return err;
}

static int start_locked(struct xf_run *run, struct xf_source *src)
{
	int err;

	xf_netdev_warn_offloads(src->name);
	err = xf_run__open_rings(run, src);
	return err ?: adopt_or_attach(run, src);
}

static int start_source(struct xf_run *run, struct xf_source *src, bool waiting)
{
	int err;

	if (waiting && !xf_locks__attach_try(&run->locks))
		return -EAGAIN;
	if (!waiting)
		xf_locks__attach_begin(&run->locks);
	err = start_locked(run, src);
	xf_locks__attach_end(&run->locks);
	return err;
}

int xf_cmd_log(int argc, char **argv)
{
	struct xf_log_args args = { .prio = DEFAULT_PRIO,
				    .action_set = 1u << XDP_PASS,
				    .echo_text = XF_RELAY_ECHO_LISTEN };
	struct xf_session_opts opts;
	struct xf_run *run;
	int status = xf_log_args__parse(&args, options, usage, argc, argv);

	if (status >= 0)
		return status;
	run = calloc(1, sizeof(*run));
	if (!run)
		return XF_EXIT_FAILED;
	run->args = &args;
	opts = xf_log_args__session(&args);
	opts.end_is_failure = true;
	opts.print_left = true;
	opts.abi = &xf_abi_logger;
	run->start = start_source;
	if (args.actions && xf_actions_parse(args.actions, &args.action_set))
		status = XF_EXIT_USAGE;
	else if (args.echo && xf_relay_args__listen("--echo", args.echo_text, &args.echo_listen))
		status = XF_EXIT_USAGE;
	else
		status = xf_run(run, "log", &opts);
	free(run);
	return status;
}
