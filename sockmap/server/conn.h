/* SPDX-License-Identifier: GPL-2.0-only */
/* A connection from accept to its end. */
#ifndef XF_CONN_H
#define XF_CONN_H

#include "sockmap/server/server_impl.h"

/* Serve the accepted socket @fd, which the connection takes over. */
void xf_conn__new(struct xf_server *server, int fd, const struct xf_addr *peer);
/* End the connection in any phase. */
void xf_conn__abort(struct xf_conn *conn, enum xf_outcome outcome);

#endif
