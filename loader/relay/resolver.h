/* SPDX-License-Identifier: GPL-2.0-only */
/* A thread that looks up the names among the upstreams, so that nothing waits for a name server. */
#ifndef XF_RESOLVER_H
#define XF_RESOLVER_H

#include <stdint.h>

struct xf_loop;
struct xf_resolver;
struct xf_routes;

/* Look up the names of @routes and replace these by routes with the addresses. Returns 0, or -errno
 * after a message: there is no such name. A name that cannot be looked up at present has no address
 * and gets a warning. */
int xf_resolver__first(struct xf_routes **routes);

/* Start the thread, which looks up the names of @routes every @every ns and wakes @loop when there
 * are others. Without memory or a thread returns -errno after a message. */
int xf_resolver__start(struct xf_resolver **resolver, struct xf_routes *routes, uint64_t every,
		       struct xf_loop *loop);
/* Look up soon, at most once a second. From any thread. */
void xf_resolver__hurry(struct xf_resolver *resolver);
/* The rules are those of @routes from now on. */
void xf_resolver__set(struct xf_resolver *resolver, struct xf_routes *routes);
/* Returns routes with other addresses than the last ones, or NULL. */
struct xf_routes *xf_resolver__take(struct xf_resolver *resolver);
/* End the thread as soon as it looks, without waiting for it. NULL is fine. */
void xf_resolver__stop(struct xf_resolver *resolver);

#endif
