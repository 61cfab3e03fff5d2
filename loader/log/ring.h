/* SPDX-License-Identifier: GPL-2.0-only */
/* The consumer's side of one BPF ring buffer. No system calls.
 *
 * The layout of the shared pages is the kernel's contract with user space (include/uapi/linux/bpf.h
 * and Documentation/bpf/ringbuf.rst): one page with the consumer's position, one with the
 * producer's, then the data twice. libbpf's ring_buffer is not used, because the
 * session merges the rings of all CPUs by time, and leaves records in the ring when the output
 * takes no more.
 *
 * Positions only grow, and are an unsigned long of the kernel's: a 32-bit one wraps after 4 GiB and
 * has another position behind the producer's, while a 64-bit kernel reads all 64 bits, also of a
 * 32-bit process. So 64 bits are counted and written, and of the producer's the lower 32 are read:
 * a ring is smaller than 4 GiB. */
#ifndef XF_RING_H
#define XF_RING_H

#include <stddef.h>
#include <stdint.h>

#include "xdp-prog/abi.h"

struct xf_ring {
	int fd;
	size_t size;		  /* bytes, a power of two */
	uint64_t *consumer;	  /* shared */
	const uint32_t *producer; /* shared; the lower half, all that a 32-bit kernel has */
	const char *data;
	uint64_t at;	/* our own position; *consumer follows at xf_ring__release() */
	uint64_t taken; /* records that were passed */
	uint64_t limit; /* the producer's position at the last xf_ring__look() */
};

/* Read the producer's position, up to which xf_ring__peek() returns records. */
void xf_ring__look(struct xf_ring *ring);
/* Returns the next record (or a larger struct that begins with one) up to the limit; NULL when
 * there is none, or it is still being written. Valid until xf_ring__release(). */
const struct xf_record *xf_ring__peek(struct xf_ring *ring);
/* Pass the record that xf_ring__peek() returned. */
void xf_ring__advance(struct xf_ring *ring);
/* Return the space of all passed records to the kernel. */
void xf_ring__release(struct xf_ring *ring);

/* Pass all records that are there now. Returns their number. */
uint64_t xf_ring__count(struct xf_ring *ring);
/* The same, and return their space. */
uint64_t xf_ring__skip_all(struct xf_ring *ring);

#endif
