/* SPDX-License-Identifier: GPL-2.0-only */
/* The capabilities of this thread, as masks of 1ULL << CAP_*. */
#ifndef XF_CAP_SETS_H
#define XF_CAP_SETS_H

#include <stdint.h>

/* Some releases of <linux/capability.h> lack these two. */
#define XF_CAP_PERFMON 38
#define XF_CAP_BPF 39

struct xf_cap_sets {
	uint64_t effective, permitted;
};

/* Read the sets of the calling thread. Returns 0, or -errno with both sets empty. */
int xf_cap_sets_get(struct xf_cap_sets *sets);

#endif
