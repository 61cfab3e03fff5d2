/* SPDX-License-Identifier: GPL-2.0-only */
/* A listening UNIX socket and its file. */
#ifndef XF_UNIX_LISTENER_H
#define XF_UNIX_LISTENER_H

#include "sockmap/server/server_impl.h"

/* Bind listener->fd to @addr. A socket file on which nobody listens is removed first. Returns 0 or
 * -errno. */
int xf_unix_listener__bind(struct xf_listener *listener, const struct xf_addr *addr);
/* Remove the file that bind made, if it is still that one and the user may do so. */
void xf_unix_listener__remove(const struct xf_listener *listener);

#endif
