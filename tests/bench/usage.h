/* SPDX-License-Identifier: GPL-2.0-only */
/* CPU time and memory of the machine and of one process. */
#ifndef XF_USAGE_H
#define XF_USAGE_H

#include <stdint.h>
#include <sys/types.h>

struct usage {
	uint64_t at;	/* ns, CLOCK_MONOTONIC */
	double machine; /* seconds of all CPUs together */
	double process; /* seconds of all threads of the process */
	int64_t rss;	/* bytes, of the process */
	int64_t kernel; /* bytes: slab, per-CPU memory and what sockets queue */
};

/* Seconds that the CPUs were busy: user, nice, system, irq and softirq, so what kernel threads did
 * for everybody is in it. */
double usage_machine(void);
/* Without a process (@pid 0) process and rss are 0. */
void usage_read(struct usage *usage, pid_t pid);

#endif
