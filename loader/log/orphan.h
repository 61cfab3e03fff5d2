/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs of ours whose loader died: to be adopted, or replaced and removed. */
#ifndef XF_ORPHAN_H
#define XF_ORPHAN_H

#include "loader/hook/attach.h"
#include "loader/hook/lock.h"

struct xf_orphan {
	__u32 id;
	bool fits; /* it is what we would attach ourselves: same object, ABI, mode, priority and
		      chain actions */
};

struct xf_orphans {
	struct xf_orphan at[XF_CHAIN_MAX];
	unsigned int n;
	bool full; /* there is no place on the hook beside what is there */
	struct xf_chain chain;
};

/* Find the orphans on an interface, and which of them fit what @opts would attach. Returns 0, or
 * -errno after a message. */
int xf_orphans_find(struct xf_orphans *orphans, const struct xf_attach_opts *opts,
		    struct xf_locks *locks);
/* Take all but @keep off the interface, saying which. Returns the number that could not be removed.
 */
int xf_orphans_remove(const struct xf_orphans *orphans, const char *ifname, unsigned int ifindex,
		      __u32 keep);

#endif
