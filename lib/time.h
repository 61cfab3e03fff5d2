/* SPDX-License-Identifier: GPL-2.0-only */
/* Time in nanoseconds. */
#ifndef XF_TIME_H
#define XF_TIME_H

#include <stdint.h>
#include <time.h>

#define XF_NSEC 1000000000ULL /* a second */
#define XF_MSEC 1000000ULL    /* a millisecond */

/* The time of @clock in ns. */
static inline uint64_t xf_now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * XF_NSEC + ts.tv_nsec;
}

#endif
