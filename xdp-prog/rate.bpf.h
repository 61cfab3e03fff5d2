/* SPDX-License-Identifier: GPL-2.0-only */
/* At most N records in any second, counted over all CPUs.
 *
 * A sliding window: time is cut into buckets of 2^24 ns, and what has passed in this bucket and the
 * 60 before it must stay within N. 60 whole buckets are 1.007 s, so no second anywhere holds more
 * than N, unlike with a counter that is reset each second or a token bucket, which let up to twice
 * as many through around the reset. Under steady overload 97.7 % of N get through. The lock is only
 * taken when a limit is set. */
#ifndef XF_RATE_BPF_H
#define XF_RATE_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#define XF_RATE_SHIFT 24
#define XF_RATE_WINDOW 61
#define XF_RATE_BUCKETS 64 /* power of two above the window */

struct xf_rate {
	struct bpf_spin_lock lock;
	__u32 passed;  /* sum of the buckets in the window */
	__u64 current; /* number of the newest bucket */
	__u32 bucket[XF_RATE_BUCKETS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct xf_rate);
} xf_rate SEC(".maps");

/* Move the window on to bucket number @now and forget what has left it. Called with the lock held.
 */
static __always_inline void xf_rate_advance(struct xf_rate *rate, __u64 now)
{
	for (int i = 0; i < XF_RATE_WINDOW; i++) {
		__u32 old;

		if (rate->current >= now)
			return;
		rate->current++;
		old = (rate->current - XF_RATE_WINDOW) & (XF_RATE_BUCKETS - 1);
		rate->passed -= rate->bucket[old];
		rate->bucket[old] = 0;
	}
	if (rate->current < now)
		rate->current = now; /* a whole window has gone by, all buckets are empty */
}

/* Whether a packet at @boot_ns is within @limit a second; if so it has been counted. */
static __always_inline int xf_rate_pass(__u32 limit, __u64 boot_ns)
{
	__u32 zero = 0;
	struct xf_rate *rate = bpf_map_lookup_elem(&xf_rate, &zero);
	int pass;

	if (!rate)
		return 1; /* cannot be */
	bpf_spin_lock(&rate->lock);
	xf_rate_advance(rate, boot_ns >> XF_RATE_SHIFT);
	pass = rate->passed < limit;
	if (pass) {
		rate->passed++;
		rate->bucket[rate->current & (XF_RATE_BUCKETS - 1)]++;
	}
	bpf_spin_unlock(&rate->lock);
	return pass;
}

#endif
