/* SPDX-License-Identifier: GPL-2.0-only */
/* Choose this CPU's ring, decide whether the packet is logged, reserve, submit, and count the
 * packet by the outcome. */
#ifndef XF_RING_BPF_H
#define XF_RING_BPF_H

#include <linux/bpf.h>
#include <linux/errno.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "once.bpf.h"
#include "rate.bpf.h"

/* The type of a reader's ring. Its size is not part of the comparison that the kernel makes when a
 * ring is installed, its flags are: each ring may be on its CPU's NUMA node. No instance of this
 * one is ever made. */
struct xf_ring {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NUMA_NODE);
	/* NUMA_NO_NODE: libbpf makes one for a moment, and node 0 may not exist. Of char, because
	 * __uint's array of that many int is more than BTF can say. */
	char (*numa_node)[0xffffffff];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, XF_MAX_CPUS);
	__type(key, __u32);
	__array(values, struct xf_ring);
} xf_rings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xf_counters);
} xf_counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xf_config);
} xf_config SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, sizeof(__u32));
} xf_alive SEC(".maps");

/* The program does not read it: other processes find the loader by it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xf_owner);
} xf_owner SEC(".maps");

/* One record on its way from reserve to submit. */
struct xf_slot {
	struct xf_record *rec;
	struct xf_counters *counters;
	const struct xf_config *config;
};

/* The reader puts a perf event that is no output event into the map. The kernel takes it out when
 * the reader's file descriptor goes, so after its death the look-up in the helper fails with
 * ENOENT, before that with EINVAL. */
static __always_inline int xf_reader_lives(struct xdp_md *ctx)
{
	__u32 nothing = 0;

	/* A program has only the maps that its code names; this is the place where that costs no
	 * packet anything. */
	asm volatile("" ::"r"(&xf_owner));
	return bpf_perf_event_output(ctx, &xf_alive, 0, &nothing, sizeof(nothing)) != -ENOENT;
}

/* A record for this packet, zeroed but for its time, or NULL. It may be the beginning of something
 * of @size bytes, a constant. In both cases the packet has been counted, in the first class that
 * applies: unread, sampled out, rate limited, lost, submitted. */
static __always_inline struct xf_record *xf_ring_reserve(struct xdp_md *ctx, struct xf_slot *slot,
							 const __u32 size)
{
	__u32 zero = 0, cpu = bpf_get_smp_processor_id();
	struct xf_counters *counters = bpf_map_lookup_elem(&xf_counters, &zero);
	const struct xf_config *config = bpf_map_lookup_elem(&xf_config, &zero);
	struct xf_record *rec;
	__u32 below, rate;
	__u64 now;
	void *ring;

	if (!counters || !config)
		return NULL; /* cannot be: both maps have an element 0 */
	ring = bpf_map_lookup_elem(&xf_rings, &cpu);
	if (!ring) {
		counters->unread++;
		return NULL;
	}
	below = XF_READ_ONCE(config->sample_below);
	if (below && bpf_get_prandom_u32() >= below) {
		counters->sampled_out++;
		return NULL;
	}
	now = bpf_ktime_get_boot_ns();
	rate = XF_READ_ONCE(config->rate);
	if (rate && !xf_rate_pass(rate, now)) {
		counters->rate_limited++;
		return NULL;
	}
	rec = bpf_ringbuf_reserve(ring, size, 0);
	if (!rec) {
		if (xf_reader_lives(ctx))
			counters->lost++;
		else
			counters->unread++;
		return NULL;
	}
	__builtin_memset(rec, 0, size);
	rec->boot_ns = now;
	slot->counters = counters;
	slot->config = config;
	slot->rec = rec;
	return rec;
}

/* A wake-up costs more than all the rest, so a busy reader gets one for many records and looks by
 * itself every few milliseconds; one that has gone to sleep asks for it in wake_now. */
static __always_inline void xf_ring_submit(struct xf_slot *slot)
{
	__u64 nth = ++slot->counters->submitted;
	int wake =
	    XF_READ_ONCE(slot->config->wake_now) || !(nth & XF_READ_ONCE(slot->config->wake_mask));

	bpf_ringbuf_submit(slot->rec, wake ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
}

#endif
