// SPDX-License-Identifier: GPL-2.0-only
/* The sources of a session, which come and go with their interfaces. */
#include "loader/log/session_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

#include "lib/msg.h"
#include "loader/hook/stack.h"

#define RETRY_NS (50 * XF_MSEC)

/* ---- rings ---- */

/* Each turn of run_loop() reads all rings. */
static void on_ring(struct xf_watch *watch, uint32_t events)
{
	(void)events;
	xf_container_of(watch, struct xf_ring_watch, watch)->session->woken = true;
}

/* Rings are watched edge-triggered, so that a ring that stays full because the output takes no more
 * does not wake the session again and again. */
static int watch_rings(struct xf_session *s, struct xf_source *src)
{
	const struct xf_reader *reader = &src->reader;
	int err = 0;

	src->watches = calloc(reader->n, sizeof(*src->watches));
	if (!src->watches)
		return -ENOMEM;
	for (unsigned int i = 0; i < reader->n; i++)
		src->watches[i] = (struct xf_ring_watch) { { .fd = -1, .fn = on_ring }, s };
	for (unsigned int i = 0; !err && i < reader->n; i++)
		err = xf_loop__add(s->loop, &src->watches[i].watch, reader->rings[i].fd,
				   EPOLLIN | EPOLLET);
	return err;
}

/* Pass the records that a dead reader left without printing them. */
static void skip_left(struct xf_source *src)
{
	for (unsigned int i = 0; i < src->left.n; i++)
		src->unwanted_records += xf_ring__skip_all(&src->left.rings[i]);
}

static int add_rings(struct xf_session *s, unsigned int i)
{
	struct xf_source *src = s->sources[i];
	int err = 0;

	if (s->opts.print_left)
		err = xf_merge__add(&s->merge, &src->left, i);
	else
		skip_left(src);
	if (!err)
		err = xf_merge__add(&s->merge, &src->reader, i);
	if (!err)
		err = watch_rings(s, src);
	if (err)
		xf_err("%s: cannot watch its rings: %s", src->name, strerror(-err));
	return err;
}

static void remove_rings(struct xf_session *s, unsigned int i)
{
	struct xf_source *src = s->sources[i];

	xf_merge__remove(&s->merge, i);
	for (unsigned int r = 0; src->watches && r < src->reader.n; r++)
		xf_loop__del(s->loop, &src->watches[r].watch);
	free(src->watches);
	src->watches = NULL;
	if (src->program.prog_fd >= 0 && s->opts.stop)
		s->opts.stop(s->opts.arg, src);
}

uint64_t xf_session__ring_bytes(const struct xf_session *s)
{
	uint64_t bytes = 0;

	for (unsigned int i = 0; i < s->n; i++)
		bytes += xf_reader__bytes(&s->sources[i]->reader);
	return bytes;
}

/* ---- the end of a source ---- */

void xf_session__leave(struct xf_session *s, unsigned int i)
{
	struct xf_source *src = s->sources[i];
	int err;

	remove_rings(s, i);
	err = xf_source__leave(src);
	if (err)
		xf_err("%s: cannot read the counters: %s", src->name, strerror(-err));
}

void xf_session__report_ended(struct xf_session *s)
{
	for (unsigned int i = 0; i < s->n; i++) {
		struct xf_source *src = s->sources[i];

		if (src->state != XF_SOURCE_ENDED || xf_sink__untaken(s->sink, i) ||
		    !xf_source__is_drained(src))
			continue;
		xf_session__print_counters(s, i, true);
		xf_session__leave(s, i);
		src->state = src->comes_back ? XF_SOURCE_ABSENT : XF_SOURCE_OVER;
		s->look = true;
	}
}

static bool is_working(const struct xf_source *src)
{
	return src->state == XF_SOURCE_LIVE || src->state == XF_SOURCE_DUE;
}

static bool may_come(const struct xf_source *src)
{
	return src->state == XF_SOURCE_ABSENT || (src->state == XF_SOURCE_ENDED && src->comes_back);
}

static unsigned int count(const struct xf_session *s, bool (*is)(const struct xf_source *src))
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < s->n; i++)
		n += is(s->sources[i]);
	return n;
}

const char *xf_session__outlook(const struct xf_session *s, const struct xf_source *src)
{
	if (!src->comes_back || !src->given_name)
		return "";
	if (s->opts.wait)
		return "; waiting for it to come back";
	if (count(s, is_working) > is_working(src))
		return "; it is read again when it is back";
	return "; waiting 10 seconds for it to come back (as long as it takes with --wait)";
}

void xf_session__check_left(struct xf_session *s)
{
	bool coming = count(s, may_come) || (s->opts.any && s->opts.again);

	if (count(s, is_working)) {
		xf_loop__disarm(s->loop, &s->patience);
		return;
	}
	if (coming && s->opts.wait)
		return;
	if (coming && s->was_live) {
		if (!s->patience.pos)
			xf_loop__arm(s->loop, &s->patience,
				     xf_loop__now(s->loop) + XF_PATIENCE_S * XF_NSEC);
		return;
	}
	if (!s->was_live)
		xf_err("there is no interface to read from");
	s->sources_lost = true;
	s->stop = true;
}

/* ---- the beginning of a source ---- */

void xf_session__due(struct xf_session *s, struct xf_source *src)
{
	src->state = XF_SOURCE_DUE;
	s->ordered = false;
}

void xf_session__order(struct xf_session *s)
{
	unsigned int ifindexes[s->n ? s->n : 1];

	for (unsigned int i = 0; i < s->n; i++)
		ifindexes[i] = s->sources[i]->ifindex;
	xf_stack_order(ifindexes, s->n, s->order);
	s->ordered = true;
}

static void undo(struct xf_session *s, unsigned int i)
{
	struct xf_source *src = s->sources[i];

	if (src->ours || src->config)
		xf_source__end(src, src->ours);
	remove_rings(s, i);
	xf_source__close(src);
}

/* The interface may be back from another namespace, with our program on it. */
static void detach_moved(struct xf_source *src)
{
	if (src->moved_prog_id)
		xf_detach(src->ifindex, src->moved_prog_id);
	src->moved_prog_id = 0;
}

static int begin_source(struct xf_session *s, unsigned int i, bool waiting)
{
	struct xf_source *src = s->sources[i];
	int err;

	detach_moved(src);
	err = s->opts.start(s->opts.arg, src, waiting);
	if (!err)
		err = add_rings(s, i);
	if (err) {
		undo(s, i);
		return err;
	}
	src->state = XF_SOURCE_LIVE;
	src->told_no_program = false;
	s->was_live = true;
	return 0;
}

/* The interface is there, but has no program to read. */
static void wait_for_program(struct xf_source *src)
{
	src->state = XF_SOURCE_ABSENT;
	if (!src->told_no_program && src->given_name)
		xf_info("%s: there is no xdpfun program to follow: waiting for one", src->name);
	src->told_no_program = true;
}

/* Whether the interface went while its source was being started. It may be back already: it is
 * looked for. */
static bool has_gone(struct xf_session *s, struct xf_source *src)
{
	char name[IF_NAMESIZE];

	if (if_indextoname(src->ifindex, name))
		return false;
	src->ifindex = 0;
	src->state = XF_SOURCE_ABSENT;
	s->look = true;
	return true;
}

static void on_retry(struct xf_timer *timer, uint64_t now)
{
	(void)now;
	xf_container_of(timer, struct xf_session, retry)->woken = true;
}

bool xf_session__has_due(const struct xf_session *s)
{
	for (unsigned int i = 0; i < s->n && !s->retry.pos; i++)
		if (s->sources[i]->state == XF_SOURCE_DUE)
			return true;
	return false;
}

/* One in a turn, so that the rings of the others are read in between. */
void xf_session__start_due(struct xf_session *s)
{
	struct xf_source *src = NULL;
	unsigned int k = 0, i;
	int err;

	if (!xf_session__has_due(s))
		return;
	if (!s->ordered)
		xf_session__order(s);
	while (s->sources[s->order[k]]->state != XF_SOURCE_DUE)
		k++;
	i = s->order[k];
	src = s->sources[i];
	s->woken = true;
	err = begin_source(s, i, true);
	if (err == -EAGAIN) {
		s->retry.fn = on_retry;
		xf_loop__arm(s->loop, &s->retry, xf_loop__now(s->loop) + RETRY_NS);
	} else if (err == -ENOENT) {
		wait_for_program(src);
	} else if (err && !has_gone(s, src)) {
		src->state = XF_SOURCE_REFUSED;
		xf_warn("%s: it is left out until it is gone and back", src->name);
	}
}

int xf_session__start_all(struct xf_session *s)
{
	int err = 0;

	xf_session__order(s);
	for (unsigned int k = 0; !err && k < s->n; k++) {
		unsigned int i = s->order[k];

		if (s->sources[i]->state != XF_SOURCE_DUE)
			continue;
		err = begin_source(s, i, s->opts.wait);
		if (err == -ENOENT && s->opts.wait)
			wait_for_program(s->sources[i]);
		if (err && s->opts.wait &&
		    (err == -ENOENT || err == -EAGAIN || has_gone(s, s->sources[i])))
			err = 0;
	}
	for (unsigned int k = s->n; err && k-- > 0;)
		if (s->sources[s->order[k]]->state == XF_SOURCE_LIVE)
			undo(s, s->order[k]);
	return err;
}
