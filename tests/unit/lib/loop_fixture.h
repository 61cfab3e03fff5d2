/* SPDX-License-Identifier: GPL-2.0-only */
/* The loop of each test, and watches, timers and deferred calls that count their calls. */
#ifndef XF_TEST_LOOP_FIXTURE_H
#define XF_TEST_LOOP_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/loop.h"

int loop_set_up(void **state);
int loop_tear_down(void **state);

/* A descriptor that stays readable; its callback may close the one of @victim. */
struct item {
	struct xf_watch watch;
	struct xf_loop *loop;
	struct item *victim;
	unsigned int calls;
};

void count(struct xf_watch *watch, uint32_t events);
void add_readable(struct item *item, struct xf_loop *loop, void (*fn)(struct xf_watch *, uint32_t));

/* A timer whose callback, in_order(), fails when it is called before it is due, or after a timer
 * that is due later. */
struct clocked {
	struct xf_timer timer;
	uint64_t due;
	unsigned int calls;
};

extern uint64_t last_due;
void in_order(struct xf_timer *timer, uint64_t now);

/* A deferred call, which defers itself once more when @again is set. */
struct later {
	struct xf_loop *loop;
	struct item *item;
	unsigned int calls;
	bool again;
};

void do_later(void *arg);

/* The main function of a thread that wakes @loop after 20 ms. */
void *wake_soon(void *loop);

#endif
