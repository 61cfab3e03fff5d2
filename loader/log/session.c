// SPDX-License-Identifier: GPL-2.0-only
/* Read the rings of several interfaces and write lines, until something ends it. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lib/msg.h"
#include "loader/hook/netdev.h"
#include "loader/log/session_impl.h"

#define POLL_MS 20		      /* how often rings are looked at while packets come */
#define CALM_NS (1000 * XF_NS_PER_MS) /* without packets for so long we sleep until woken */
#define EVENTS 64

static int watch(struct xf_session *s, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	return epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int open_descriptors(struct xf_session *s)
{
	sigset_t signals;
	int err;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	/* For good: a second signal must not kill what is about to end by itself. */
	sigprocmask(SIG_BLOCK, &signals, NULL);
	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	s->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	s->link_fd = xf_link_watch();
	if (s->epoll_fd < 0 || s->signal_fd < 0)
		return -errno;
	if (s->link_fd < 0)
		return s->link_fd;
	err = xf_clock__open(&s->clock);
	if (!err)
		err = watch(s, s->signal_fd, EPOLLIN);
	if (!err)
		err = watch(s, s->link_fd, EPOLLIN);
	if (!err && s->clock.timer_fd >= 0)
		err = watch(s, s->clock.timer_fd, EPOLLIN);
	return err;
}

/* To hear of it when the reading end goes away, which is not said by a write while there is nothing
 * to write. */
static void watch_sink(struct xf_session *s)
{
	s->sink_wanted = false;
	s->sink_watched = xf_sink__fd(s->sink) >= 0 && !watch(s, xf_sink__fd(s->sink), 0);
}

int xf_session__open(struct xf_session **session, const struct xf_session_opts *opts)
{
	struct xf_session *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	*session = s;
	s->opts = *opts;
	s->epoll_fd = s->signal_fd = s->link_fd = s->guest_fd = s->clock.timer_fd = -1;
	err = open_descriptors(s);
	if (err) {
		xf_err("cannot set up signals, clock and network news: %s", strerror(-err));
		goto fail;
	}
	err = xf_sink__open(&s->sink, &opts->sink);
	if (err)
		goto fail;
	watch_sink(s);
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
	xf_merge__free(&s->merge);
	xf_sink__free(s->sink);
	xf_clock__close(&s->clock);
	if (s->link_fd >= 0)
		close(s->link_fd);
	if (s->signal_fd >= 0)
		close(s->signal_fd);
	if (s->epoll_fd >= 0)
		close(s->epoll_fd);
	free(s);
}

/* Edge-triggered: a ring that we cannot empty, because the output takes no more, must not keep us
 * busy. */
static int watch_rings(struct xf_session *s, const struct xf_reader *reader)
{
	for (unsigned int i = 0; i < reader->n; i++) {
		int err = watch(s, reader->rings[i].fd, EPOLLIN | EPOLLET);

		if (err)
			return err;
	}
	return 0;
}

/* Take what a dead reader left without printing it. */
static void skip_left(struct xf_source *src)
{
	for (unsigned int i = 0; i < src->left.n; i++)
		src->unprinted += xf_ring__skip_all(&src->left.rings[i]);
}

int xf_session__add(struct xf_session *s, struct xf_source *src, bool print_left)
{
	int err = 0;

	if (s->n == XF_SINK_SOURCES)
		return -E2BIG;
	if (print_left)
		err = xf_merge__add(&s->merge, &src->left, s->n);
	else
		skip_left(src);
	if (!err)
		err = xf_merge__add(&s->merge, &src->reader, s->n);
	if (!err)
		err = watch_rings(s, &src->reader);
	if (err) {
		xf_err("%s: cannot watch its rings: %s", src->name, strerror(-err));
		return err;
	}
	s->sources[s->n++] = src;
	return 0;
}

int xf_session__host(struct xf_session *s, int fd, void (*turn)(void *arg), void *arg)
{
	int err = watch(s, fd, EPOLLIN);

	if (err) {
		xf_err("cannot watch another event loop: %s", strerror(-err));
		return err;
	}
	s->guest_fd = fd;
	s->guest_turn = turn;
	s->guest_arg = arg;
	return 0;
}

static void read_signals(struct xf_session *s)
{
	struct signalfd_siginfo info;

	while (read(s->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		/* Without a file to open anew a SIGHUP says that the terminal is gone. */
		if (info.ssi_signo != SIGHUP || !s->opts.sink.path) {
			s->stop = true;
		} else {
			xf_sink__reopen(s->sink);
			watch_sink(s);
		}
	}
}

static void set_wake_now(struct xf_session *s, uint32_t on)
{
	for (unsigned int i = 0; i < s->n; i++)
		if (s->sources[i]->config)
			__atomic_store_n(&s->sources[i]->config->wake_now, on, __ATOMIC_SEQ_CST);
}

/* Something happened: stop the programs from waking us for each packet before a burst of them is
 * read. */
static void wake_up(struct xf_session *s)
{
	if (s->wait == WAIT_POLL)
		return;
	set_wake_now(s, 0);
	s->wait = WAIT_POLL;
	s->packet_ns = xf_now_ns();
}

/* Whether the packets keep us at the rings, and what to tell the programs about it. */
static void choose_wait(struct xf_session *s, bool any)
{
	if (any) {
		wake_up(s);
		s->packet_ns = xf_now_ns();
	} else if (s->wait == WAIT_POLL && xf_now_ns() - s->packet_ns > CALM_NS) {
		set_wake_now(s, 1);
		s->wait = WAIT_CALM;
	} else if (s->wait == WAIT_CALM) {
		/* A program that had read the old value before we wrote has long ended by now. */
		s->wait = WAIT_SLEEP;
	}
}

static int until(uint64_t deadline, uint64_t now, int timeout)
{
	uint64_t ms;

	if (!deadline)
		return timeout;
	ms = deadline <= now ? 0 : (deadline - now + XF_NS_PER_MS - 1) / XF_NS_PER_MS;
	if (ms > 60000)
		ms = 60000;
	return timeout < 0 || ms < (uint64_t)timeout ? (int)ms : timeout;
}

static int next_timeout(const struct xf_session *s)
{
	uint64_t now = xf_now_ns();
	int timeout = s->busy ? 0 : s->wait == WAIT_SLEEP ? -1 : POLL_MS;

	timeout = until(s->end_ns, now, timeout);
	return until(s->stats_ns, now, timeout);
}

/* Returns whether there was anything but the guest's, which says nothing about packets. */
static bool handle_events(struct xf_session *s, const struct epoll_event *events, int n)
{
	bool any = false;

	for (int i = 0; i < n; i++) {
		int fd = events[i].data.fd;

		if (fd == s->guest_fd) {
			s->guest_turn(s->guest_arg);
			continue;
		}
		any = true;
		if (fd == s->signal_fd) {
			read_signals(s);
		} else if (fd == s->link_fd) {
			xf_session__read_links(s);
		} else if (fd == s->clock.timer_fd) {
			xf_clock__check(&s->clock);
		} else if (s->sink_watched && fd == xf_sink__fd(s->sink)) {
			if (events[i].events & (EPOLLERR | EPOLLHUP)) {
				s->output_closed = true;
				s->stop = true;
			}
		} /* a ring: all are looked at anyway */
	}
	return any;
}

static void check_deadlines(struct xf_session *s)
{
	uint64_t now = xf_now_ns();

	if (s->end_ns && now >= s->end_ns)
		s->stop = true;
	if (s->stats_ns && now >= s->stats_ns) {
		for (unsigned int i = 0; i < s->n; i++)
			if (s->sources[i]->state == XF_SOURCE_LIVE)
				xf_session__print_counters(s, i, false);
		s->stats_ns += s->opts.stats_ns;
		if (s->stats_ns < now)
			s->stats_ns = now + s->opts.stats_ns;
	}
}

/* Returns 0 when something asked for the end, -errno after a message. */
static int loop(struct xf_session *s)
{
	struct epoll_event events[EVENTS];

	while (!s->stop && !xf_session__count_reached(s)) {
		int n = epoll_wait(s->epoll_fd, events, EVENTS, next_timeout(s));

		if (n < 0 && errno != EINTR) {
			xf_err("cannot wait for packets: %s", strerror(errno));
			return -errno;
		}
		if (handle_events(s, events, n))
			wake_up(s);
		choose_wait(s, xf_session__drain(s));
		xf_session__report_ended(s);
		check_deadlines(s);
	}
	return 0;
}

/* End all sources, print what their rings still hold if the output wants it, and account for every
 * record. */
static int finish(struct xf_session *s)
{
	int status = 0;

	for (unsigned int i = 0; i < s->n; i++)
		if (s->sources[i]->state == XF_SOURCE_LIVE &&
		    xf_source__end(s->sources[i], s->sources[i]->ours))
			status = 1;
	if (!s->output_closed)
		xf_session__print_rest(s);
	if (!s->output_closed && xf_sink__finish(s->sink, XF_FINISH_MS) == XF_SINK_CLOSED)
		s->output_closed = true;
	xf_session__drop_rest(s);
	for (unsigned int i = 0; i < s->n; i++)
		if (s->sources[i]->state != XF_SOURCE_REPORTED)
			xf_session__print_counters(s, i, true);
	return xf_sink__state(s->sink) == XF_SINK_FAILED ? 1 : status;
}

int xf_session__run(struct xf_session *s)
{
	int err, status;

	xf_sink__begin(s->sink);
	s->flushed_ns = s->packet_ns = xf_now_ns();
	if (s->opts.duration_ns)
		s->end_ns = xf_now_ns() + s->opts.duration_ns;
	if (s->opts.stats_ns)
		s->stats_ns = xf_now_ns() + s->opts.stats_ns;
	err = loop(s);
	status = finish(s);
	return err || (s->sources_lost && s->opts.end_is_failure) ? 1 : status;
}
