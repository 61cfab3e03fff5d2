// SPDX-License-Identifier: GPL-2.0-only
/* Watches, timers and deferred calls that count their calls. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/lib/loop_fixture.h"

int loop_set_up(void **state)
{
	return xf_loop__new((struct xf_loop **)state);
}

int loop_tear_down(void **state)
{
	xf_loop__free(*state);
	return 0;
}

void count(struct xf_watch *watch, uint32_t events)
{
	struct item *item = xf_container_of(watch, struct item, watch);

	assert_true(events & EPOLLIN);
	item->calls++;
}

void add_readable(struct item *item, struct xf_loop *loop, void (*fn)(struct xf_watch *, uint32_t))
{
	int fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);

	*item = (struct item) { .watch = { .fd = -1, .fn = fn }, .loop = loop };
	assert_true(fd >= 0);
	assert_int_equal(xf_loop__add(loop, &item->watch, fd, EPOLLIN), 0);
	assert_int_equal(item->watch.fd, fd);
}

uint64_t last_due;

void in_order(struct xf_timer *timer, uint64_t now)
{
	struct clocked *it = xf_container_of(timer, struct clocked, timer);

	assert_int_equal(timer->pos, 0);
	assert_true(now >= it->due);
	assert_true(it->due >= last_due);
	last_due = it->due;
	it->calls++;
}

void do_later(void *arg)
{
	struct later *later = arg;

	later->calls++;
	if (later->item)
		assert_int_equal(later->item->calls, 1); /* events come first */
	if (later->again) {
		later->again = false;
		xf_loop__defer(later->loop, do_later, later);
	}
}

void *wake_soon(void *loop)
{
	usleep(20000);
	xf_loop__wake(loop);
	return NULL;
}
