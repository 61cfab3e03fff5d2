/* SPDX-License-Identifier: GPL-2.0-only */
/* The bytes of the streams that probe and segments send, by their position. */
#ifndef XF_E2E_PATTERN_H
#define XF_E2E_PATTERN_H

#include <stdint.h>

/* A cheap function without short periods. */
static inline uint8_t pattern(uint64_t pos)
{
	uint64_t x = (pos >> 2) * 0x9e3779b97f4a7c15ULL;

	return (x >> 40) + (pos & 3) * 67;
}

#endif
