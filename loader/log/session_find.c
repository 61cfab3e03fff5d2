// SPDX-License-Identifier: GPL-2.0-only
/* Finds the interfaces of a session's sources: by the names that were given, at the beginning and
 * later, and with '-i any' all that there are. */
#include "loader/log/session_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/msg.h"

/* With so many sources a new interface takes the place of one that is gone, whose counters then
 * begin anew should it come back. */
#define SOURCES_KEPT 4096

/* Returns the index of a new source, or -errno. */
static int add_source(struct xf_session *s, const char *given_name)
{
	struct xf_source **grown = reallocarray(s->sources, s->n + 1, sizeof(struct xf_source *));
	unsigned int *order = reallocarray(s->order, s->n + 1, sizeof(*order));
	struct xf_source *src = malloc(sizeof(*src));
	int err = xf_sink__sources(s->sink, s->n + 1);

	if (grown)
		s->sources = grown;
	if (order)
		s->order = order;
	if (!grown || !order || !src || err) {
		free(src);
		err = err ?: -ENOMEM;
		xf_err("cannot take in another interface: %s", strerror(-err));
		return err;
	}
	xf_source__init(src, s->opts.abi, given_name);
	s->sources[s->n] = src;
	return s->n++;
}

static void say_back(const struct xf_session *s, const struct xf_source *src, const char *name)
{
	if (src->gone_ns)
		xf_info("%s: the interface is back after %.1f seconds, in which nothing was seen",
			name, (xf_now_ns(CLOCK_BOOTTIME) - src->gone_ns) / (double)XF_NSEC);
	else if (s->running)
		xf_info("%s: the interface is there", name);
}

/* The interface of a source that was looked for is found, unless another source has it. */
static void found(struct xf_session *s, struct xf_source *src, const struct xf_netdev *dev)
{
	for (unsigned int i = 0; i < s->n; i++) {
		const struct xf_source *other = s->sources[i];

		if (other->ifindex != dev->ifindex)
			continue;
		xf_info("'%s' and '%s' are one interface, %s: it is used once", other->given_name,
			src->given_name, dev->name);
		src->state = XF_SOURCE_OVER;
		return;
	}
	say_back(s, src, dev->name);
	src->ifindex = dev->ifindex;
	memcpy(src->name, dev->name, sizeof(src->name));
	xf_session__due(s, src);
}

void xf_session__look_for_absent(struct xf_session *s)
{
	struct xf_netdev dev;

	s->look = false;
	for (unsigned int i = 0; i < s->n; i++) {
		struct xf_source *src = s->sources[i];

		if (src->state == XF_SOURCE_ABSENT && src->given_name && !src->ifindex &&
		    !xf_netdev_lookup(src->given_name, &dev))
			found(s, src, &dev);
	}
}

/* Returns the index of a source for an interface that was not named: that which had this name, a
 * new one, or that of another interface that is gone; or -errno. */
static int choose_source(struct xf_session *s, const char *name)
{
	int free_source = -ENOMEM;

	for (unsigned int i = 0; i < s->n; i++) {
		const struct xf_source *src = s->sources[i];

		if (src->state != XF_SOURCE_ABSENT || src->ifindex || src->given_name)
			continue;
		if (!strcmp(src->name, name))
			return i;
		free_source = i;
	}
	if (s->n < SOURCES_KEPT || free_source < 0)
		return add_source(s, NULL);
	xf_source__init(s->sources[free_source], s->opts.abi, NULL);
	xf_sink__reset(s->sink, free_source);
	return free_source;
}

/* Interfaces that come later are started when they are up, not before: the interface of a container
 * passes through this namespace on its way, and would take our program along. */
void xf_session__see(struct xf_session *s, const struct xf_netdev_event *event)
{
	struct xf_source *src;
	int i;

	if (!s->opts.any || (s->running && !event->up))
		return;
	for (unsigned int known = 0; known < s->n; known++)
		if (s->sources[known]->ifindex == event->ifindex)
			return;
	i = choose_source(s, event->name);
	if (i < 0)
		return;
	src = s->sources[i];
	say_back(s, src, event->name);
	memcpy(src->name, event->name, sizeof(src->name));
	src->ifindex = event->ifindex;
	xf_session__due(s, src);
}

static void on_present(void *ctx, const struct xf_netdev_event *event)
{
	xf_session__see(ctx, event);
}

static int note_all(struct xf_session *s)
{
	int err = xf_netdev_each(on_present, s);

	if (err)
		xf_err("cannot list the interfaces: %s", strerror(-err));
	return err;
}

static int find_named(struct xf_session *s, const char *name)
{
	struct xf_netdev dev;
	int err, i = add_source(s, name);

	if (i < 0)
		return i;
	err = s->opts.wait ? xf_netdev_lookup(name, &dev) : xf_netdev_find(name, &dev);
	if (err == -ENODEV && s->opts.wait) {
		xf_info("'%s' is not there yet: waiting for it", name);
		return 0;
	}
	if (err && s->opts.wait)
		xf_err("cannot look up interface '%s': %s", name, strerror(-err));
	if (!err)
		found(s, s->sources[i], &dev);
	return err;
}

int xf_session__start(struct xf_session *s, const char *const *names, unsigned int n)
{
	int err = 0;

	for (unsigned int i = 0; !err && i < n; i++)
		err = find_named(s, names[i]);
	if (!err)
		err = xf_session__start_all(s);
	if (!err && s->opts.any)
		err = note_all(s);
	s->running = true;
	return err;
}
