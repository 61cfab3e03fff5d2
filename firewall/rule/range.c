// SPDX-License-Identifier: GPL-2.0-only
/* A range of addresses to prefixes, each as large as its alignment and the end of the range allow:
 * these are the fewest. */
#include "firewall/rule/range.h"

#include <string.h>

static unsigned int bytes_of(int family)
{
	return family == 6 ? 16 : 4;
}

/* The last address of the prefix of this length that begins with @addr. */
static void last_of(const uint8_t *addr, unsigned int len, int family, uint8_t last[16])
{
	memset(last, 0, 16);
	memcpy(last, addr, bytes_of(family));
	for (unsigned int bit = len; bit < 8 * bytes_of(family); bit++)
		last[bit / 8] |= 0x80 >> bit % 8;
}

struct xf_range xf_range_of(const struct xf_prefix *prefix, int family)
{
	struct xf_range range = { .family = family };

	memcpy(range.first, prefix->addr, sizeof(range.first));
	last_of(prefix->addr, prefix->len, family, range.last);
	return range;
}

/* Whether a prefix of this length can begin with the first address and ends in the range. */
static bool fits(const struct xf_range *range, unsigned int len)
{
	uint8_t last[16];

	if (range->first[len / 8] & 0x80 >> len % 8)
		return false;
	last_of(range->first, len, range->family, last);
	return memcmp(last, range->last, sizeof(last)) <= 0;
}

struct xf_prefix xf_range__cut(struct xf_range *range)
{
	struct xf_prefix prefix = { .len = 8 * bytes_of(range->family) };
	int byte = bytes_of(range->family) - 1;
	uint8_t last[16];

	while (prefix.len && fits(range, prefix.len - 1))
		prefix.len--;
	memcpy(prefix.addr, range->first, sizeof(prefix.addr));
	last_of(prefix.addr, prefix.len, range->family, last);
	if (!memcmp(last, range->last, sizeof(last))) {
		range->family = 0;
		return prefix;
	}
	while (++last[byte] == 0)
		byte--;
	memcpy(range->first, last, sizeof(last));
	return prefix;
}
