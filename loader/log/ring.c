// SPDX-License-Identifier: GPL-2.0-only
/* The consumer's side of one BPF ring buffer. */
#include "loader/log/ring.h"

#include <linux/bpf.h>
#include <stdint.h>

void xf_ring__look(struct xf_ring *ring)
{
	uint32_t produced = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);

	ring->limit = ring->at + (uint32_t)(produced - (uint32_t)ring->at);
}

static uint32_t *ring_header(const struct xf_ring *ring)
{
	return (uint32_t *)(ring->data + (ring->at & (ring->size - 1)));
}

static void ring_skip(struct xf_ring *ring, uint32_t header)
{
	uint32_t len = header & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);

	ring->at += (len + BPF_RINGBUF_HDR_SZ + 7) & ~7u;
}

const struct xf_record *xf_ring__peek(struct xf_ring *ring)
{
	while (ring->at < ring->limit) {
		uint32_t header = __atomic_load_n(ring_header(ring), __ATOMIC_ACQUIRE);

		if (header & BPF_RINGBUF_BUSY_BIT)
			return NULL;
		if (!(header & BPF_RINGBUF_DISCARD_BIT))
			return (const void *)((const char *)ring_header(ring) + BPF_RINGBUF_HDR_SZ);
		ring_skip(ring, header);
	}
	return NULL;
}

void xf_ring__advance(struct xf_ring *ring)
{
	ring_skip(ring, *ring_header(ring));
	ring->taken++;
}

void xf_ring__release(struct xf_ring *ring)
{
	__atomic_store_n(ring->consumer, ring->at, __ATOMIC_RELEASE);
}

uint64_t xf_ring__count(struct xf_ring *ring)
{
	uint64_t n = 0;

	xf_ring__look(ring);
	for (; xf_ring__peek(ring); n++)
		xf_ring__advance(ring);
	return n;
}

uint64_t xf_ring__skip_all(struct xf_ring *ring)
{
	uint64_t n = xf_ring__count(ring);

	xf_ring__release(ring);
	return n;
}
