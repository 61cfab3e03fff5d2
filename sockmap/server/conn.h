/* SPDX-License-Identifier: GPL-2.0-only */
/* A connection from accept to its end. */
#ifndef XF_CONN_H
#define XF_CONN_H

#include "sockmap/server/server_impl.h"

/* Serve @fd, which was accepted and is taken over. */
void xf_conn__new(struct xf_server *server, int fd, const struct xf_addr *peer);
/* End it, in whatever phase it is. */
void xf_conn__abort(struct xf_conn *conn, enum xf_outcome outcome);

#endif
