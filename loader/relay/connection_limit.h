/* SPDX-License-Identifier: GPL-2.0-only */
/* How many connections the limit of open files allows. */
#ifndef XF_RELAY_LIMIT_H
#define XF_RELAY_LIMIT_H

#include <stdbool.h>

/* Raise the limit of open files as far as it may be raised, and return how many connections to
 * allow: @wanted, with a warning when there are not enough descriptors for so many; for 0 as many
 * as there are descriptors for, at most 65536. @others is the number of descriptors that the rest
 * of the process needs. */
unsigned int xf_relay_limit(unsigned int wanted, bool echo, unsigned int threads,
			    unsigned int others);

#endif
