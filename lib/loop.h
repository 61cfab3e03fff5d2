/* SPDX-License-Identifier: GPL-2.0-only */
/* One thread's event loop: descriptors by epoll, timers in a heap. Nothing here blocks but
 * xf_loop__turn(). Not for use from another thread, xf_loop__wake() excepted. */
#ifndef XF_LOOP_H
#define XF_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/time.h"

/* The struct of @type whose @member @ptr points to. */
#define xf_container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

struct xf_loop;

/* A descriptor in the loop. Lives in the caller's struct; fn gets the EPOLL* events. */
struct xf_watch {
	int fd; /* -1: not in the loop */
	void (*fn)(struct xf_watch *watch, uint32_t events);
};

/* A call at a time (ns, CLOCK_MONOTONIC). Lives in the caller's struct, zero at first. */
struct xf_timer {
	uint64_t at;
	size_t pos; /* place in the heap, from 1; 0: not armed */
	void (*fn)(struct xf_timer *timer, uint64_t now);
};

/* Returns 0 or -errno, without a message. */
int xf_loop__new(struct xf_loop **loop);
/* Run the calls that are still deferred, and free the loop. NULL is allowed. */
void xf_loop__free(struct xf_loop *loop);

/* Add @watch for @fd, change its events, remove it. @events are those of epoll_ctl(), EPOLLET
 * included. Removing sets watch->fd to -1 and leaves the descriptor open; watch->fn is not called
 * afterwards, even for an event of the same turn. Return 0 or -errno. */
int xf_loop__add(struct xf_loop *loop, struct xf_watch *watch, int fd, uint32_t events);
int xf_loop__mod(struct xf_loop *loop, struct xf_watch *watch, uint32_t events);
void xf_loop__del(struct xf_loop *loop, struct xf_watch *watch);
/* Remove @watch and close its descriptor, of which there may be no duplicate: one system call less
 * than del and close. Nothing happens when watch->fd is -1. */
void xf_loop__close(struct xf_loop *loop, struct xf_watch *watch);

/* Call timer->fn once at @at or as soon after as the loop gets to it (within a millisecond when it
 * has nothing else to do). Arming an armed timer moves it; one armed inside a timer's fn is called
 * in the next turn at the earliest. Returns 0, or -ENOMEM for a timer that is not
 * armed yet, since memory for the heap is allocated here. */
int xf_loop__arm(struct xf_loop *loop, struct xf_timer *timer, uint64_t at);
void xf_loop__disarm(struct xf_loop *loop, struct xf_timer *timer);

/* CLOCK_MONOTONIC in ns at the start of this turn (read anew by each xf_loop__turn()). */
uint64_t xf_loop__now(const struct xf_loop *loop);

/* Call fn(arg) at the end of this turn, when no event of it can reach the memory any more; outside
 * a turn at the end of the next, which does not wait then. Adding a watch and arming a
 * timer allocate the memory for one such call each. */
void xf_loop__defer(struct xf_loop *loop, void (*fn)(void *arg), void *arg);

/* Wait for events or the next timer, at most @wait_ms (-1: no limit, 0: do not wait), and handle
 * them. Returns 0 or -errno (never -EINTR). */
int xf_loop__turn(struct xf_loop *loop, int wait_ms);
/* Busy polling: look for events for up to @ns before the next wait goes to sleep, since waking up
 * takes longer than a short wait. The request is for one turn, and the loop polls only while it
 * pays, which is while waits end within twice @ns. */
void xf_loop__poll(struct xf_loop *loop, uint64_t ns);
/* Whether polling pays at present. */
bool xf_loop__is_polling(const struct xf_loop *loop);
/* End the wait of the present turn, or of the next one. Callable from any thread and from a signal
 * handler. */
void xf_loop__wake(struct xf_loop *loop);

#endif
