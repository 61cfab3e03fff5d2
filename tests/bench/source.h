/* SPDX-License-Identifier: GPL-2.0-only */
/* The interface between the traffic source and the program that starts it. */
#ifndef XF_BENCH_SOURCE_H
#define XF_BENCH_SOURCE_H

#include <linux/types.h>

#define BENCH_FLOWS 4096	   /* a power of two */
#define BENCH_CATCH_UP_NS 20000000 /* pauses up to this long are caught up with */
#define BENCH_GAP_SHIFT 8	   /* the gap is in 1/256 ns */

struct bench_source {
	__u64 start_ns; /* CLOCK_MONOTONIC */
	__u64 end_ns;	/* likewise */
	__u64 next;	/* when the next packet may go: since the start, in units of the gap */
	__u64 gap;	/* between packets; 0: as fast as it goes */
	__u64 sent;
	__u32 ifindex; /* to which they go */
	__u32 reserved;
};

#endif
