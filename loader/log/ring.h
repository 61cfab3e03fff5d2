/* SPDX-License-Identifier: GPL-2.0-only */
/* The consumer's side of one BPF ring buffer. No system calls.
 *
 * The layout of the shared pages is the kernel's contract with user space (include/uapi/linux/bpf.h
 * and Documentation/bpf/ringbuf.rst): one page with the consumer's position, one with the
 * producer's, then the data twice. libbpf's ring_buffer is not used, because the
 * session merges the rings of all CPUs by time, and leaves records in the ring when the output
 * takes no more. */
#ifndef XF_RING_H
#define XF_RING_H

#include <stddef.h>
#include <stdint.h>

#include "xdp-prog/abi.h"

struct xf_ring {
	int fd;
	size_t size;		 /* bytes, a power of two */
	unsigned long *consumer; /* shared */
	const unsigned long *producer;
	const char *data;
	unsigned long at;    /* our own position; *consumer follows at xf_ring__release() */
	unsigned long limit; /* the producer's position at the last xf_ring__look() */
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

/* Pass all records that are there now and return their space. Returns their number. */
uint64_t xf_ring__skip_all(struct xf_ring *ring);

#endif
