// SPDX-License-Identifier: GPL-2.0-only
/* Read the rings of several interfaces and write lines, until something ends it. */
#include "session.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "bpffs.h"
#include "clock.h"
#include "lib/msg.h"
#include "link.h"
#include "merge.h"

#define NS_PER_MS 1000000ULL
#define POLL_MS 20		      /* how often rings are looked at while packets come */
#define CALM_NS (1000 * NS_PER_MS)    /* without packets for so long we sleep until woken */
#define BATCH 4096		      /* records between two looks at the clock and at signals */
#define DRAIN_BATCHES 64
#define FLUSH_NS (40 * NS_PER_MS)
#define FINISH_MS 1000 /* how long the end waits for an output that takes nothing */
#define EVENTS 64

enum wait_state {
	WAIT_POLL,  /* look at the rings every POLL_MS; the programs wake us only for large batches */
	WAIT_CALM,  /* the programs have been told to wake us; one more look, for those that ran before that */
	WAIT_SLEEP, /* until somebody wakes us */
};

struct xf_session {
	struct xf_session_opts opts;
	struct xf_sink *sink;
	struct xf_clock clock;
	struct xf_out_cache cache;
	struct xf_merge merge;
	struct xf_source *sources[XF_SINK_SOURCES];
	unsigned int n;
	int epoll_fd, signal_fd, link_fd;
	bool sink_watched;	/* its descriptor is in the epoll set */
	bool sink_wanted;	/* and with EPOLLOUT */
	bool output_closed;
	bool busy; /* the rings were not empty when we left them */
	bool stop;
	bool sources_lost;	/* it stopped because none was left */
	uint64_t printed;	/* lines put into the sink */
	uint64_t flushed_ns, packet_ns, end_ns, stats_ns; /* CLOCK_MONOTONIC: last flush and packet, deadlines */
	enum wait_state wait;
	sigset_t old_signals;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

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
	sigprocmask(SIG_BLOCK, &signals, &s->old_signals);
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

/* To hear of it when the reading end goes away, which is not said by a write while there is nothing to write. */
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
	s->epoll_fd = s->signal_fd = s->link_fd = s->clock.timer_fd = -1;
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
	sigprocmask(SIG_SETMASK, &s->old_signals, NULL);
	free(s);
}

/* Edge-triggered: a ring that we cannot empty, because the output takes no more, must not keep us busy. */
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
	for (unsigned int i = 0; i < src->left.n; i++) {
		struct xf_ring *ring = &src->left.rings[i];

		xf_ring__look(ring);
		while (xf_ring__peek(ring)) {
			xf_ring__advance(ring);
			src->unprinted++;
		}
		xf_ring__release(ring);
	}
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

bool xf_session__interrupted(struct xf_session *s)
{
	read_signals(s);
	return s->stop;
}

/* @final: lines that the output has not taken are decided; else they are left out. */
static void print_counters(struct xf_session *s, unsigned int i, bool final)
{
	uint64_t untaken = final ? xf_sink__untaken(s->sink, i) : 0;
	struct xf_taken lines = {
		.logged = xf_sink__taken(s->sink, i),
		.lost = s->output_closed ? 0 : untaken,
		.unread = s->output_closed ? untaken : 0,
	};
	struct xf_source *src = s->sources[i];
	struct xf_tally tally;
	char line[256];
	int err = xf_source__tally(src, &lines, &tally);

	if (err)
		xf_err("%s: cannot read the counters: %s", src->name, strerror(-err));
	else
		xf_result("%s", xf_tally_text(line, sizeof(line), src->name, &tally));
}

static void set_wake_now(struct xf_session *s, uint32_t on)
{
	for (unsigned int i = 0; i < s->n; i++)
		if (s->sources[i]->config)
			__atomic_store_n(&s->sources[i]->config->wake_now, on, __ATOMIC_SEQ_CST);
}

static bool count_reached(const struct xf_session *s)
{
	return s->opts.count && s->printed >= s->opts.count;
}

/* Turn at most BATCH records into lines. Returns how many; fewer than BATCH when the rings are empty, the output takes
 * no more, or enough have been printed. */
static unsigned int print_batch(struct xf_session *s)
{
	const struct xf_record *rec;
	unsigned int n = 0, i;

	if (!xf_merge__begin(&s->merge))
		return 0;
	/* After the look at the rings: these records came before whatever the clock does from here on. */
	xf_clock__check(&s->clock);
	while (n < BATCH && !count_reached(s) && (rec = xf_merge__head(&s->merge, &i))) {
		struct xf_line line = { rec, s->sources[i]->name,
					xf_clock__wall(&s->clock, rec->boot_ns) };
		char *room = xf_sink__room(s->sink);

		if (!room)
			break;
		xf_sink__put(s->sink, s->opts.format(&s->cache, &line, room) - room, i);
		s->printed++;
		xf_merge__pass(&s->merge);
		n++;
	}
	xf_merge__end(&s->merge);
	return n;
}

/* Take what is left in the rings without printing it. */
static void drop_rest(struct xf_session *s)
{
	bool unwanted = s->output_closed || count_reached(s);
	unsigned int i;

	while (xf_merge__begin(&s->merge)) {
		while (xf_merge__head(&s->merge, &i)) {
			if (unwanted)
				s->sources[i]->unprinted++;
			else
				s->sources[i]->unwritable++;
			xf_merge__pass(&s->merge);
		}
		xf_merge__end(&s->merge);
	}
}

static void want_output(struct xf_session *s, bool want)
{
	struct epoll_event event = { .events = want ? EPOLLOUT : 0, .data.fd = xf_sink__fd(s->sink) };

	if (!s->sink_watched || want == s->sink_wanted)
		return;
	if (!epoll_ctl(s->epoll_fd, EPOLL_CTL_MOD, event.data.fd, &event))
		s->sink_wanted = want;
}

static void flush(struct xf_session *s)
{
	enum xf_sink_state state = xf_sink__flush(s->sink);

	if (state == XF_SINK_CLOSED)
		s->output_closed = true;
	if (state != XF_SINK_OK)
		s->stop = true;
	want_output(s, state == XF_SINK_OK && xf_sink__pending(s->sink));
	s->flushed_ns = now_ns();
}

/* Read until the rings are empty, the output takes no more, or it is time to look at other things. Returns whether
 * there was anything. */
static bool drain(struct xf_session *s)
{
	bool any = false;

	s->busy = false;
	for (int batch = 0; !s->stop && !count_reached(s); batch++) {
		unsigned int n = print_batch(s);

		if (n)
			any = true;
		if (!xf_sink__room(s->sink) || now_ns() - s->flushed_ns > FLUSH_NS)
			flush(s);
		if (!n || !xf_sink__room(s->sink))
			break;
		s->busy = batch == DRAIN_BATCHES;
		if (s->busy)
			return true;
	}
	if (xf_sink__pending(s->sink))
		flush(s);
	return any;
}

/* Whether the packets keep us at the rings, and what to tell the programs about it. */
static void choose_wait(struct xf_session *s, bool any)
{
	uint64_t now = now_ns();

	if (any) {
		s->packet_ns = now;
		if (s->wait != WAIT_POLL)
			set_wake_now(s, 0);
		s->wait = WAIT_POLL;
	} else if (s->wait == WAIT_POLL && now - s->packet_ns > CALM_NS) {
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
	ms = deadline <= now ? 0 : (deadline - now + NS_PER_MS - 1) / NS_PER_MS;
	if (ms > 60000)
		ms = 60000;
	return timeout < 0 || ms < (uint64_t)timeout ? (int)ms : timeout;
}

static int next_timeout(const struct xf_session *s)
{
	uint64_t now = now_ns();
	int timeout = s->busy ? 0 : s->wait == WAIT_SLEEP ? -1 : POLL_MS;

	timeout = until(s->end_ns, now, timeout);
	return until(s->stats_ns, now, timeout);
}

/* Lines of a source that ended may still wait for the output; its counters are printed when they are decided. */
static void report_ended(struct xf_session *s)
{
	for (unsigned int i = 0; i < s->n; i++) {
		if (s->sources[i]->state != XF_SOURCE_ENDED || xf_sink__untaken(s->sink, i) ||
		    !xf_source__is_drained(s->sources[i]))
			continue;
		print_counters(s, i, true);
		s->sources[i]->state = XF_SOURCE_REPORTED;
	}
}

static void end_source(struct xf_session *s, unsigned int i, const char *why, bool gone)
{
	struct xf_source *src = s->sources[i];

	xf_info("%s: %s", src->name, why);
	xf_source__end(src, false);
	drain(s);
	if (gone && src->ours && src->at.dispatcher_id)
		xf_bpffs_unpin(src->ifindex, src->at.dispatcher_id);
	report_ended(s);
}

static unsigned int live_sources(const struct xf_session *s)
{
	unsigned int live = 0;

	for (unsigned int i = 0; i < s->n; i++)
		live += s->sources[i]->state == XF_SOURCE_LIVE;
	return live;
}

/* Keep up with who took the chain over: the pins to remove later are those of the newest dispatcher. */
static void refresh(struct xf_source *src)
{
	struct xf_chain chain;

	if (!xf_chain__read(src->ifindex, &chain) && chain.kind == XF_CHAIN_DISPATCHER &&
	    xf_chain__find(&chain, src->at.prog_id))
		src->at.dispatcher_id = chain.main_id;
}

static void check_source(struct xf_session *s, unsigned int i, const struct xf_link_event *event)
{
	struct xf_source *src = s->sources[i];
	char name[IF_NAMESIZE];

	if (event->kind == XF_LINK_DELETED) {
		end_source(s, i, "the interface is gone", true);
		return;
	}
	if (event->kind == XF_LINK_MOVED) {
		end_source(s, i, "the interface moved to another network namespace, where the program stays "
				 "on it; 'xdpfun-load unload' removes it there", false);
		return;
	}
	if (!if_indextoname(src->ifindex, name)) {
		end_source(s, i, "the interface is gone", true);
		return;
	}
	if (strcmp(name, src->name)) {
		xf_info("%s: the interface is now called %s", src->name, name);
		memcpy(src->name, name, sizeof(name));
	}
	if (!xf_source__is_attached(src))
		end_source(s, i, "somebody unloaded the program", false);
	else
		refresh(src);
}

static void on_link_event(void *ctx, const struct xf_link_event *event)
{
	struct xf_session *s = ctx;

	for (unsigned int i = 0; i < s->n; i++)
		if (s->sources[i]->state == XF_SOURCE_LIVE &&
		    (event->kind == XF_LINK_MISSED || event->ifindex == s->sources[i]->ifindex))
			check_source(s, i, event);
	if (!live_sources(s)) {
		s->sources_lost = true;
		s->stop = true;
	}
}

static void handle_events(struct xf_session *s, const struct epoll_event *events, int n)
{
	for (int i = 0; i < n; i++) {
		int fd = events[i].data.fd;

		if (fd == s->signal_fd) {
			read_signals(s);
		} else if (fd == s->link_fd) {
			xf_link_read(fd, on_link_event, s);
		} else if (fd == s->clock.timer_fd) {
			xf_clock__check(&s->clock);
		} else if (s->sink_watched && fd == xf_sink__fd(s->sink)) {
			if (events[i].events & (EPOLLERR | EPOLLHUP)) {
				s->output_closed = true;
				s->stop = true;
			}
		} /* a ring: all are looked at anyway */
	}
}

static void check_deadlines(struct xf_session *s)
{
	uint64_t now = now_ns();

	if (s->end_ns && now >= s->end_ns)
		s->stop = true;
	if (s->stats_ns && now >= s->stats_ns) {
		for (unsigned int i = 0; i < s->n; i++)
			if (s->sources[i]->state == XF_SOURCE_LIVE)
				print_counters(s, i, false);
		s->stats_ns += s->opts.stats_ns;
		if (s->stats_ns < now)
			s->stats_ns = now + s->opts.stats_ns;
	}
}

static void loop(struct xf_session *s)
{
	struct epoll_event events[EVENTS];

	while (!s->stop && !count_reached(s)) {
		int n = epoll_wait(s->epoll_fd, events, EVENTS, next_timeout(s));

		if (n < 0 && errno != EINTR) {
			xf_err("cannot wait for packets: %s", strerror(errno));
			return;
		}
		handle_events(s, events, n);
		choose_wait(s, drain(s));
		report_ended(s);
		check_deadlines(s);
	}
}

/* Print what the rings still hold, as long as the output takes something at least every FINISH_MS and no further
 * signal asks to end at once. */
static void print_rest(struct xf_session *s)
{
	struct pollfd fds[] = {
		{ .fd = xf_sink__fd(s->sink), .events = POLLOUT },
		{ .fd = s->signal_fd, .events = POLLIN },
	};

	for (;;) {
		s->stop = false;
		drain(s);
		if (xf_sink__state(s->sink) != XF_SINK_OK || count_reached(s))
			return;
		if (s->busy)
			continue;
		if (!xf_sink__pending(s->sink) || fds[0].fd < 0)
			return;
		if (poll(fds, 2, FINISH_MS) <= 0 || fds[1].revents)
			return;
	}
}

/* End all sources, print what their rings still hold if the output wants it, and account for every record. */
static int finish(struct xf_session *s)
{
	int status = 0;

	for (unsigned int i = 0; i < s->n; i++)
		if (s->sources[i]->state == XF_SOURCE_LIVE &&
		    xf_source__end(s->sources[i], s->sources[i]->ours))
			status = 1;
	if (!s->output_closed)
		print_rest(s);
	if (!s->output_closed && xf_sink__finish(s->sink, FINISH_MS) == XF_SINK_CLOSED)
		s->output_closed = true;
	drop_rest(s);
	for (unsigned int i = 0; i < s->n; i++)
		if (s->sources[i]->state != XF_SOURCE_REPORTED)
			print_counters(s, i, true);
	return xf_sink__state(s->sink) == XF_SINK_FAILED ? 1 : status;
}

int xf_session__run(struct xf_session *s)
{
	int status;

	s->flushed_ns = s->packet_ns = now_ns();
	if (s->opts.duration_ns)
		s->end_ns = now_ns() + s->opts.duration_ns;
	if (s->opts.stats_ns)
		s->stats_ns = now_ns() + s->opts.stats_ns;
	loop(s);
	status = finish(s);
	return s->sources_lost && s->opts.end_is_failure ? 1 : status;
}
