/* SPDX-License-Identifier: GPL-2.0-only */
/* The options of xf_attach(): the program, the place and the way. */
#ifndef XF_ATTACH_OPTS_H
#define XF_ATTACH_OPTS_H

#include <stdbool.h>

#include "loader/hook/chain.h"
#include "loader/hook/embedded.h"

/* A map that the program uses in place of one of its own. */
struct xf_reuse {
	const char *name; /* in the object */
	int fd;
};

struct xf_attach_opts {
	const struct xf_embedded *embedded;
	const char *ifname;
	unsigned int ifindex;
	enum xf_mode mode;
	unsigned int prio;
	unsigned int actions; /* bit set of enum xdp_action */
	const char *object;   /* path of a file in place of the embedded object, or NULL */
	bool require_chain;   /* refuse to attach without a dispatcher */
	const char *no_bpffs; /* from xf_bpffs_prepare() */
	/* Print a hint about a program of ours that holds the hook alone. Returns whether it is one
	 * of ours. NULL: no hint. */
	bool (*hint_ours)(const char *ifname, __u32 prog_id);
	const struct xf_reuse *maps;
	unsigned int n_maps;
};

#endif
