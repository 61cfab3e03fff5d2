// SPDX-License-Identifier: GPL-2.0-only
/* Messages about a program that could not be attached or removed: the reason, and a hint. */
#include "loader/hook/refusal.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "loader/hook/hints.h"
#include "lib/msg.h"
#include "loader/hook/liblog.h"
#include "loader/hook/stack.h"

#define VMLINUX_BTF "/sys/kernel/btf/vmlinux"
#define VERIFIER_LINES 12

static void explain_bare(const struct xf_attach_opts *opts, const struct xf_chain *chain)
{
	const struct xf_chain_prog *prog = &chain->prog[0];

	xf_err("cannot attach to %s: program %s (id %u, %s mode) holds the hook alone, without a "
	       "libxdp dispatcher that we could join",
	       opts->ifname, prog->name, prog->id, xf_mode_name(chain->mode));
	if (!opts->hint_ours || !opts->hint_ours(opts->ifname, prog->id))
		xf_hint("ask its owner to load it through libxdp ('xdp-loader load'), or remove it "
			"first");
}

static void explain_version(const struct xf_attach_opts *opts, const struct xf_chain *chain)
{
	xf_err(
	    "cannot join the chain on %s: its dispatcher (id %u) has protocol version %u, and our "
	    "libxdp makes version %u",
	    opts->ifname, chain->main_id, chain->version ?: 1, xf_chain_our_version);
	xf_hint("use the same release of libxdp (xdp-tools) for all programs on this interface");
}

static int refuse_full(const struct xf_attach_opts *opts)
{
	xf_err("cannot join the chain on %s: it has %d programs already, as many as a dispatcher "
	       "takes",
	       opts->ifname, XF_CHAIN_MAX);
	xf_hint("'xdpfun-load status -i %s' shows them; 'xdp-loader unload %s -i ID' removes one",
		opts->ifname, opts->ifname);
	return -E2BIG;
}

int xf_refusal_frames(const struct xf_attach_opts *opts, int err, unsigned int type)
{
	if (err == -EPROTONOSUPPORT)
		xf_err("cannot attach to %s: its frames (interface type %u) begin neither with an "
		       "Ethernet header nor with an IP header, and nothing in them would be read",
		       opts->ifname, type);
	else if (err == -EOPNOTSUPP)
		xf_err("cannot attach to %s: before Linux 5.14 XDP sees the outer headers of a "
		       "tunnel's packets, and no rule would be about what is inside",
		       opts->ifname);
	else if (err == -EADDRNOTAVAIL)
		xf_err("cannot attach to %s: XDP sees the outer header of a GRE interface without "
		       "a fixed remote end, and no rule would be about what is inside",
		       opts->ifname);
	else
		xf_err("cannot find what the frames of %s begin with: %s", opts->ifname,
		       strerror(-err));
	return err;
}

int xf_refusal_chain(const struct xf_attach_opts *opts, const struct xf_chain *chain)
{
	switch (chain->kind) {
	case XF_CHAIN_EMPTY:
		return 0;
	case XF_CHAIN_BARE:
		explain_bare(opts, chain);
		return -EBUSY;
	case XF_CHAIN_VERSION:
		explain_version(opts, chain);
		return -EBUSY;
	case XF_CHAIN_PINS:
		xf_err("cannot join the chain on %s: the pins of its dispatcher (id %u) are not in "
		       "our bpffs",
		       opts->ifname, chain->main_id);
		xf_hint_other_bpffs();
		return -EBUSY;
	case XF_CHAIN_DISPATCHER:
		break;
	}
	if (chain->n >= XF_CHAIN_MAX)
		return refuse_full(opts);
	if (opts->mode == XF_MODE_AUTO || opts->mode == chain->mode)
		return 0;
	xf_err("cannot attach to %s in %s mode: its dispatcher runs in %s mode, and an interface "
	       "has only one mode",
	       opts->ifname, xf_mode_name(opts->mode), xf_mode_name(chain->mode));
	xf_hint("leave out --mode, or give --mode %s", xf_mode_name(chain->mode));
	return -EBUSY;
}

/* Without descriptors libbpf goes on without the maps that it could not open, and the program is
 * refused later for another reason. */
static bool ran_out_of_files(int err)
{
	return err == -EMFILE || err == -ENFILE || strstr(xf_liblog_text(), strerror(EMFILE));
}

int xf_refusal_load(const struct xf_attach_opts *opts, int err)
{
	const char *name = xf_embedded_name(opts->embedded, opts->object), *ifname = opts->ifname;

	if (access(VMLINUX_BTF, R_OK)) {
		xf_err("cannot load %s for %s: this kernel has no BTF (%s is missing)", name,
		       ifname, VMLINUX_BTF);
		xf_hint("use a kernel built with CONFIG_DEBUG_INFO_BTF=y, as distributions' are");
		return err;
	}
	if (ran_out_of_files(err)) {
		xf_err("cannot load %s for %s: %s", name, ifname, strerror(EMFILE));
		return -EMFILE;
	}
	xf_err("cannot load %s for %s: %s", name, ifname, strerror(-err));
	if (xf_liblog_print_verifier(VERIFIER_LINES))
		xf_hint("these are the verifier's last lines; -v shows all of them");
	else if (err == -EPERM)
		xf_hint_locked_memory();
	else
		xf_hint("-v shows what libbpf and libxdp say");
	return err;
}

static int interface_mtu(unsigned int ifindex)
{
	struct ifreq req = {};
	int fd, mtu = -1;

	if (!if_indextoname(ifindex, req.ifr_name))
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && !ioctl(fd, SIOCGIFMTU, &req))
		mtu = req.ifr_mtu;
	if (fd >= 0)
		close(fd);
	return mtu;
}

const char *xf_refusal_native_reason(unsigned int ifindex, int err)
{
	static char text[160];

	if (err == -EOPNOTSUPP)
		snprintf(text, sizeof(text), "%s: the driver has none", strerror(-err));
	else
		snprintf(text, sizeof(text), "%s: the driver cannot with this setup, MTU %d",
			 strerror(-err), interface_mtu(ifindex));
	return text;
}

bool xf_refusal_above(const char *what, const char *ifname, unsigned int ifindex, int err)
{
	char above[IF_NAMESIZE];

	if ((err != -EEXIST && err != -EBUSY) || !xf_stack_program_above(ifindex, above))
		return false;
	xf_err("cannot %s %s: the interface %s upon it has an XDP program, and the kernel changes "
	       "none below that",
	       what, ifname, above);
	xf_hint(
	    "'xdpfun-load status -i %s' shows that one: it has to go first and to come last, as "
	    "it does with -i for both or '-i any'",
	    above);
	return true;
}

void xf_refusal_attach(const struct xf_attach_opts *opts, enum xf_mode mode, int err)
{
	if (xf_refusal_above("attach to", opts->ifname, opts->ifindex, err))
		return;
	xf_err("cannot attach to %s in %s mode: %s", opts->ifname, xf_mode_name(mode),
	       strerror(-err));
	if (err == -EBUSY || err == -EEXIST)
		xf_hint("another program holds the hook or takes it again and again; 'xdpfun-load "
			"status -i %s' shows which",
			opts->ifname);
	else if (err == -EPERM)
		xf_hint("attaching needs CAP_NET_ADMIN in the interface's network namespace");
	else if (mode == XF_MODE_NATIVE && err == -EOPNOTSUPP)
		xf_hint("the driver has no native XDP; retry with --mode skb, or without --mode");
	else if (mode == XF_MODE_NATIVE)
		xf_hint("drivers refuse native XDP for a large MTU (it is %d), LRO, or too few "
			"queues; the kernel log may say more; or retry with --mode skb",
			interface_mtu(opts->ifindex));
	else
		xf_hint("-v shows what libbpf and libxdp say, and the kernel log may say more");
}

static bool freplace_refused;

void xf_refusal_learn(void)
{
	if (strstr(xf_liblog_text(), strerror(EPERM)))
		freplace_refused = true;
}

const char *xf_refusal_no_dispatcher(const char *no_bpffs)
{
	const char *skip = secure_getenv("LIBXDP_SKIP_DISPATCHER");

	if (skip && !strcmp(skip, "1"))
		return "LIBXDP_SKIP_DISPATCHER=1 is set";
	if (no_bpffs)
		return no_bpffs;
	if (access(VMLINUX_BTF, R_OK))
		return "this kernel has no BTF (" VMLINUX_BTF ")";
	if (strstr(xf_liblog_text(), "Couldn't open BPF file"))
		return "libxdp did not find its xdp-dispatcher.o";
	if (freplace_refused)
		return "the kernel refuses freplace programs (EPERM), which libxdp's dispatcher "
		       "needs";
	return "libxdp could not make one on this kernel (-v shows what it says)";
}

void xf_refusal_detach(const char *ifname, __u32 prog_id, int err)
{
	char what[64];

	snprintf(what, sizeof(what), "remove program %u from", prog_id);
	if (xf_refusal_above(what, ifname, if_nametoindex(ifname), err))
		return;
	xf_err("%s: cannot remove program %u: %s", ifname, prog_id, strerror(-err));
	xf_hint("-v shows what libxdp says");
}
