/* SPDX-License-Identifier: GPL-2.0-only */
/* The listening sockets of a server. */
#ifndef XF_LISTENER_H
#define XF_LISTENER_H

#include "sockmap/server/server_impl.h"

/* Make all sockets of @server and listen. Returns 0 or -errno after a message. */
int xf_listeners__open(struct xf_server *server);
int xf_listeners__start(struct xf_server *server);
/* Stop listening. Connections that wait in the queues are accepted first. */
void xf_listeners__drain(struct xf_server *server);
void xf_listeners__free(struct xf_server *server);

#endif
