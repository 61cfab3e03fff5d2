/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers to and from bytes in network order. Inside firewall/ only. */
#ifndef XF_WORDS_H
#define XF_WORDS_H

#include <stdint.h>

static inline uint64_t xf_from_bytes(const uint8_t *bytes, int n)
{
	uint64_t value = 0;

	for (int i = 0; i < n; i++)
		value = value << 8 | bytes[i];
	return value;
}

static inline void xf_to_bytes(uint64_t value, uint8_t *bytes, int n)
{
	for (int i = n - 1; i >= 0; i--, value >>= 8)
		bytes[i] = value;
}

#endif
