/* SPDX-License-Identifier: GPL-2.0-only */
/* How many relays are busy at the same time.
 *
 * A message that the sockmap moves costs a switch to a thread of the kernel's. While few are under
 * way that is the shortest way; where many are, user space takes a batch of them each time it runs,
 * and each costs less that way. And while only one or two are, a thread that polls spares both the
 * switch and a CPU's awakening. Measured with 64 B to and fro on two CPUs: sockmap's round trip was
 * 0.9 of that of a copying relay with 1 connection, 0.6 to 1 with 4, the same with 8, and 1.25 with
 * 16; that of copy with polling 0.5 with 1, 0.4 with 2, 0.7 with 3, and no better than without from
 * 4 on. */
#ifndef XF_CROWD_H
#define XF_CROWD_H

#include <stdint.h>

#include "lib/time.h"

/* One for each mover. All zero at first; times are ns, CLOCK_MONOTONIC. */
struct xf_crowd {
	uint64_t window;     /* number of the one that is counted now */
	unsigned int count;  /* relays that were seen in it */
	unsigned int level;  /* of the windows before it; sinks by an eighth with each */
	unsigned int mapped; /* busy relays in the sockmap, at the last look */
	uint64_t mapped_at;
};

/* User space moved bytes of a relay; @stamp is that relay's own, 0 at first. */
void xf_crowd__note(struct xf_crowd *crowd, uint64_t *stamp, uint64_t now);
/* Note that @relays in the sockmap were busy within a window. */
void xf_crowd__note_mapped(struct xf_crowd *crowd, unsigned int relays, uint64_t now);
/* The number of relays that were busy lately. */
unsigned int xf_crowd__size(const struct xf_crowd *crowd, uint64_t now);

/* Length of a window, ns: some round trips of a busy machine. */
#define XF_CROWD_WINDOW XF_MSEC

#endif
