/* SPDX-License-Identifier: GPL-2.0-only */
/* Orphans: programs of ours whose loader died, to be adopted or removed. */
#ifndef XF_ORPHAN_H
#define XF_ORPHAN_H

#include "loader/hook/attach.h"
#include "loader/hook/lock.h"

struct xf_orphan {
	__u32 id;
	bool fits; /* has the object, ABI, mode, priority and chain actions of our own options */
};

struct xf_orphans {
	struct xf_orphan at[XF_CHAIN_MAX];
	unsigned int n;
	bool full; /* the hook has no place for another program */
	struct xf_chain chain;
};

/* Find the orphans on an interface, and which of them fit @opts. Returns 0, or -errno after a
 * message. */
int xf_orphans_find(struct xf_orphans *orphans, const struct xf_attach_opts *opts,
		    struct xf_locks *locks);
/* Detach all orphans but @keep, with a message for each. Returns the number of failures. */
int xf_orphans_remove(const struct xf_orphans *orphans, const char *ifname, unsigned int ifindex,
		      __u32 keep);

#endif
