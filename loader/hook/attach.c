// SPDX-License-Identifier: GPL-2.0-only
/* Attach and detach through libxdp, with the fall-back from native to SKB mode. */
#include "loader/hook/attach.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xdp/libxdp.h>

#include "loader/hook/fd_reserve.h"
#include "loader/hook/program.h"
#include "lib/msg.h"
#include "lib/time.h"
#include "loader/hook/liblog.h"
#include "loader/hook/netdev.h"
#include "loader/hook/refusal.h"
#include "loader/hook/stack.h"

#define RACE_TRIES 5
#define RACE_PAUSE (20 * XF_MSEC)

static int libxdp_print(enum libxdp_print_level level, const char *fmt, va_list args)
{
	return level == LIBXDP_DEBUG ? 0 : xf_liblog_take(fmt, args);
}

static int libbpf_print(enum libbpf_print_level level, const char *fmt, va_list args)
{
	return level == LIBBPF_DEBUG ? 0 : xf_liblog_take(fmt, args);
}

void xf_attach_capture_logs(void)
{
	libbpf_set_print(libbpf_print);
	libxdp_set_print(libxdp_print);
}

int xf_object_tag(const char *object, unsigned char tag[8])
{
	struct bpf_object *obj = xf_embedded_open(&xf_embedded_logger, object);
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	int err;

	if (!obj)
		return -errno;
	err = bpf_object__load(obj);
	if (!err && bpf_obj_get_info_by_fd(bpf_program__fd(bpf_object__next_program(obj, NULL)),
					   &info, &len))
		err = -errno;
	if (!err)
		memcpy(tag, info.tag, sizeof(info.tag));
	bpf_object__close(obj);
	return err;
}

/* Object and program of one attempt. Both are closed when it ends; an attached program stays. */
struct attempt {
	struct bpf_object *obj;
	struct xdp_program *prog;
};

static void attempt_close(struct attempt *try)
{
	xdp_program__close(try->prog);
	bpf_object__close(try->obj);
}

static int reuse_maps(struct bpf_object *obj, const struct xf_attach_opts *opts)
{
	for (unsigned int i = 0; i < opts->n_maps; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(obj, opts->maps[i].name);
		int err = map ? bpf_map__reuse_fd(map, opts->maps[i].fd) : -ENOENT;

		if (!err)
			continue;
		xf_err("cannot give %s its map %s: %s",
		       xf_embedded_name(opts->embedded, opts->object), opts->maps[i].name,
		       strerror(-err));
		return err;
	}
	return 0;
}

/* The program reads Ethernet when nobody says otherwise. */
static int set_link(struct bpf_object *obj, const struct xf_attach_opts *opts, __u32 link)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, XF_LINK_MAP);
	int err = map ? bpf_map__set_initial_value(map, &link, sizeof(link)) : -ENOENT;

	if (!err || (err == -ENOENT && link == XF_LINK_ETHER))
		return 0;
	xf_err("cannot tell %s that the frames of %s have no Ethernet header: %s",
	       xf_embedded_name(opts->embedded, opts->object), opts->ifname, strerror(-err));
	return err;
}

static int attempt_open(struct attempt *try, const struct xf_attach_opts *opts)
{
	DECLARE_LIBXDP_OPTS(xdp_program_opts, prog_opts);
	const char *name = xf_embedded_name(opts->embedded, opts->object);
	unsigned int type;
	int err, link = xf_netdev_frames(opts->ifname, &type);

	if (link < 0)
		return xf_refusal_frames(opts, link, type);
	memset(try, 0, sizeof(*try));
	try->obj = xf_embedded_open(opts->embedded, opts->object);
	if (!try->obj) {
		char why[128];

		err = -errno;
		libbpf_strerror(err, why, sizeof(why)); /* knows libbpf's own error numbers */
		xf_err("cannot open %s: %s", name, why);
		if (err < -4000)
			xf_hint("it must be a BPF object file (ELF) such as %s",
				opts->embedded->file);
		return err;
	}
	err = xf_embedded_check(opts->embedded, opts->object, try->obj);
	if (!err)
		err = reuse_maps(try->obj, opts);
	if (!err)
		err = set_link(try->obj, opts, link);
	if (err)
		goto fail;
	prog_opts.obj = try->obj;
	try->prog = xdp_program__create(&prog_opts);
	if (!try->prog) {
		err = -errno;
		xf_err("libxdp cannot use %s: %s", name, strerror(-err));
		goto fail;
	}
	return 0;
fail:
	attempt_close(try);
	return err;
}

static int attempt_configure(struct attempt *try, const struct xf_attach_opts *opts,
			     const struct xf_chain *chain)
{
	int err = xdp_program__set_run_prio(try->prog, opts->prio);

	for (unsigned int action = XDP_ABORTED; !err && action <= XDP_REDIRECT; action++)
		err = xdp_program__set_chain_call_enabled(try->prog, action,
							  opts->actions & 1u << action);
	if (err) {
		xf_err("libxdp refuses priority %u or the chain actions: %s", opts->prio,
		       strerror(-err));
		return err;
	}
	/* A program without support for them turns multi-buffer packets off for the whole chain. */
	err = xdp_program__set_xdp_frags_support(try->prog, true);
	if (!err || !chain->frags)
		return 0;
	xf_err("cannot join the chain on %s: it takes multi-buffer packets, and this libxdp cannot "
	       "load us with support for them (%s), which would end it for all",
	       opts->ifname, strerror(-err));
	xf_hint("update libxdp and libbpf");
	return -EOPNOTSUPP;
}

static enum xdp_attach_mode libxdp_mode(enum xf_mode mode)
{
	static const enum xdp_attach_mode modes[] = {
		[XF_MODE_AUTO] = XDP_MODE_UNSPEC,
		[XF_MODE_NATIVE] = XDP_MODE_NATIVE,
		[XF_MODE_SKB] = XDP_MODE_SKB,
		[XF_MODE_HW] = XDP_MODE_HW,
	};

	return modes[mode];
}

/* Attach in exactly this mode. Returns 0; -errno with *@refused set when the program loaded and
 * only the attachment failed (no message was printed then); or -errno after a message. */
static int attempt_run(const struct xf_attach_opts *opts, const struct xf_chain *chain,
		       enum xf_mode mode, __u32 *prog_id, bool *refused)
{
	struct attempt try;
	int err = attempt_open(&try, opts);

	*refused = false;
	if (err)
		return err;
	err = attempt_configure(&try, opts, chain);
	if (err)
		goto out;
	xf_liblog_clear();
	err = xdp_program__attach(try.prog, opts->ifindex, libxdp_mode(mode), 0);
	xf_refusal_learn();
	if (!err)
		*prog_id = xdp_program__id(try.prog);
	else if (xdp_program__fd(try.prog) >= 0 || err == -EBUSY || err == -EEXIST)
		*refused = true;
	else
		err = xf_refusal_load(opts, err);
out:
	attempt_close(&try);
	return err;
}

/* Whether another mode may succeed: the driver refused this one, and no other program is in the
 * way. */
static bool driver_refused(int err)
{
	switch (-err) {
	case EBUSY:
	case EEXIST:
	case EPERM:
	case ENODEV:
	case ENOMEM:
		return false;
	default:
		return true;
	}
}

static int attach_by_mode(const struct xf_attach_opts *opts, const struct xf_chain *chain,
			  struct xf_attached *attached, bool *refused)
{
	enum xf_mode mode = chain->kind == XF_CHAIN_DISPATCHER ? chain->mode : opts->mode;
	int err;

	attached->mode = mode == XF_MODE_AUTO ? XF_MODE_NATIVE : mode;
	err = attempt_run(opts, chain, attached->mode, &attached->prog_id, refused);
	if (!err || !*refused || mode != XF_MODE_AUTO || !driver_refused(err))
		return err;
	xf_info("%s: native XDP refused (%s), using SKB mode", opts->ifname,
		xf_refusal_native_reason(opts->ifindex, err));
	attached->mode = XF_MODE_SKB;
	return attempt_run(opts, chain, attached->mode, &attached->prog_id, refused);
}

/* Warn when libxdp made no dispatcher; with --require-chain undo the attachment and fail. */
static int check_dispatcher(const struct xf_attach_opts *opts, struct xf_attached *attached)
{
	struct xf_chain chain;
	int err = xf_chain__read(opts->ifindex, &chain);

	if (!err && chain.kind == XF_CHAIN_DISPATCHER) {
		attached->dispatcher_id = chain.main_id;
		return 0;
	}
	attached->dispatcher_id = 0;
	if (!opts->require_chain) {
		xf_warn("%s: attached without a dispatcher, the next XDP program there will be "
			"refused: %s",
			opts->ifname, xf_refusal_no_dispatcher(opts->no_bpffs));
		return 0;
	}
	xf_err("%s: cannot attach in a chain, as --require-chain asks: %s", opts->ifname,
	       xf_refusal_no_dispatcher(opts->no_bpffs));
	xf_detach(opts->ifindex, attached->prog_id);
	return -EOPNOTSUPP;
}

static int attach(const struct xf_attach_opts *opts, struct xf_attached *attached)
{
	struct timespec pause = { .tv_nsec = RACE_PAUSE };
	char above[IF_NAMESIZE];
	struct xf_chain chain;
	bool refused;
	int err = 0;

	/* Another process may attach or detach between our look at the hook and libxdp's. */
	for (int tries = 0; tries < RACE_TRIES; tries++) {
		err = xf_chain__read(opts->ifindex, &chain);
		if (err) {
			xf_err("cannot read what is attached to %s: %s", opts->ifname,
			       strerror(-err));
			return err;
		}
		err = xf_refusal_chain(opts, &chain);
		if (err)
			return err;
		err = attach_by_mode(opts, &chain, attached, &refused);
		if (!err)
			return check_dispatcher(opts, attached);
		if (!refused)
			return err;
		if ((err != -EBUSY && err != -EEXIST) ||
		    xf_stack_program_above(opts->ifindex, above))
			break;
		nanosleep(&pause, NULL);
	}
	xf_refusal_attach(opts, attached->mode, err);
	return err;
}

int xf_attach(const struct xf_attach_opts *opts, struct xf_attached *attached)
{
	int err, reserve_err;

	xf_fd_reserve__lend();
	err = attach(opts, attached);
	reserve_err = xf_fd_reserve__take_back();
	if (err || !reserve_err)
		return err;
	xf_err("cannot keep descriptors back for detaching from %s: %s", opts->ifname,
	       strerror(-reserve_err));
	xf_detach(opts->ifindex, attached->prog_id);
	return reserve_err;
}

static int detach(unsigned int ifindex, __u32 prog_id)
{
	DECLARE_LIBXDP_OPTS(xdp_program_opts, opts, .id = prog_id);
	struct timespec pause = { .tv_nsec = RACE_PAUSE };
	struct xdp_program *prog;
	struct xf_chain chain;
	int err = -ENOENT;

	for (int tries = 0; tries < RACE_TRIES; tries++) {
		err = xf_chain__read(ifindex, &chain);
		if (err)
			return err;
		if (!xf_chain__find(&chain, prog_id))
			return -ENOENT;
		prog = xdp_program__create(&opts);
		if (!prog)
			return -errno;
		/* Not UNSPEC, which without a dispatcher the kernel takes for the driver's mode and
		 * answers with EBUSY. */
		err = xdp_program__detach(prog, ifindex, libxdp_mode(chain.mode), 0);
		xdp_program__close(prog);
		if (!err)
			return 0;
		nanosleep(&pause, NULL);
	}
	return err;
}

int xf_detach(unsigned int ifindex, __u32 prog_id)
{
	int err;

	xf_fd_reserve__lend();
	err = detach(ifindex, prog_id);
	xf_fd_reserve__take_back();
	return err;
}
