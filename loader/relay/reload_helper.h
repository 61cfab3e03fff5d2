/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads the routes file and its token files again, when the process that forwards may not any more.
 *
 * A reload helper is a process of its own, made before privileges are dropped. It keeps nothing but
 * CAP_DAC_READ_SEARCH, has no descriptor but a socket to us, knows one path, and does one thing:
 * asked by a byte, it reads that file and the token files that it names, and sends the contents.
 * Nothing that we send it has a meaning, so whoever takes us over cannot make it read other files.
 * It ends when we do. */
#ifndef XF_RELOAD_HELPER_H
#define XF_RELOAD_HELPER_H

#include "loader/relay/drop_privileges.h"

struct xf_reload_helper;
struct xf_loop;
struct xf_routes;

/* Make one for the routes file at @path (which stays the caller's). The process must have one
 * thread and should have its signals blocked. Returns 0 or -errno after a message. */
int xf_reload_helper__start(struct xf_reload_helper **helper, const char *path,
			    const struct xf_user *user);

/* Ask for the file; the answer comes through @loop, once for each time that was not asked during
 * another: fn gets new rules, or NULL after a message. It may be NULL also because the reload
 * helper is gone. */
void xf_reload_helper__ask(struct xf_reload_helper *helper, struct xf_loop *loop,
			   void (*fn)(struct xf_routes *routes, void *arg), void *arg);

/* Before the loop is freed. Waits until the reload helper has ended. NULL is fine. */
void xf_reload_helper__stop(struct xf_reload_helper *helper);

#endif
