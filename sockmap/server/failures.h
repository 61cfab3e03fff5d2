/* SPDX-License-Identifier: GPL-2.0-only */
/* Upstreams that could not be dialled lately, by address, so that the entries survive a change of
 * routes. The table has a fixed size, so that clients cannot make it grow. */
#ifndef XF_FAILURES_H
#define XF_FAILURES_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/ratelimit.h"
#include "lib/sockaddr.h"

#define XF_FAILURES 256

struct xf_failure {
	struct xf_addr addr; /* len 0: free */
	uint64_t until;	     /* avoid it until then, ns */
	struct xf_ratelimit warning;
};

/* All zero at first. Times are ns, CLOCK_MONOTONIC. */
struct xf_failures {
	struct xf_failure at[XF_FAILURES];
};

/* Note that @addr could not be dialled. Returns the rate limit of the warning about it; when the
 * table is full several addresses share one. */
struct xf_ratelimit *xf_failures__note(struct xf_failures *failures, const struct xf_addr *addr,
				       uint64_t now);
/* Whether @addr failed less than five seconds ago and was not forgotten since. */
bool xf_failures__has(const struct xf_failures *failures, const struct xf_addr *addr, uint64_t now);
/* Forget the failure of @addr, which could be dialled. The rate limit of its warning stays. */
void xf_failures__forget(struct xf_failures *failures, const struct xf_addr *addr);

#endif
