/* SPDX-License-Identifier: GPL-2.0-only */
/* Rate limit of a repeated warning, which is printed with the number of times that it was due. */
#ifndef XF_RATELIMIT_H
#define XF_RATELIMIT_H

#include <stdbool.h>
#include <stdint.h>

/* All zero at first. */
struct xf_ratelimit {
	uint64_t next;	/* when the warning may be printed again, ns */
	uint64_t times; /* due since it was last printed */
};

/* Returns whether to print the warning at @now, ns: the first time, and then every five seconds.
 * *@times is set to the number of times since it was last printed, this one included. */
bool xf_ratelimit_due(struct xf_ratelimit *ratelimit, uint64_t now, uint64_t *times);
/* " (3 times)" or "". Returns @out. */
char *xf_times_text(uint64_t times, char out[32]);

#endif
