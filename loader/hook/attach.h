/* SPDX-License-Identifier: GPL-2.0-only */
/* Attach and detach through libxdp, with the fall-back from native to SKB mode. Nobody but this
 * file and chain.c includes libxdp. */
#ifndef XF_ATTACH_H
#define XF_ATTACH_H

#include <stdarg.h>
#include <stdbool.h>

#include "loader/hook/embedded.h"
#include "loader/hook/chain.h"

/* A map that the program shall use in place of one of its own. */
struct xf_reuse {
	const char *name; /* in the object */
	int fd;
};

struct xf_attach_opts {
	const struct xf_cargo *cargo;
	const char *ifname;
	unsigned int ifindex;
	enum xf_mode mode;
	unsigned int prio;
	unsigned int actions; /* bit set of enum xdp_action */
	const char *object;   /* path of a file to take in place of the cargo */
	bool require_chain;   /* refuse to attach without a dispatcher */
	const char *no_bpffs; /* from xf_bpffs_prepare() */
	const struct xf_reuse *maps;
	unsigned int n_maps;
};

struct xf_attached {
	__u32 prog_id;
	__u32 dispatcher_id; /* 0: attached without one */
	enum xf_mode mode;
};

/* Returns 0, or -errno after a message; nothing is attached then. */
int xf_attach(const struct xf_attach_opts *opts, struct xf_attached *attached);

/* Take this one program out, and its dispatcher when it was the last. Returns 0, -ENOENT when it is
 * not attached (any more), or another -errno. No message. */
int xf_detach(unsigned int ifindex, __u32 prog_id);

/* The kernel's hash of the instructions that the logger's object, or that file, has on this kernel,
 * found by loading it once without attaching it. Returns 0 or -errno. */
int xf_object_tag(const char *object, unsigned char tag[8]);

/* Have libxdp print through this function. */
void xf_attach_set_print(int (*print)(const char *fmt, va_list args));

#endif
