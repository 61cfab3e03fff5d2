/* SPDX-License-Identifier: GPL-2.0-only */
/* A process that reads the routes file and its token files again, once the relay has dropped the
 * privilege to read them.
 *
 * The reload helper is forked before the relay drops privileges. It keeps CAP_DAC_READ_SEARCH
 * alone, has no descriptor but a socket to the relay, knows one path, and does one thing: for each
 * byte that it receives it reads that file and the token files that it names, and sends the
 * contents. The value of the byte has no meaning, so a compromised relay cannot make it read other
 * files. It ends with the relay. */
#ifndef XF_RELOAD_HELPER_H
#define XF_RELOAD_HELPER_H

#include "loader/relay/drop_privileges.h"

struct xf_reload_helper;
struct xf_loop;
struct xf_routes;

/* Start the reload helper for the routes file at @path, a string that stays the caller's. The
 * process must have one thread and should have its signals blocked. Returns 0 or -errno after a
 * message. */
int xf_reload_helper__start(struct xf_reload_helper **helper, const char *path,
			    const struct xf_user *user);

/* Ask for the routes. @fn is called from @loop with new routes, or with NULL after a message, also
 * when the reload helper has died. Calls while a reply is on its way are answered together by one
 * more. */
void xf_reload_helper__ask(struct xf_reload_helper *helper, struct xf_loop *loop,
			   void (*fn)(struct xf_routes *routes, void *arg), void *arg);

/* End the reload helper and wait for it, before the loop is freed. NULL is fine. */
void xf_reload_helper__stop(struct xf_reload_helper *helper);

#endif
