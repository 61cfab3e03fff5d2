// SPDX-License-Identifier: GPL-2.0-only
/* xdpfun-load follow: print the log of an xdpfun.o that something else loaded. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/msg.h"
#include "lib/strbuf.h"
#include "loader/hook/hints.h"
#include "loader/hook/netdev.h"
#include "loader/cmd/log_args.h"
#include "loader/cmd/hint_ours.h"
#include "loader/cmd/run.h"

static const char usage[] =
    "Usage: xdpfun-load follow [-i IFACE]... [--id N] [OPTIONS]\n\n"
    "Print a line for each packet that reaches the xdpfun program on each IFACE (default: eth0), whoever\n"
    "loaded it, until Ctrl-C. Nothing is attached or detached.\n" XF_RECEIVED_ONLY;

static const struct xf_opt options[] = {
	{ .name = "interface",
	  .short_name = 'i',
	  .type = XF_OPT_LIST,
	  .arg = "IFACE",
	  .offset = offsetof(struct xf_log_args, interfaces),
	  .help =
	      "interface to follow, or any for all that have an xdpfun program and those that get one;\n"
	      "may be repeated (default: eth0)" },
	{ .type = XF_OPT_TABLE, .table = xf_wait_options },
	{ .name = "id",
	  .type = XF_OPT_U32,
	  .arg = "N",
	  .min = 1,
	  .offset = offsetof(struct xf_log_args, id),
	  .help = "program id, when an interface has several xdpfun programs" },
	{ .type = XF_OPT_TABLE, .table = xf_output_options },
	{ .type = XF_OPT_TABLE, .table = xf_log_options },
	{ .short_name = 'n', .type = XF_OPT_IGNORED },
	{ .short_name = 'l', .type = XF_OPT_IGNORED },
	{ .type = XF_OPT_END },
};

/* The xdpfun programs of a chain. */
struct candidates {
	__u32 ids[XF_CHAIN_MAX];
	bool blind[XF_CHAIN_MAX];
	unsigned int n;
	__u32 foreign_id; /* a program with another ABI; 0: none */
	__u32 foreign_version;
};

/* Returns 0, or -errno when a program could not be read. */
static int find_candidates(struct candidates *found, const char *ifname,
			   const struct xf_chain *chain, __u32 only_id)
{
	memset(found, 0, sizeof(*found));
	for (unsigned int i = 0; i < chain->n; i++) {
		__u32 id = chain->prog[i].id;
		struct xf_program program;
		int err = only_id && id != only_id ? -ENOENT
						   : xf_program__open(&program, &xf_abi_logger, id);

		if (err && err != -EPROTO && err != -ENOENT)
			return err;
		if (err == -ENOENT)
			continue;
		if (err) {
			found->foreign_id = id;
			found->foreign_version = program.abi_version;
		} else {
			found->blind[found->n] = xf_program__is_blind(&program, ifname);
			found->ids[found->n++] = id;
		}
		xf_program__close(&program);
	}
	return 0;
}

static void explain_many(const char *name, const struct candidates *found)
{
	struct xf_strbuf list = XF_STRBUF(XF_CHAIN_MAX * 12);

	for (unsigned int i = 0; i < found->n; i++)
		xf_strbuf__add(&list, " %u", found->ids[i]);
	xf_err("%s has %u xdpfun programs:%s", name, found->n, list.at);
	xf_hint("choose one with --id; 'xdpfun-load status -i %s' shows them", name);
}

static void explain_none(const char *name, const struct xf_chain *chain, __u32 only_id)
{
	unsigned int type;

	if (only_id)
		xf_err("%s has no xdpfun program with id %u", name, only_id);
	else
		xf_err("%s has no xdpfun program", name);
	if (chain->kind == XF_CHAIN_PINS)
		xf_hint_other_bpffs();
	else if (xf_netdev_frames(name, &type) != XF_LINK_ETHER)
		xf_hint("'xdpfun-load log -i %s' attaches one and prints its log; what other tools "
			"load is for interfaces with an Ethernet header",
			name);
	else
		xf_hint(
		    "'xdp-loader load %s xdpfun.o' attaches one for others to follow, 'xdpfun-load log -i %s' "
		    "attaches one and prints its log",
		    name, name);
}

/* Set src->at to the program to follow on this interface. Returns 0, or -errno after a message;
 * with @waiting -ENOENT for none without one. */
static int choose(const struct xf_run *run, struct xf_source *src, bool waiting)
{
	struct candidates found;
	struct xf_chain chain;
	int err = xf_chain__read(src->ifindex, &chain);

	if (!err)
		err = find_candidates(&found, src->name, &chain, run->args->id);
	if (err) {
		xf_err("cannot read what is attached to %s: %s", src->name, strerror(-err));
		return err;
	}
	if (found.n == 1 && found.blind[0]) {
		xf_warn(
		    "%s: program %u reads nothing here: it was loaded for another kind of interface, "
		    "such as those with an Ethernet header",
		    src->name, found.ids[0]);
		xf_hint("'xdpfun-load unload -i %s && xdpfun-load log -i %s' puts one there that "
			"reads them",
			src->name, src->name);
	}
	if (found.n == 1) {
		src->at.prog_id = found.ids[0];
		src->at.mode = chain.mode;
		src->at.dispatcher_id = chain.kind == XF_CHAIN_DISPATCHER ? chain.main_id : 0;
		return 0;
	}
	if (found.n) {
		explain_many(src->name, &found);
	} else if (found.foreign_id) {
		xf_err(
		    "%s: program %u is an xdpfun with ABI version %u, and this xdpfun-load reads version %u",
		    src->name, found.foreign_id, found.foreign_version, XF_ABI_VERSION);
		xf_hint(
		    "load the xdpfun.o that came with this xdpfun-load, or use the xdpfun-load that came "
		    "with that object");
		return -EPROTO;
	} else if (!waiting) {
		explain_none(src->name, &chain, run->args->id);
	}
	return -ENOENT;
}

static int start_source(struct xf_run *run, struct xf_source *src, bool waiting)
{
	int err = choose(run, src, waiting);

	if (err)
		return err;
	err = xf_run__read(run, src);
	if (err == -EBUSY)
		xf_hint(
		    "a program has one reader%s; end that one, or attach another program with 'xdpfun-load log -i %s'",
		    run->args->wait ? ", and --wait waits for interfaces and programs only" : "",
		    src->name);
	if (!err && !src->at.dispatcher_id && !xf_program__is_blind(&src->program, src->name)) {
		xf_warn(
		    "%s: program %u was loaded without a dispatcher, the next XDP program there will be refused",
		    src->name, src->at.prog_id);
		xf_hint("to reload it in a chain: " XF_RELOAD_COMMANDS, src->name, src->name);
	}
	return err;
}

int xf_cmd_follow(int argc, char **argv)
{
	struct xf_log_args args = {};
	struct xf_session_opts opts;
	struct xf_run *run;
	int status = xf_log_args__parse(&args, options, usage, argc, argv);

	if (status >= 0)
		return status;
	if (args.id && (args.any || args.interfaces.n > 1)) {
		xf_err("--id goes with a single interface");
		return XF_EXIT_USAGE;
	}
	run = calloc(1, sizeof(*run));
	if (!run)
		return XF_EXIT_FAILED;
	run->args = &args;
	opts = xf_log_args__session(&args);
	opts.abi = &xf_abi_logger;
	opts.again = opts.again && !args.id; /* another program would have another id */
	run->start = start_source;
	status = xf_run(run, "follow", &opts);
	free(run);
	return status;
}
