// SPDX-License-Identifier: GPL-2.0-only
/* The programs attached to an interface, in the order in which they run. */
#include "loader/hook/chain.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xdp/libxdp.h>
#include <xdp/prog_dispatcher.h>

#define DISPATCHER_NAME "xdp_dispatcher"
#define READ_TRIES 20

const unsigned int xf_chain_our_version = XDP_DISPATCHER_VERSION;

const char *xf_mode_name(enum xf_mode mode)
{
	static const char *const names[] = { "auto", "native", "skb", "hw" };

	return names[mode];
}

/* Read mode and main program of the hook from the kernel: libxdp reports nothing about a hook that
 * it does not understand. Returns 0 or -errno. */
static int query_hook(unsigned int ifindex, struct xf_chain *chain)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, opts);
	int err = bpf_xdp_query(ifindex, 0, &opts);

	if (err)
		return err;
	if (opts.drv_prog_id) {
		chain->mode = XF_MODE_NATIVE;
		chain->main_id = opts.drv_prog_id;
	} else if (opts.skb_prog_id) {
		chain->mode = XF_MODE_SKB;
		chain->main_id = opts.skb_prog_id;
	} else if (opts.hw_prog_id) {
		chain->mode = XF_MODE_HW;
		chain->main_id = opts.hw_prog_id;
	}
	return 0;
}

/* Returns the protocol version in a dispatcher's read-only data, which begin with a magic byte and
 * the version; 0 when @prog_id is no dispatcher, or one of the first version, which had no magic.
 */
static unsigned int dispatcher_version(__u32 prog_id, struct bpf_prog_info *info)
{
	__u32 map_id = 0, zero = 0, len = sizeof(*info);
	int map_fd, fd = bpf_prog_get_fd_by_id(prog_id);
	unsigned int version = 0;
	struct bpf_map_info map = {};
	unsigned char *value;

	*info =
	    (struct bpf_prog_info) { .nr_map_ids = 1, .map_ids = (__u64)(unsigned long)&map_id };
	if (fd < 0)
		return 0;
	if (bpf_obj_get_info_by_fd(fd, info, &len) || strcmp(info->name, DISPATCHER_NAME))
		goto out;
	map_fd = bpf_map_get_fd_by_id(map_id);
	len = sizeof(map);
	if (map_fd < 0 || bpf_obj_get_info_by_fd(map_fd, &map, &len))
		goto out;
	value = calloc(1, map.value_size + 2);
	if (value && !bpf_map_lookup_elem(map_fd, &zero, value) && value[0] == XDP_DISPATCHER_MAGIC)
		version = value[1];
	free(value);
	close(map_fd);
out:
	close(fd);
	return version;
}

static unsigned int chain_actions(const struct xdp_program *prog)
{
	unsigned int actions = 0;

	for (unsigned int action = XDP_ABORTED; action <= XDP_REDIRECT; action++)
		if (xdp_program__chain_call_enabled(prog, action))
			actions |= 1u << action;
	return actions;
}

static void add_prog(struct xf_chain *chain, const struct xdp_program *prog, bool has_prio)
{
	struct xf_chain_prog *to = &chain->prog[chain->n];

	if (!prog || chain->n == XF_CHAIN_MAX)
		return;
	to->id = xdp_program__id(prog);
	strncpy(to->name, xdp_program__name(prog) ?: "", sizeof(to->name) - 1);
	to->has_prio = has_prio;
	to->prio = has_prio ? xdp_program__run_prio(prog) : 0;
	to->actions = has_prio ? chain_actions(prog) : 0;
	chain->n++;
}

/* Add a program that no dispatcher calls; only the kernel knows about it. */
static void add_bare(struct xf_chain *chain, const struct bpf_prog_info *info)
{
	struct xf_chain_prog *to = &chain->prog[chain->n++];

	to->id = chain->main_id;
	strncpy(to->name, info->name, sizeof(to->name) - 1);
}

static int read_programs(unsigned int ifindex, struct xf_chain *chain)
{
	struct xdp_multiprog *mp = xdp_multiprog__get_from_ifindex(ifindex);
	struct xdp_program *prog = NULL;
	struct bpf_prog_info info;
	long err = libxdp_get_error(mp);

	chain->version = dispatcher_version(chain->main_id, &info);
	/* EOPNOTSUPP: a dispatcher of a newer version; EINVAL: one that libxdp does not understand.
	 * Other errors tell nothing about the hook (no file descriptor, memory or permission). */
	if ((!mp || err) && err != -EOPNOTSUPP && err != -EINVAL && err != -ENOENT)
		return err ?: -EIO;
	if (!mp || err) {
		chain->kind = chain->version ? XF_CHAIN_VERSION : XF_CHAIN_BARE;
		if (err == -ENOENT)
			chain->kind = XF_CHAIN_EMPTY; /* gone since the query */
		else
			add_bare(chain, &info);
		return 0;
	}
	if (!xdp_program__id(xdp_multiprog__main_prog(mp) ?: xdp_multiprog__hw_prog(mp))) {
		xdp_multiprog__close(mp);
		return -EMFILE; /* libxdp could not open it and does not report the reason */
	}
	chain->main_id = xdp_program__id(xdp_multiprog__main_prog(mp)) ?: chain->main_id;
	if (!xdp_multiprog__is_legacy(mp)) {
		chain->kind = XF_CHAIN_DISPATCHER;
		chain->frags = xdp_multiprog__xdp_frags_support(mp);
		while ((prog = xdp_multiprog__next_prog(prog, mp)))
			add_prog(chain, prog, true);
		/* libxdp has refused a newer version already. */
		if (chain->version < xf_chain_our_version)
			chain->kind = XF_CHAIN_VERSION;
	} else if (!strcmp(info.name, DISPATCHER_NAME)) {
		chain->kind = XF_CHAIN_PINS;
		add_bare(chain, &info);
	} else {
		chain->kind = XF_CHAIN_BARE;
		add_prog(chain, xdp_multiprog__main_prog(mp) ?: xdp_multiprog__hw_prog(mp), true);
	}
	xdp_multiprog__close(mp);
	return 0;
}

static int read_once(unsigned int ifindex, struct xf_chain *chain)
{
	int err;

	memset(chain, 0, sizeof(*chain));
	err = query_hook(ifindex, chain);
	if (err || !chain->main_id)
		return err;
	return read_programs(ifindex, chain);
}

int xf_chain__read(unsigned int ifindex, struct xf_chain *chain)
{
	struct timespec pause = { .tv_nsec = 2000000 };
	struct xf_chain now = {};
	int err;

	/* A process that replaces the dispatcher removes the pins of the old one, which may happen
	 * while they are read here. So a result without a usable dispatcher counts only if the hook
	 * has not changed since. */
	for (int tries = 0; tries < READ_TRIES; tries++) {
		err = read_once(ifindex, chain);
		if (err || chain->kind == XF_CHAIN_DISPATCHER || chain->kind == XF_CHAIN_EMPTY)
			return err;
		err = query_hook(ifindex, &now);
		if (err || now.main_id == chain->main_id)
			return err;
		nanosleep(&pause, NULL);
	}
	return 0;
}

const struct xf_chain_prog *xf_chain__find(const struct xf_chain *chain, __u32 prog_id)
{
	for (unsigned int i = 0; i < chain->n; i++)
		if (chain->prog[i].id == prog_id)
			return &chain->prog[i];
	return NULL;
}
