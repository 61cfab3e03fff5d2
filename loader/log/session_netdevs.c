// SPDX-License-Identifier: GPL-2.0-only
/* Handles changes of a session's interfaces while it runs. */
#include "loader/log/session_impl.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "loader/hook/bpffs.h"
#include "lib/msg.h"
#include "loader/hook/netdev.h"

/* Whether an interface that is gone, or a program that others loaded and unloaded, may come back.
 */
static bool comes_back(const struct xf_session *s, const struct xf_source *src, bool gone)
{
	return s->opts.again && (gone || (s->opts.wait && !src->ours));
}

static void end_source(struct xf_session *s, unsigned int i, const char *why, bool gone)
{
	struct xf_source *src = s->sources[i];

	src->comes_back = comes_back(s, src, gone);
	src->gone_ns = xf_now_ns(CLOCK_BOOTTIME);
	xf_info("%s: %s%s", src->name, why, xf_session__outlook(s, src));
	xf_source__end(src, false);
	xf_session__drain(s);
	if (gone)
		src->ifindex = 0;
	xf_session__report_ended(s);
}

static void end_deleted(struct xf_session *s, unsigned int i)
{
	const struct xf_source *src = s->sources[i];
	__u32 dispatcher_id = src->ours ? src->at.dispatcher_id : 0;
	unsigned int ifindex = src->ifindex;

	end_source(s, i, "the interface is gone", true);
	if (dispatcher_id)
		xf_bpffs_unpin(ifindex, dispatcher_id);
}

static void end_moved(struct xf_session *s, unsigned int i)
{
	static const struct xf_owner nobody;
	struct xf_source *src = s->sources[i];
	char why[192];

	/* It cannot be detached from this namespace: clear its owner record, so that a process in
	 * the other one may. */
	if (src->ours) {
		xf_program__owner_set(&src->program, &nobody);
		src->moved_prog_id = src->at.prog_id;
	}
	snprintf(why, sizeof(why),
		 "the interface moved to another network namespace, where the program stays on it; "
		 "'%s' removes it there",
		 s->opts.unload);
	end_source(s, i, why, true);
}

/* Note the id of the present dispatcher, whose pins are to be removed later: another process may
 * have replaced it. */
static void refresh(struct xf_source *src)
{
	struct xf_chain chain;

	if (!xf_chain__read(src->ifindex, &chain) && chain.kind == XF_CHAIN_DISPATCHER &&
	    xf_chain__find(&chain, src->at.prog_id))
		src->at.dispatcher_id = chain.main_id;
}

/* The name by which the interface is looked for when it is gone: the one that was given, unless
 * that was the kernel's, which has changed. */
static void rename_source(struct xf_source *src, const char *name)
{
	struct xf_netdev dev;

	xf_info("%s: the interface is now called %s", src->name, name);
	memcpy(src->name, name, sizeof(src->name));
	if (src->given_name &&
	    (xf_netdev_lookup(src->given_name, &dev) || dev.ifindex != src->ifindex))
		src->given_name = src->name;
}

static void check_source(struct xf_session *s, unsigned int i, const struct xf_netdev_event *event)
{
	struct xf_source *src = s->sources[i];
	char name[IF_NAMESIZE];

	if (event->kind == XF_NETDEV_DELETED) {
		end_deleted(s, i);
		return;
	}
	if (event->kind == XF_NETDEV_MOVED) {
		end_moved(s, i);
		return;
	}
	if (!if_indextoname(src->ifindex, name)) {
		/* The kernel reports changes of an interface that is going, too, before it reports
		 * that it was deleted or moved. */
		if (event->kind == XF_NETDEV_MISSED)
			end_deleted(s, i);
		return;
	}
	if (strcmp(name, src->name))
		rename_source(src, name);
	if (xf_source__is_attached(src))
		refresh(src);
	else if (if_indextoname(src->ifindex, name) || event->kind == XF_NETDEV_MISSED)
		end_source(s, i, "somebody unloaded the program", false);
}

/* An interface changed of which no program is read. */
static void check_other(struct xf_session *s, struct xf_source *src,
			const struct xf_netdev_event *event)
{
	char name[IF_NAMESIZE];
	bool gone = event->kind == XF_NETDEV_DELETED || event->kind == XF_NETDEV_MOVED ||
		    (event->kind == XF_NETDEV_MISSED && !if_indextoname(src->ifindex, name));

	if (!gone) {
		if (src->state == XF_SOURCE_ABSENT)
			xf_session__due(s, src); /* there may be a program now */
		return;
	}
	src->ifindex = 0;
	if (src->state == XF_SOURCE_DUE || src->state == XF_SOURCE_REFUSED ||
	    (src->state == XF_SOURCE_OVER && !src->given_name))
		src->state = XF_SOURCE_ABSENT;
}

static void see(void *ctx, const struct xf_netdev_event *event)
{
	xf_session__see(ctx, event);
}

static void on_netdev_event(void *ctx, const struct xf_netdev_event *event)
{
	struct xf_session *s = ctx;

	for (unsigned int i = 0; i < s->n; i++) {
		struct xf_source *src = s->sources[i];

		if (!src->ifindex ||
		    (event->kind != XF_NETDEV_MISSED && event->ifindex != src->ifindex))
			continue;
		if (src->state == XF_SOURCE_LIVE)
			check_source(s, i, event);
		else
			check_other(s, src, event);
	}
	s->look = true;
	if (event->kind == XF_NETDEV_CHANGED)
		xf_session__see(s, event);
	else if (event->kind == XF_NETDEV_MISSED)
		xf_netdev_each(see, s);
}

void xf_session__read_netdevs(struct xf_session *s)
{
	xf_netdev_read(s->netdevs.fd, on_netdev_event, s);
}
