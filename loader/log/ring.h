/* SPDX-License-Identifier: GPL-2.0-only */
/* One BPF ring buffer as its consumer sees it. No system calls.
 *
 * The layout of the shared pages is the kernel's contract with user space (include/uapi/linux/bpf.h
 * and Documentation/bpf/ringbuf.rst): one page with the consumer's position, one with the
 * producer's, then the data twice. We read them ourselves and not with libbpf's ring_buffer,
 * because the session merges the rings of all CPUs by time and has to leave records where they are
 * when the output takes no more. */
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

/* Remember how far the producer is. Records behind that are left for the next look. */
void xf_ring__look(struct xf_ring *ring);
/* The next record up to the limit (or what begins with one), or NULL when there is none, or the
 * next one is still being written. Valid until xf_ring__release(). */
const struct xf_record *xf_ring__peek(struct xf_ring *ring);
void xf_ring__advance(struct xf_ring *ring);
/* Give the space of all records passed so far back to the kernel. */
void xf_ring__release(struct xf_ring *ring);

/* Take all records that are there now and give their space back. Returns how many there were. */
uint64_t xf_ring__skip_all(struct xf_ring *ring);

#endif
