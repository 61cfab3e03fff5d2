/* SPDX-License-Identifier: GPL-2.0-only */
/* What to attach, where and how. */
#ifndef XF_ATTACH_OPTS_H
#define XF_ATTACH_OPTS_H

#include <stdbool.h>

#include "loader/hook/chain.h"
#include "loader/hook/embedded.h"

/* A map that the program shall use in place of one of its own. */
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
	const char *object;   /* path of a file to take in place of the embedded */
	bool require_chain;   /* refuse to attach without a dispatcher */
	const char *no_bpffs; /* from xf_bpffs_prepare() */
	/* Hint at what to do about a program of ours that holds the hook alone. Returns whether it
	 * is one. NULL: programs of ours are not known. */
	bool (*hint_ours)(const char *ifname, __u32 prog_id);
	const struct xf_reuse *maps;
	unsigned int n_maps;
};

#endif
