/* SPDX-License-Identifier: GPL-2.0-only */
/* Upstreams that could not be dialled lately, by address: they survive a change of routes. Of fixed
 * size, so that nothing grows with what clients do. */
#ifndef XF_FAILURES_H
#define XF_FAILURES_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/ratelimit.h"
#include "lib/sockaddr.h"

#define XF_FAILURES 256

struct xf_failure {
	struct xf_addr addr; /* len 0: free */
	uint64_t until;	     /* avoid it so long, ns */
	struct xf_ratelimit warning;
};

/* All zero at first. Times are ns, CLOCK_MONOTONIC. */
struct xf_failures {
	struct xf_failure at[XF_FAILURES];
};

/* @addr could not be dialled. Returns the limit of the warning about it; when more fail than there
 * is room for, several share one. */
struct xf_ratelimit *xf_failures__note(struct xf_failures *failures, const struct xf_addr *addr,
				       uint64_t now);
/* It failed less than five seconds ago, and was not forgotten. */
bool xf_failures__has(const struct xf_failures *failures, const struct xf_addr *addr, uint64_t now);
/* It could be dialled. The limit of its warning stays. */
void xf_failures__forget(struct xf_failures *failures, const struct xf_addr *addr);

#endif
