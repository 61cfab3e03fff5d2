/* SPDX-License-Identifier: GPL-2.0-only */
/* The number of connections that the limit of open files allows. */
#ifndef XF_CONNECTION_LIMIT_H
#define XF_CONNECTION_LIMIT_H

#include <stdbool.h>

/* Raise the limit of open files as far as possible. Returns the number of connections to allow:
 * @wanted, after a warning if the limit is too low for it; for 0 as many as the limit allows, at
 * most 65536, after a warning if that is less than 100. @others is the number of descriptors that
 * the rest of the process needs. */
unsigned int xf_relay_limit(unsigned int wanted, bool echo, unsigned int threads,
			    unsigned int others);

#endif
