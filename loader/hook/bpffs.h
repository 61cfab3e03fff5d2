/* SPDX-License-Identifier: GPL-2.0-only */
/* The BPF file system, in which libxdp keeps the pins of its dispatchers. */
#ifndef XF_BPFFS_H
#define XF_BPFFS_H

#include <linux/types.h>

/* Find a bpffs that outlives this process, and name it to libxdp (LIBXDP_BPFFS): the one the user
 * named; the one on /sys/fs/bpf; that of the initial mount namespace, when this namespace is a
 * private one without a bpffs (as "ip netns exec" makes it); or one that is mounted on /sys/fs/bpf
 * now. Returns NULL, or a text with the reason when there is none. Call before any use of libxdp.
 */
const char *xf_bpffs_prepare(void);

/* The folder of the bpffs in use, or NULL. */
const char *xf_bpffs_dir(void);

/* Remove the pins of one dispatcher of an interface that no longer exists. */
void xf_bpffs_unpin(unsigned int ifindex, __u32 dispatcher_id);

#endif
