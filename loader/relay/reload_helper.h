/* SPDX-License-Identifier: GPL-2.0-only */
/* Reads the routes file and its token files again, when the process that forwards may not any more.
 *
 * A keeper is a process of its own, made before privileges are dropped. It keeps nothing but
 * CAP_DAC_READ_SEARCH, has no descriptor but a socket to us, knows one path, and does one thing:
 * asked by a byte, it reads that file and the token files that it names, and sends the contents.
 * Nothing that we send it has a meaning, so whoever takes us over cannot make it read other files.
 * It ends when we do. */
#ifndef XF_KEEPER_H
#define XF_KEEPER_H

#include "loader/relay/drop_privileges.h"

struct xf_keeper;
struct xf_loop;
struct xf_routes;

/* Make one for the routes file at @path (which stays the caller's). The process must have one
 * thread and should have its signals blocked. Returns 0 or -errno after a message. */
int xf_keeper__start(struct xf_keeper **keeper, const char *path, const struct xf_user *user);

/* Ask for the file; the answer comes through @loop, once for each time that was not asked during
 * another: fn gets new rules, or NULL after a message. It may be NULL also because the keeper is
 * gone. */
void xf_keeper__ask(struct xf_keeper *keeper, struct xf_loop *loop,
		    void (*fn)(struct xf_routes *routes, void *arg), void *arg);

/* Before the loop is freed. Waits until the keeper has ended. NULL is fine. */
void xf_keeper__stop(struct xf_keeper *keeper);

#endif
