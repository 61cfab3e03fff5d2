// SPDX-License-Identifier: GPL-2.0-only
/* Handles changes of a session's interfaces while it runs. */
#include "loader/log/session_impl.h"

#include <stdio.h>
#include <string.h>

#include "loader/hook/bpffs.h"
#include "lib/msg.h"
#include "loader/hook/netdev.h"

static void end_source(struct xf_session *s, unsigned int i, const char *why, bool gone)
{
	struct xf_source *src = s->sources[i];

	xf_info("%s: %s", src->name, why);
	xf_source__end(src, false);
	xf_session__drain(s);
	if (gone && src->ours && src->at.dispatcher_id)
		xf_bpffs_unpin(src->ifindex, src->at.dispatcher_id);
	xf_session__report_ended(s);
}

static unsigned int live_sources(const struct xf_session *s)
{
	unsigned int live = 0;

	for (unsigned int i = 0; i < s->n; i++)
		live += s->sources[i]->state == XF_SOURCE_LIVE;
	return live;
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

static void check_source(struct xf_session *s, unsigned int i, const struct xf_netdev_event *event)
{
	struct xf_source *src = s->sources[i];
	char name[IF_NAMESIZE], why[192];

	if (event->kind == XF_NETDEV_DELETED) {
		end_source(s, i, "the interface is gone", true);
		return;
	}
	if (event->kind == XF_NETDEV_MOVED) {
		static const struct xf_owner nobody;

		/* It cannot be detached from this namespace: clear its owner record, so that a
		 * process in the other one may. */
		if (src->ours)
			xf_program__owner_set(&src->program, &nobody);
		snprintf(why, sizeof(why),
			 "the interface moved to another network namespace, where the program "
			 "stays on it; '%s' removes it there",
			 s->opts.unload);
		end_source(s, i, why, false);
		return;
	}
	if (!if_indextoname(src->ifindex, name)) {
		/* The kernel reports changes of an interface that is going, too, before it reports
		 * that it was deleted or moved. */
		if (event->kind == XF_NETDEV_MISSED)
			end_source(s, i, "the interface is gone", true);
		return;
	}
	if (strcmp(name, src->name)) {
		xf_info("%s: the interface is now called %s", src->name, name);
		memcpy(src->name, name, sizeof(name));
	}
	if (xf_source__is_attached(src))
		refresh(src);
	else if (if_indextoname(src->ifindex, name) || event->kind == XF_NETDEV_MISSED)
		end_source(s, i, "somebody unloaded the program", false);
}

static void on_netdev_event(void *ctx, const struct xf_netdev_event *event)
{
	struct xf_session *s = ctx;

	for (unsigned int i = 0; i < s->n; i++)
		if (s->sources[i]->state == XF_SOURCE_LIVE &&
		    (event->kind == XF_NETDEV_MISSED || event->ifindex == s->sources[i]->ifindex))
			check_source(s, i, event);
	if (!live_sources(s)) {
		s->sources_lost = true;
		s->stop = true;
	}
}

void xf_session__read_netdevs(struct xf_session *s)
{
	xf_netdev_read(s->netdevs.fd, on_netdev_event, s);
}
