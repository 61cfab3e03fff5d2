/* SPDX-License-Identifier: GPL-2.0-only */
/* The BPF file system, in which libxdp keeps the pins of its dispatchers. */
#ifndef XF_BPFFS_H
#define XF_BPFFS_H

#include <linux/types.h>

/* Make sure that libxdp will find a bpffs that outlives us, and tell it which (LIBXDP_BPFFS): the
 * one the user named, the one on /sys/fs/bpf, in a private mount namespace without one (as "ip
 * netns exec" makes) that of the initial mount namespace, or one mounted on /sys/fs/bpf now.
 * Returns NULL when there is one, else a sentence that says why there is none. Call before any use
 * of libxdp. */
const char *xf_bpffs_prepare(void);

/* The folder in use, or NULL. */
const char *xf_bpffs_dir(void);

/* Remove the pins of one dispatcher of an interface that no longer exists. */
void xf_bpffs_unpin(unsigned int ifindex, __u32 dispatcher_id);

#endif
