// SPDX-License-Identifier: GPL-2.0-only
/* The event loop: epoll, a binary heap of timers, a list of deferred calls. */
#include "lib/loop.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "lib/time.h"
#include "lib/msg.h"

/* Events of a turn: timers wait for few, and the search in forget() stays short. */
#define BATCH 64

/* Polling begins after POLL_ENOUGH short waits. Their count grows up to POLL_MAX, and a long wait
 * lowers it by POLL_LOSS. */
#define POLL_ENOUGH 8
#define POLL_MAX 16
#define POLL_LOSS 4

struct deferred {
	void (*fn)(void *arg);
	void *arg;
};

struct xf_loop {
	int epoll;
	uint64_t now;
	struct xf_watch wake;

	struct epoll_event batch[BATCH];
	int n_batch, at; /* of the turn under way; events from at on are still to be handled */
	bool in_turn;
	size_t n_watches;

	/* A binary heap from 1: heap[i] is due no later than heap[2i] and heap[2i + 1]. */
	struct xf_timer **heap;
	size_t n_timers, heap_room;
	bool firing;

	struct deferred *deferred;
	size_t n_deferred, deferred_room;

	uint64_t poll_ns;	  /* requested for the next wait */
	unsigned int short_waits; /* lately, see POLL_ENOUGH */
};

/* Make room for @n entries in the array. Returns 0 or -ENOMEM. */
static int grow(void **array, size_t *room, size_t n, size_t size)
{
	size_t more = *room ? *room * 2 : 64;
	void *larger;

	if (n <= *room)
		return 0;
	if (more < n)
		more = n;
	larger = reallocarray(*array, more, size);
	if (!larger)
		return -ENOMEM;
	*array = larger;
	*room = more;
	return 0;
}

/* Make room for a deferred call of each watch and timer, and for one more. Their owners defer a
 * call when they end, and could not handle a failure then. */
static int reserve_deferred(struct xf_loop *loop)
{
	return grow((void **)&loop->deferred, &loop->deferred_room,
		    loop->n_watches + loop->n_timers + loop->n_deferred + 1,
		    sizeof(*loop->deferred));
}

/* ---- descriptors ---- */

int xf_loop__add(struct xf_loop *loop, struct xf_watch *watch, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };
	int err = reserve_deferred(loop);

	if (err)
		return err;
	if (epoll_ctl(loop->epoll, EPOLL_CTL_ADD, fd, &event))
		return -errno;
	watch->fd = fd;
	loop->n_watches++;
	return 0;
}

int xf_loop__mod(struct xf_loop *loop, struct xf_watch *watch, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.ptr = watch };

	return epoll_ctl(loop->epoll, EPOLL_CTL_MOD, watch->fd, &event) ? -errno : 0;
}

/* Drop the event of @watch that was fetched but not handled yet, if there is one. */
static void forget(struct xf_loop *loop, struct xf_watch *watch)
{
	watch->fd = -1;
	loop->n_watches--;
	for (int i = loop->at; i < loop->n_batch; i++) {
		if (loop->batch[i].data.ptr == watch) {
			loop->batch[i].data.ptr = NULL;
			return;
		}
	}
}

void xf_loop__del(struct xf_loop *loop, struct xf_watch *watch)
{
	if (watch->fd < 0)
		return;
	epoll_ctl(loop->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
	forget(loop, watch);
}

void xf_loop__close(struct xf_loop *loop, struct xf_watch *watch)
{
	int fd = watch->fd;

	if (fd < 0)
		return;
	forget(loop, watch);
	close(fd);
}

/* ---- timers ---- */

static void place(struct xf_loop *loop, struct xf_timer *timer, size_t pos)
{
	loop->heap[pos] = timer;
	timer->pos = pos;
}

/* Put @timer at @pos, or at its place above or below that. */
static void sift(struct xf_loop *loop, struct xf_timer *timer, size_t pos)
{
	size_t child;

	for (; pos > 1 && timer->at < loop->heap[pos / 2]->at; pos /= 2)
		place(loop, loop->heap[pos / 2], pos);
	for (; (child = 2 * pos) <= loop->n_timers; pos = child) {
		if (child < loop->n_timers && loop->heap[child + 1]->at < loop->heap[child]->at)
			child++;
		if (timer->at <= loop->heap[child]->at)
			break;
		place(loop, loop->heap[child], pos);
	}
	place(loop, timer, pos);
}

int xf_loop__arm(struct xf_loop *loop, struct xf_timer *timer, uint64_t at)
{
	int err = timer->pos ? 0 : reserve_deferred(loop);

	if (!timer->pos && !err)
		err = grow((void **)&loop->heap, &loop->heap_room, loop->n_timers + 2,
			   sizeof(*loop->heap));
	if (err)
		return err;
	/* A timer that arms itself for now must not keep the turn from ending. */
	timer->at = loop->firing && at <= loop->now ? loop->now + 1 : at;
	sift(loop, timer, timer->pos ? timer->pos : ++loop->n_timers);
	return 0;
}

void xf_loop__disarm(struct xf_loop *loop, struct xf_timer *timer)
{
	size_t pos = timer->pos;
	struct xf_timer *last;

	if (!pos)
		return;
	timer->pos = 0;
	last = loop->heap[loop->n_timers--];
	if (last != timer)
		sift(loop, last, pos);
}

static void fire(struct xf_loop *loop)
{
	struct xf_timer *timer;

	loop->firing = true;
	while (loop->n_timers && loop->heap[1]->at <= loop->now) {
		timer = loop->heap[1];
		xf_loop__disarm(loop, timer);
		timer->fn(timer, loop->now);
	}
	loop->firing = false;
}

uint64_t xf_loop__now(const struct xf_loop *loop)
{
	return loop->now;
}

/* ---- deferred calls ---- */

void xf_loop__defer(struct xf_loop *loop, void (*fn)(void *arg), void *arg)
{
	if (grow((void **)&loop->deferred, &loop->deferred_room, loop->n_deferred + 1,
		 sizeof(*loop->deferred))) {
		xf_err("cannot defer a release: out of memory");
		return;
	}
	loop->deferred[loop->n_deferred++] = (struct deferred) { fn, arg };
}

/* Deferred calls may defer others, which run too. */
static void run_deferred(struct xf_loop *loop)
{
	struct deferred now;

	for (size_t i = 0; i < loop->n_deferred; i++) {
		now = loop->deferred[i];
		now.fn(now.arg);
	}
	loop->n_deferred = 0;
}

/* ---- turns ---- */

/* Returns the time at which the wait of a turn ends, ns; 0: no wait; UINT64_MAX: no limit. */
static uint64_t wait_until(const struct xf_loop *loop, int wait_ms)
{
	uint64_t until = UINT64_MAX;

	if (loop->n_deferred || !wait_ms)
		return 0;
	if (wait_ms > 0)
		until = xf_now_ns(CLOCK_MONOTONIC) + wait_ms * XF_MSEC;
	if (loop->n_timers && loop->heap[1]->at < until)
		return loop->heap[1]->at;
	return until;
}

/* Rounds up: a wait that ended before the timer is due would be repeated without end. */
static int ms_until(uint64_t until)
{
	uint64_t now, ms;

	if (!until || until == UINT64_MAX)
		return until ? -1 : 0;
	now = xf_now_ns(CLOCK_MONOTONIC);
	if (until <= now)
		return 0;
	ms = (until - now - 1) / XF_MSEC + 1;
	return ms < INT_MAX ? (int)ms : INT_MAX;
}

void xf_loop__poll(struct xf_loop *loop, uint64_t ns)
{
	loop->poll_ns = ns;
}

bool xf_loop__is_polling(const struct xf_loop *loop)
{
	return loop->short_waits >= POLL_ENOUGH;
}

static int poll_events(struct xf_loop *loop, uint64_t until)
{
	int n;

	do {
		n = epoll_wait(loop->epoll, loop->batch, BATCH, 0);
	} while (!n && xf_now_ns(CLOCK_MONOTONIC) < until);
	return n;
}

static void note_wait(struct xf_loop *loop, bool is_short)
{
	if (is_short)
		loop->short_waits += loop->short_waits < POLL_MAX;
	else
		loop->short_waits -= loop->short_waits < POLL_LOSS ? loop->short_waits : POLL_LOSS;
}

/* Fetch a batch of events. Returns what epoll_wait() does; sets loop->now. */
static int wait_for_events(struct xf_loop *loop, int wait_ms)
{
	uint64_t until = wait_until(loop, wait_ms);
	int n = 0, ms = ms_until(until);
	uint64_t asked = ms ? loop->poll_ns : 0;
	uint64_t start = asked ? xf_now_ns(CLOCK_MONOTONIC) : 0;

	loop->poll_ns = 0;
	if (asked && xf_loop__is_polling(loop)) {
		n = poll_events(loop, start + asked < until ? start + asked : until);
		ms = n ? 0 : ms_until(until);
	}
	if (!n)
		n = epoll_wait(loop->epoll, loop->batch, BATCH, ms);
	loop->now = xf_now_ns(CLOCK_MONOTONIC);
	if (asked)
		note_wait(loop, loop->now - start < 2 * asked);
	return n;
}

int xf_loop__turn(struct xf_loop *loop, int wait_ms)
{
	int n = wait_for_events(loop, wait_ms);

	if (n < 0 && errno != EINTR)
		return -errno;
	loop->in_turn = true;
	loop->n_batch = n < 0 ? 0 : n;
	for (loop->at = 0; loop->at < loop->n_batch;) {
		const struct epoll_event *event = &loop->batch[loop->at++];
		struct xf_watch *watch = event->data.ptr;

		if (watch)
			watch->fn(watch, event->events);
	}
	fire(loop);
	run_deferred(loop);
	loop->in_turn = false;
	return 0;
}

static void on_wake(struct xf_watch *watch, uint32_t events)
{
	uint64_t n;

	(void)events;
	if (read(watch->fd, &n, sizeof(n)) < 0)
		return; /* EAGAIN: nothing to take back */
}

void xf_loop__wake(struct xf_loop *loop)
{
	uint64_t one = 1;
	int saved = errno;

	if (write(loop->wake.fd, &one, sizeof(one)) < 0)
		errno = saved; /* EAGAIN: a wake-up is pending; a signal handler must not change
				  errno */
}

/* ---- life ---- */

int xf_loop__new(struct xf_loop **result)
{
	struct xf_loop *loop = calloc(1, sizeof(*loop));
	int fd = -1, err;

	if (!loop)
		return -ENOMEM;
	loop->wake = (struct xf_watch) { .fd = -1, .fn = on_wake };
	loop->now = xf_now_ns(CLOCK_MONOTONIC);
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll >= 0)
		fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	err = fd < 0 ? -errno : xf_loop__add(loop, &loop->wake, fd, EPOLLIN);
	if (err) {
		if (fd >= 0)
			close(fd);
		xf_loop__free(loop);
		return err;
	}
	*result = loop;
	return 0;
}

void xf_loop__free(struct xf_loop *loop)
{
	if (!loop)
		return;
	run_deferred(loop);
	xf_loop__close(loop, &loop->wake);
	if (loop->epoll >= 0)
		close(loop->epoll);
	free(loop->heap);
	free(loop->deferred);
	free(loop);
}
