// SPDX-License-Identifier: GPL-2.0-only
/* Turns records into lines for the output, accounts for them, and prints the counters. */
#include "lib/time.h"
#include "loader/log/session_impl.h"

#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>

#include "lib/msg.h"
#include "lib/signals.h"

#define BATCH 1024 /* records between two checks of the clock: at most a millisecond */
#define DRAIN_BATCHES 256
#define FLUSH_NS (40 * XF_MSEC)

bool xf_session__count_reached(const struct xf_session *s)
{
	return s->opts.count && s->printed >= s->opts.count;
}

/* Turn at most BATCH records into lines. Returns their number, which is below BATCH when the rings
 * are empty, the output takes no more, or --count is reached. */
static unsigned int print_batch(struct xf_session *s)
{
	const struct xf_record *rec;
	unsigned int n = 0, i;

	if (!xf_merge__begin(&s->merge))
		return 0;
	/* After xf_merge__begin(): the records of this batch are older than this check. */
	xf_clock__check(&s->clock);
	while (n < BATCH && !xf_session__count_reached(s) &&
	       (rec = xf_merge__head(&s->merge, &i))) {
		struct xf_line line = { .rec = rec,
					.iface = s->sources[i]->name,
					.wall_ns = xf_clock__wall(&s->clock, rec->boot_ns) };
		char *room = xf_sink__room(s->sink, XF_OUT_MAX);

		if (!room)
			break;
		if (s->opts.explain)
			s->opts.explain(s->opts.explain_arg, &line);
		xf_sink__put(s->sink, s->opts.format(&s->cache, &line, room) - room, i);
		s->printed++;
		xf_merge__pass(&s->merge);
		n++;
	}
	xf_merge__end(&s->merge);
	return n;
}

void xf_session__count_rest(struct xf_session *s)
{
	bool unwanted = s->output_closed || xf_session__count_reached(s);
	unsigned int i;

	while (xf_merge__begin(&s->merge)) {
		while (xf_merge__head(&s->merge, &i)) {
			if (unwanted)
				s->sources[i]->unwanted_records++;
			else
				s->sources[i]->unwritable++;
			xf_merge__pass(&s->merge);
		}
		xf_merge__end(&s->merge);
	}
}

static void want_output(struct xf_session *s, bool want)
{
	if (s->output.fd < 0 || want == s->output_wanted)
		return;
	if (!xf_loop__mod(s->loop, &s->output, want ? EPOLLOUT : 0))
		s->output_wanted = want;
}

static void flush(struct xf_session *s)
{
	enum xf_sink_state state = xf_sink__flush(s->sink);

	if (state == XF_SINK_CLOSED)
		s->output_closed = true;
	if (state != XF_SINK_OK)
		s->stop = true;
	want_output(s, state == XF_SINK_OK && xf_sink__pending(s->sink));
	s->flushed_ns = xf_now_ns(CLOCK_MONOTONIC);
}

bool xf_session__drain(struct xf_session *s)
{
	bool any = false;

	s->busy = false;
	for (int batch = 0; !s->stop && !xf_session__count_reached(s); batch++) {
		unsigned int n = print_batch(s);

		if (n)
			any = true;
		if (!xf_sink__room(s->sink, XF_OUT_MAX) ||
		    xf_now_ns(CLOCK_MONOTONIC) - s->flushed_ns > FLUSH_NS)
			flush(s);
		if (!n || !xf_sink__room(s->sink, XF_OUT_MAX))
			break;
		s->busy = batch == DRAIN_BATCHES;
		if (s->busy)
			return true;
	}
	if (xf_sink__pending(s->sink))
		flush(s);
	return any;
}

void xf_session__print_counters(struct xf_session *s, unsigned int source, bool final)
{
	uint64_t untaken = final ? xf_sink__untaken(s->sink, source) : 0;
	struct xf_line_counts lines = {
		.logged = xf_sink__taken(s->sink, source),
		.lost = s->output_closed ? 0 : untaken,
		.unread = s->output_closed ? untaken : 0,
	};
	struct xf_source *src = s->sources[source];
	struct xf_tally tally;
	char line[256];
	bool exact = true;
	int err = xf_source__tally(src, &lines, final, &tally, &exact);

	if (err) {
		xf_err("%s: cannot read the counters: %s", src->name, strerror(-err));
		return;
	}
	xf_result("%s", xf_tally_text(line, sizeof(line), src->name, &tally));
	if (exact)
		return;
	s->inexact = true;
	xf_err("%s: the kernel counted %" PRIu64 " packets, and %" PRIu64 " are accounted for: "
	       "records were lost, or read twice",
	       src->name, tally.seen, xf_tally_sum(&tally));
	xf_hint("this must not happen: please report it with the output of 'xdpfun-load --version' "
		"and 'uname -r'");
}

/* Whether a signal asks to end at once. The counters, which another asks for, come soon. */
static bool is_hurried(struct xf_session *s)
{
	enum xf_signal signal;

	while ((signal = xf_signals_read(s->signals.fd)) != XF_SIGNAL_NONE)
		if (signal != XF_SIGNAL_COUNTERS)
			return true;
	return false;
}

void xf_session__print_rest(struct xf_session *s)
{
	struct pollfd fds[] = {
		{ .fd = xf_sink__fd(s->sink), .events = POLLOUT },
		{ .fd = s->signals.fd, .events = POLLIN },
	};

	for (;;) {
		s->stop = false;
		xf_session__drain(s);
		if (xf_sink__state(s->sink) != XF_SINK_OK || xf_session__count_reached(s))
			return;
		if (s->busy)
			continue;
		if (!xf_sink__pending(s->sink) || fds[0].fd < 0)
			return;
		if (poll(fds, 2, XF_FINISH_MS) <= 0 || (fds[1].revents && is_hurried(s)))
			return;
	}
}
