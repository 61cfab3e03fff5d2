/* SPDX-License-Identifier: GPL-2.0-only */
/* The rings of one program, one for each possible CPU, in the kernel. */
#ifndef XF_READER_H
#define XF_READER_H

#include <stdint.h>

#include "loader/log/ring.h"

struct xf_reader {
	struct xf_ring *rings;
	unsigned int n;	    /* possible CPUs */
	uint32_t wake_mask; /* for xf_config: records of a CPU for each wake-up, less one */
};

/* Create the rings, together at most @bytes (but never less than a page each), each on its CPU's
 * NUMA node. Returns 0, or -errno after a message. */
int xf_reader__open(struct xf_reader *reader, uint64_t bytes);
/* Open the rings that a dead reader left in the slots of @rings_fd, to read their records. Returns
 * 0 (with n 0 when all slots are empty) or -errno. */
int xf_reader__open_left(struct xf_reader *reader, int rings_fd);
void xf_reader__close(struct xf_reader *reader);
/* The records of all its rings that were passed. */
uint64_t xf_reader__taken(const struct xf_reader *reader);
/* The bytes of all its rings. */
uint64_t xf_reader__bytes(const struct xf_reader *reader);

/* Put the rings into the slots. Programs that start after this returns use them. Returns 0 or
 * -errno. */
int xf_reader__install(const struct xf_reader *reader, int rings_fd);
/* Empty the slots. No program writes to the rings after this returns. */
void xf_reader__uninstall(const struct xf_reader *reader, int rings_fd);
/* Wait until no instance of a detached program runs, by emptying one slot: the kernel waits for all
 * running programs before it returns from a change to a map of maps. */
void xf_reader__settle(int rings_fd);

/* Put a perf event into the map @alive_fd. The kernel removes it when the event's descriptor is
 * closed, also by the death of this process. Returns that descriptor, to be kept open, or -errno.
 */
int xf_reader_alive(int alive_fd);

#endif
