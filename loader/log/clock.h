/* SPDX-License-Identifier: GPL-2.0-only */
/* Turns the CLOCK_BOOTTIME of a packet into wall-clock time, by the offset that was valid when the
 * packet came. */
#ifndef XF_CLOCK_H
#define XF_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define XF_CLOCK_STEPS 16 /* offsets that are remembered */

/* Offsets, oldest first. Each is valid for packets with boot_ns >= from_boot_ns, up to the next
 * one's. */
struct xf_clock {
	int timer_fd; /* readable when the clock has been set (TFD_TIMER_CANCEL_ON_SET); -1 when not
			 opened */
	unsigned int n;
	uint64_t checked_boot_ns; /* the last offset is known to be right up to here */
	uint64_t drained_boot_ns; /* when timer_fd was last read */
	struct {
		uint64_t from_boot_ns;
		int64_t offset_ns; /* wall - boot */
	} step[XF_CLOCK_STEPS];
};

/* Take the first offset and open the timer. Returns 0 or -errno, without a message. */
int xf_clock__open(struct xf_clock *clock);
void xf_clock__close(struct xf_clock *clock);

/* Compare the clocks now, by the vDSO, with a system call only after a step or every 50 ms. Call it
 * before the records of a batch are turned into lines, and whenever timer_fd is readable (it is
 * read here). Returns true when the clock was stepped. */
bool xf_clock__check(struct xf_clock *clock);

/* The pure half of xf_clock__check(): at @boot_ns the wall clock said @wall_ns. An offset that
 * moved by less than 1 ms since the last one is slewing: it replaces the last without a new step, a
 * larger change is a step. A step is dated to the middle between the last check and this one when
 * @announced is false, to @boot_ns itself when it is true (the timer reported it right away). */
bool xf_clock__sample(struct xf_clock *clock, uint64_t boot_ns, uint64_t wall_ns, bool announced);

/* Wall-clock time, ns since the epoch, of a packet that came at @boot_ns. */
uint64_t xf_clock__wall(const struct xf_clock *clock, uint64_t boot_ns);

#endif
