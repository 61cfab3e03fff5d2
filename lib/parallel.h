/* SPDX-License-Identifier: GPL-2.0-only */
/* Runs calls that wait in the kernel by several threads at once. */
#ifndef XF_PARALLEL_H
#define XF_PARALLEL_H

#include <stddef.h>

/* Call fn(arg, i) for all i < @n, from this thread and up to 32 others. @fn returns 0 or -errno.
 * Returns 0, or the last error. */
int xf_parallel(size_t n, int (*fn)(void *arg, size_t i), void *arg);

#endif
