/* SPDX-License-Identifier: GPL-2.0-only */
/* A warning that would come often comes once in a while, with the number of times. */
#ifndef XF_RARE_H
#define XF_RARE_H

#include <stdbool.h>
#include <stdint.h>

/* All zero at first. */
struct xf_rare {
	uint64_t next; /* not before, ns */
	uint64_t times;
};

/* Whether the warning is due at @now, ns: the first time, and then every five seconds. *@times
 * since the last one, this one included. */
bool xf_rare_due(struct xf_rare *rare, uint64_t now, uint64_t *times);
/* " (3 times)" or "". Returns @out. */
char *xf_times_text(uint64_t times, char out[32]);

#endif
