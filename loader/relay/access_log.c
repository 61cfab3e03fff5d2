// SPDX-License-Identifier: GPL-2.0-only
/* The access log: all threads fill one buffer while the other is written; then the two change
 * places. */
#include "loader/relay/access_log.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/statvfs.h>

#include "lib/time.h"
#include "lib/msg.h"
#include "lib/sink.h"

#define BUFFER_SIZE (512u << 10)
#define FLUSH_NS (20 * XF_MSEC)	 /* the least time between two writes */
#define RETRY_NS (100 * XF_MSEC) /* for an output that cannot be polled */
#define FINISH_MS 1000
#define FULL_NS (1 * XF_NSEC) /* between two looks at a full disk */
#define ENOUGH                                                                                     \
	(2 * BUFFER_SIZE) /* bytes that must be free on it, so that it does not fail at once */

struct lines {
	char *at;
	size_t len;
};

struct xf_access {
	xf_access_fn format;
	bool echo;
	const char *path; /* NULL: standard output */
	struct xf_loop *loop;

	pthread_mutex_t lock;
	struct lines filling; /* under the lock, like the next two */
	uint64_t lost;
	bool announced; /* the owner was woken for the lines in filling */

	/* used by the owner's thread alone */
	struct lines writing;
	struct xf_sink *sink;
	struct xf_watch watch; /* armed while the output is full */
	struct xf_timer timer;
	uint64_t flushed;
	bool gone;	      /* the output failed, and a warning was printed */
	uint64_t lost_before; /* gone: lines lost until then */
	uint64_t retry_at;    /* gone: when to look whether the file can be written again */
	bool patient;	      /* wait for the output */
};

static void on_output(struct xf_watch *watch, uint32_t events)
{
	struct xf_access *access = xf_container_of(watch, struct xf_access, watch);

	(void)events;
	xf_loop__del(access->loop, watch);
	access->flushed = 0;
}

/* The timer only ends the turn, after which xf_access__tend() is called. */
static void on_time(struct xf_timer *timer, uint64_t now)
{
	(void)timer;
	(void)now;
}

int xf_access__open(struct xf_access **out, struct xf_loop *loop, xf_access_fn format, bool echo,
		    const char *path)
{
	const struct xf_sink_opts opts = {
		.path = path,
		.append = true,
		.hint = path ? "free some space; lines are lost until there is some"
			     : "redirect standard output, for instance to a file that has room, "
			       "or to /dev/null",
	};
	struct xf_access *access = calloc(1, sizeof(*access));
	int err = -ENOMEM;

	if (!access)
		goto out_memory;
	*access = (struct xf_access) { .format = format, .echo = echo, .path = path, .loop = loop };
	pthread_mutex_init(&access->lock, NULL);
	access->watch = (struct xf_watch) { .fd = -1, .fn = on_output };
	access->timer.fn = on_time;
	access->filling.at = malloc(BUFFER_SIZE);
	access->writing.at = malloc(BUFFER_SIZE);
	if (!access->filling.at || !access->writing.at)
		goto out_memory;
	err = xf_sink__open(&access->sink, &opts);
	if (err) {
		xf_access__free(access);
		return err;
	}
	xf_sink__begin(access->sink);
	*out = access;
	return 0;

out_memory:
	xf_err("cannot set up the access log: %s", strerror(ENOMEM));
	xf_access__free(access);
	return err;
}

void xf_access__add(const struct xf_report *report, void *arg)
{
	struct xf_access *access = arg;
	struct xf_access_line line = {
		.report = report,
		.engine = report->engine == XF_ENGINE_AUTO ? NULL : xf_engine_names[report->engine],
		.end = xf_outcome_names[report->outcome],
		.echo = access->echo,
	};
	char text[XF_OUT_MAX];
	size_t len = access->format(&line, text) - text;
	bool announce;

	pthread_mutex_lock(&access->lock);
	if (access->filling.len + len <= BUFFER_SIZE) {
		memcpy(access->filling.at + access->filling.len, text, len);
		access->filling.len += len;
	} else {
		access->lost++;
	}
	announce = !access->announced;
	access->announced = true;
	pthread_mutex_unlock(&access->lock);
	if (announce)
		xf_loop__wake(access->loop);
}

/* Exchange the filled buffer and the empty one. */
static void swap(struct xf_access *access)
{
	struct lines taken;

	pthread_mutex_lock(&access->lock);
	taken = access->filling;
	access->filling = access->writing;
	access->announced = false;
	pthread_mutex_unlock(&access->lock);
	access->writing = taken;
}

static void lose(struct xf_access *access, uint64_t lines)
{
	pthread_mutex_lock(&access->lock);
	access->lost += lines;
	pthread_mutex_unlock(&access->lock);
}

/* Make room for a line. During xf_access__finish() wait for a full output, as long as it takes
 * bytes now and then. */
static char *make_room(struct xf_access *access)
{
	struct pollfd ready = { .fd = xf_sink__fd(access->sink), .events = POLLOUT };
	char *room;

	for (;;) {
		if (xf_sink__flush(access->sink) != XF_SINK_OK)
			return NULL;
		room = xf_sink__room(access->sink, XF_OUT_MAX);
		if (room || !access->patient)
			return room;
		access->patient = poll(&ready, 1, FINISH_MS) > 0;
	}
}

static bool put_line(struct xf_access *access, const char *line, size_t len)
{
	char *room;

	if (xf_sink__state(access->sink) != XF_SINK_OK)
		return false;
	room = xf_sink__room(access->sink, XF_OUT_MAX);
	if (!room)
		room = make_room(access);
	if (!room)
		return false;
	memcpy(room, line, len);
	xf_sink__put(access->sink, len, 0);
	return true;
}

static void put_all(struct xf_access *access)
{
	const char *at, *end, *next;
	uint64_t lost = 0;

	swap(access);
	end = access->writing.at + access->writing.len;
	for (at = access->writing.at; at < end; at = next) {
		next = (const char *)memchr(at, '\n', end - at) + 1;
		lost += !put_line(access, at, next - at);
	}
	access->writing.len = 0;
	if (lost)
		lose(access, lost);
}

/* Wait until the output takes bytes again. */
static void wait_for_output(struct xf_access *access, uint64_t now)
{
	int fd = xf_sink__fd(access->sink);

	if (access->watch.fd >= 0)
		return;
	if (fd >= 0 && !xf_loop__add(access->loop, &access->watch, fd, EPOLLOUT))
		return;
	xf_loop__arm(access->loop, &access->timer, now + RETRY_NS);
}

static void check_gone(struct xf_access *access)
{
	if (access->gone || xf_sink__state(access->sink) == XF_SINK_OK)
		return;
	access->gone = true;
	access->lost_before = xf_access__lost(access);
	if (!access->path) {
		xf_warn("standard output takes no more: the access log ends here");
		return;
	}
	xf_warn("%s takes no more: lines of the access log are lost", access->path);
	access->retry_at = xf_loop__now(access->loop) + FULL_NS;
	xf_loop__arm(access->loop, &access->timer, access->retry_at);
}

static bool has_room(const char *path)
{
	struct statvfs fs;

	return statvfs(path, &fs) || (uint64_t)fs.f_bavail * fs.f_frsize >= ENOUGH;
}

/* Go on with a file that could not be written. A file that cannot be judged by its path is tried.
 */
static void try_again(struct xf_access *access, uint64_t now)
{
	if (now >= access->retry_at && has_room(access->path)) {
		lose(access, xf_sink__revive(access->sink));
		access->gone = false;
		xf_warn("%s: the access log goes on; %llu lines are missing", access->path,
			(unsigned long long)(xf_access__lost(access) - access->lost_before));
		return;
	}
	if (now >= access->retry_at)
		access->retry_at = now + FULL_NS;
	if (!access->timer.pos)
		xf_loop__arm(access->loop, &access->timer, access->retry_at);
}

static void flush(struct xf_access *access, uint64_t now)
{
	put_all(access);
	access->flushed = now;
	if (xf_sink__flush(access->sink) != XF_SINK_OK)
		check_gone(access);
	else if (xf_sink__pending(access->sink))
		wait_for_output(access, now);
}

void xf_access__tend(struct xf_access *access)
{
	uint64_t now = xf_loop__now(access->loop);
	bool some;

	if (access->gone && access->path)
		try_again(access, now);
	if (access->watch.fd >= 0)
		return; /* the output is full; new lines go into the other buffer */
	pthread_mutex_lock(&access->lock);
	some = access->filling.len;
	pthread_mutex_unlock(&access->lock);
	if (!some && !xf_sink__pending(access->sink))
		return;
	if (now - access->flushed >= FLUSH_NS)
		flush(access, now);
	else if (!access->timer.pos)
		xf_loop__arm(access->loop, &access->timer, access->flushed + FLUSH_NS);
}

static void stop_waiting(struct xf_access *access)
{
	if (access->watch.fd >= 0)
		xf_loop__del(access->loop, &access->watch);
	xf_loop__disarm(access->loop, &access->timer);
}

void xf_access__reopen(struct xf_access *access)
{
	stop_waiting(access);
	put_all(access);
	if (access->gone) /* the new file may have room */
		access->retry_at = 0;
	else if (!xf_sink__reopen(access->sink))
		xf_info("%s: opened anew", access->path);
}

void xf_access__finish(struct xf_access *access)
{
	access->patient = true;
	put_all(access);
	stop_waiting(access);
	xf_sink__finish(access->sink, FINISH_MS);
	check_gone(access);
	lose(access, xf_sink__untaken(access->sink, 0));
}

uint64_t xf_access__lost(struct xf_access *access)
{
	uint64_t lost;

	pthread_mutex_lock(&access->lock);
	lost = access->lost;
	pthread_mutex_unlock(&access->lock);
	return lost;
}

void xf_access__free(struct xf_access *access)
{
	if (!access)
		return;
	stop_waiting(access);
	xf_sink__free(access->sink);
	pthread_mutex_destroy(&access->lock);
	free(access->filling.at);
	free(access->writing.at);
	free(access);
}
