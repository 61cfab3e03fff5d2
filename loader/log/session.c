// SPDX-License-Identifier: GPL-2.0-only
/* A session: reads the rings of several interfaces and writes lines, until something ends it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/time.h"
#include "lib/msg.h"
#include "lib/signals.h"
#include "loader/hook/netdev.h"
#include "loader/log/session_impl.h"

#define POLL_MS 20		 /* between two reads of the rings while packets come */
#define CALM_NS (1000 * XF_MSEC) /* without packets for so long the session sleeps */

static void on_signal(struct xf_watch *watch, uint32_t events);
static void on_netdevs(struct xf_watch *watch, uint32_t events);
static void on_clock_set(struct xf_watch *watch, uint32_t events);
static void on_output(struct xf_watch *watch, uint32_t events);
static void on_end(struct xf_timer *timer, uint64_t now);
static void on_stats(struct xf_timer *timer, uint64_t now);
static void on_patience(struct xf_timer *timer, uint64_t now);

static int watch(struct xf_session *s, struct xf_watch *watch, int fd)
{
	return fd < 0 ? fd : xf_loop__add(s->loop, watch, fd, EPOLLIN);
}

static int open_watches(struct xf_session *s)
{
	int err = xf_loop__new(&s->loop);

	/* Never unblocked: a second signal must not kill a session that is about to end. */
	xf_signals_block();
	if (!err)
		err = watch(s, &s->signals, xf_signals_open());
	if (!err)
		err = watch(s, &s->netdevs, xf_netdev_watch());
	if (!err)
		err = xf_clock__open(&s->clock);
	if (!err && s->clock.timer_fd >= 0)
		err = watch(s, &s->clock_set, s->clock.timer_fd);
	return err;
}

/* Watch the output without EPOLLOUT: its reader may go while there is nothing to write, and no
 * write would report it. */
static void watch_output(struct xf_session *s)
{
	int fd = xf_sink__fd(s->sink);

	s->output_wanted = false;
	if (fd >= 0)
		xf_loop__add(s->loop, &s->output, fd, 0);
}

int xf_session__open(struct xf_session **session, const struct xf_session_opts *opts)
{
	struct xf_session *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	*session = s;
	s->opts = *opts;
	s->clock.timer_fd = -1;
	s->signals = (struct xf_watch) { .fd = -1, .fn = on_signal };
	s->netdevs = (struct xf_watch) { .fd = -1, .fn = on_netdevs };
	s->clock_set = (struct xf_watch) { .fd = -1, .fn = on_clock_set };
	s->output = (struct xf_watch) { .fd = -1, .fn = on_output };
	s->end.fn = on_end;
	s->stats.fn = on_stats;
	s->patience.fn = on_patience;
	err = open_watches(s);
	if (err) {
		xf_err("cannot set up signals, clock and netlink notifications: %s",
		       strerror(-err));
		goto fail;
	}
	err = xf_sink__open(&s->sink, &opts->sink);
	if (err)
		goto fail;
	watch_output(s);
	return 0;
fail:
	xf_session__free(s);
	*session = NULL;
	return err;
}

void xf_session__free(struct xf_session *s)
{
	if (!s)
		return;
	for (unsigned int i = 0; i < s->n; i++) {
		xf_session__leave(s, i);
		free(s->sources[i]);
	}
	free(s->sources);
	free(s->order);
	xf_merge__free(&s->merge);
	xf_sink__free(s->sink);
	if (s->clock_set.fd >= 0)
		xf_loop__del(s->loop, &s->clock_set);
	xf_clock__close(&s->clock);
	if (s->loop) {
		xf_loop__close(s->loop, &s->netdevs);
		xf_loop__close(s->loop, &s->signals);
	}
	xf_loop__free(s->loop);
	free(s);
}

struct xf_loop *xf_session__loop(struct xf_session *s)
{
	return s->loop;
}

static void reopen_output(struct xf_session *s)
{
	if (s->output.fd >= 0)
		xf_loop__del(s->loop, &s->output);
	xf_sink__reopen(s->sink);
	watch_output(s);
}

static void print_live_counters(struct xf_session *s)
{
	for (unsigned int i = 0; i < s->n; i++)
		if (s->sources[i]->state == XF_SOURCE_LIVE)
			xf_session__print_counters(s, i, false);
}

static void on_signal(struct xf_watch *watch, uint32_t events)
{
	struct xf_session *s = xf_container_of(watch, struct xf_session, signals);
	enum xf_signal signal;

	(void)events;
	s->woken = true;
	while ((signal = xf_signals_read(watch->fd)) != XF_SIGNAL_NONE) {
		if (signal == XF_SIGNAL_COUNTERS)
			print_live_counters(s);
		/* Without a file to open anew SIGHUP means that the terminal is gone. */
		else if (signal == XF_SIGNAL_HANGUP && s->opts.sink.path)
			reopen_output(s);
		else if (signal != XF_SIGNAL_HANGUP || xf_signals_hangup_ends())
			s->stop = true;
	}
}

static void on_netdevs(struct xf_watch *watch, uint32_t events)
{
	struct xf_session *s = xf_container_of(watch, struct xf_session, netdevs);

	(void)events;
	s->woken = true;
	xf_session__read_netdevs(s);
}

static void on_clock_set(struct xf_watch *watch, uint32_t events)
{
	struct xf_session *s = xf_container_of(watch, struct xf_session, clock_set);

	(void)events;
	s->woken = true;
	xf_clock__check(&s->clock);
}

static void on_output(struct xf_watch *watch, uint32_t events)
{
	struct xf_session *s = xf_container_of(watch, struct xf_session, output);

	s->woken = true;
	if (events & (EPOLLERR | EPOLLHUP)) {
		s->output_closed = true;
		s->stop = true;
	}
}

static void set_wake_now(struct xf_session *s, uint32_t on)
{
	for (unsigned int i = 0; i < s->n; i++)
		if (s->sources[i]->config)
			__atomic_store_n(&s->sources[i]->config->wake_now, on, __ATOMIC_SEQ_CST);
}

/* Stop the programs from waking the session for each packet, before a burst of packets is read. */
static void wake_up(struct xf_session *s)
{
	if (s->wait == WAIT_POLL)
		return;
	set_wake_now(s, 0);
	s->wait = WAIT_POLL;
	s->packet_ns = xf_now_ns(CLOCK_MONOTONIC);
}

/* Choose how the next turn waits: by polling while packets come, asleep when none came for CALM_NS.
 */
static void choose_wait(struct xf_session *s, bool any)
{
	if (any) {
		wake_up(s);
		s->packet_ns = xf_now_ns(CLOCK_MONOTONIC);
	} else if (s->wait == WAIT_POLL && xf_now_ns(CLOCK_MONOTONIC) - s->packet_ns > CALM_NS) {
		set_wake_now(s, 1);
		s->wait = WAIT_CALM;
	} else if (s->wait == WAIT_CALM) {
		/* Programs that had read the old value of wake_now have ended since the last turn.
		 */
		s->wait = WAIT_SLEEP;
	}
}

static void on_end(struct xf_timer *timer, uint64_t now)
{
	(void)now;
	xf_container_of(timer, struct xf_session, end)->stop = true;
}

static void on_stats(struct xf_timer *timer, uint64_t now)
{
	struct xf_session *s = xf_container_of(timer, struct xf_session, stats);
	uint64_t next = timer->at + s->opts.stats_ns;

	print_live_counters(s);
	xf_loop__arm(s->loop, timer, next < now ? now + s->opts.stats_ns : next);
}

static void on_patience(struct xf_timer *timer, uint64_t now)
{
	struct xf_session *s = xf_container_of(timer, struct xf_session, patience);

	(void)now;
	xf_info("no interface has come back within %d seconds", XF_PATIENCE_S);
	s->sources_lost = true;
	s->stop = true;
}

/* The duration begins when all interfaces that were there at the beginning have been started. */
static int begin_duration(struct xf_session *s)
{
	if (!s->opts.duration_ns || s->end.pos || s->stop)
		return 0;
	for (unsigned int i = 0; i < s->n; i++)
		if (s->sources[i]->state == XF_SOURCE_DUE)
			return 0;
	return xf_loop__arm(s->loop, &s->end, xf_loop__now(s->loop) + s->opts.duration_ns);
}

/* Run until a signal, a limit or the end of all sources. Returns 0, or -errno after a message. */
static int run_loop(struct xf_session *s)
{
	while (!s->stop && !xf_session__count_reached(s)) {
		bool now = s->busy || xf_session__has_due(s);
		int wait_ms = now ? 0 : s->wait == WAIT_SLEEP ? -1 : POLL_MS;
		int err;

		s->woken = false;
		err = xf_loop__turn(s->loop, wait_ms);
		if (err) {
			xf_err("cannot wait for packets: %s", strerror(-err));
			return err;
		}
		xf_session__start_due(s);
		err = begin_duration(s);
		if (err)
			return err;
		if (s->woken)
			wake_up(s);
		choose_wait(s, xf_session__drain(s));
		xf_session__report_ended(s);
		if (s->look)
			xf_session__look_for_absent(s);
		xf_session__check_left(s);
	}
	return 0;
}

/* End all sources, print the records left in their rings if the output takes them, and account for
 * every record. Returns the exit status. */
static int finish(struct xf_session *s)
{
	int status = 0;

	xf_session__order(s);
	for (unsigned int k = s->n; k-- > 0;) {
		struct xf_source *src = s->sources[s->order[k]];

		if (src->state == XF_SOURCE_LIVE && xf_source__end(src, src->ours))
			status = 1;
	}
	if (!s->output_closed)
		xf_session__print_rest(s);
	if (!s->output_closed && xf_sink__finish(s->sink, XF_FINISH_MS) == XF_SINK_CLOSED)
		s->output_closed = true;
	xf_session__count_rest(s);
	for (unsigned int i = 0; i < s->n; i++)
		if (s->sources[i]->state == XF_SOURCE_ENDED)
			xf_session__print_counters(s, i, true);
	return xf_sink__state(s->sink) == XF_SINK_FAILED || s->inexact ? 1 : status;
}

int xf_session__run(struct xf_session *s)
{
	int err = 0, status;

	xf_sink__begin(s->sink);
	s->flushed_ns = s->packet_ns = xf_now_ns(CLOCK_MONOTONIC);
	if (s->opts.stats_ns)
		err =
		    xf_loop__arm(s->loop, &s->stats, xf_now_ns(CLOCK_MONOTONIC) + s->opts.stats_ns);
	if (err)
		xf_err("cannot set a timer: %s", strerror(-err));
	else
		err = run_loop(s);
	status = finish(s);
	return err || (s->sources_lost && (s->opts.end_is_failure || !s->was_live)) ? 1 : status;
}
