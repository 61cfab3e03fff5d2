/* SPDX-License-Identifier: GPL-2.0-only */
/* Connections whose client or upstream has vanished. */
#ifndef XF_VANISHED_H
#define XF_VANISHED_H

#include "sockmap/server/server_impl.h"

/* Look at the connections of @server now and then, from now on until there is none. */
void xf_vanished__begin(struct xf_server *server);
/* @conn is about to be freed. */
void xf_vanished__forget(struct xf_conn *conn);

#endif
