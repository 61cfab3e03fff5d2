// SPDX-License-Identifier: GPL-2.0-only
#include "sockmap/relay/crowd.h"

#include "lib/time.h"

/* How long a look at those in the sockmap is good for, ns: they are only looked at while busy. */
#define MAPPED_GOOD (200 * XF_MSEC)

static unsigned int max(unsigned int a, unsigned int b)
{
	return a > b ? a : b;
}

/* The rest of @level after @windows. */
static unsigned int sunk(unsigned int level, uint64_t windows)
{
	while (level && windows--)
		level -= (level + 7) / 8;
	return level;
}

void xf_crowd__note(struct xf_crowd *crowd, uint64_t *stamp, uint64_t now)
{
	uint64_t window = now / XF_CROWD_WINDOW;

	if (*stamp == window)
		return;
	*stamp = window;
	if (crowd->window != window) {
		crowd->level = sunk(max(crowd->count, crowd->level), window - crowd->window);
		crowd->window = window;
		crowd->count = 0;
	}
	crowd->count++;
}

void xf_crowd__note_mapped(struct xf_crowd *crowd, unsigned int relays, uint64_t now)
{
	crowd->mapped = relays;
	crowd->mapped_at = now;
}

unsigned int xf_crowd__size(const struct xf_crowd *crowd, uint64_t now)
{
	unsigned int level = max(crowd->count, crowd->level);

	level = sunk(level, now / XF_CROWD_WINDOW - crowd->window);
	return level + (now - crowd->mapped_at < MAPPED_GOOD ? crowd->mapped : 0);
}
