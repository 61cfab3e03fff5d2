/* SPDX-License-Identifier: GPL-2.0-only */
/* The account of one interface's packets, in which seen must be the sum of all others. Pure. */
#ifndef XF_TALLY_H
#define XF_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xdp-prog/abi.h"

struct xf_tally {
	uint64_t seen;
	uint64_t logged;
	uint64_t filtered;
	uint64_t sampled_out;
	uint64_t rate_limited;
	uint64_t lost;
	uint64_t unread;
};

/* The account of the records that the reader took from the rings; pending lines are in none of
 * these. */
struct xf_line_counts {
	uint64_t logged; /* the output took their line */
	uint64_t lost;	 /* the output failed to */
	uint64_t unread; /* --count was reached or the output closed */
};

/* Add to @sum the difference between two readings of a program's counters. */
void xf_counters_add(struct xf_counters *sum, const struct xf_counters *base,
		     const struct xf_counters *now);

/* @base: the program's counters when this reader began; @now: the present ones. */
void xf_tally_make(struct xf_tally *tally, const struct xf_counters *base,
		   const struct xf_counters *now, const struct xf_line_counts *taken);

/* The sum of all but seen. */
uint64_t xf_tally_sum(const struct xf_tally *tally);

/* Compare a final tally, in which no line is pending any more, with what the kernel counted:
 * @submitted records since this reader began, of which it has read @own from its own rings. From
 * the rings of a dead reader it has read @left, of which some were submitted before. tally->seen
 * becomes what the kernel saw. Returns whether it is the sum of all others; when it is not, records
 * were lost on the way, or read twice. */
bool xf_tally_check(struct xf_tally *tally, const struct xf_line_counts *taken, uint64_t submitted,
		    uint64_t own, uint64_t left);

/* Write "eth0: seen 1000, logged 985, ...", without a newline, cut to @size. Returns @out. */
char *xf_tally_text(char *out, size_t size, const char *iface, const struct xf_tally *tally);

#endif
