/* SPDX-License-Identifier: GPL-2.0-only */
/* The listening socket of a server. */
#ifndef XF_LISTENER_H
#define XF_LISTENER_H

#include "sockmap/server/server_impl.h"

int xf_listener__open(struct xf_server *server);
int xf_listener__start(struct xf_server *server);
/* Stop listening. Connections that wait in the queue are accepted first. */
void xf_listener__close(struct xf_server *server);

#endif
