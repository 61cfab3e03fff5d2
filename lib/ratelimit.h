/* SPDX-License-Identifier: GPL-2.0-only */
/* A warning that would come often comes once in a while, with the number of times. */
#ifndef XF_RATELIMIT_H
#define XF_RATELIMIT_H

#include <stdbool.h>
#include <stdint.h>

/* All zero at first. */
struct xf_ratelimit {
	uint64_t next; /* not before, ns */
	uint64_t times;
};

/* Whether the warning is due at @now, ns: the first time, and then every five seconds. *@times
 * since the last one, this one included. */
bool xf_ratelimit_due(struct xf_ratelimit *ratelimit, uint64_t now, uint64_t *times);
/* " (3 times)" or "". Returns @out. */
char *xf_times_text(uint64_t times, char out[32]);

#endif
