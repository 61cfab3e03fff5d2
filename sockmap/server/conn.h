/* SPDX-License-Identifier: GPL-2.0-only */
/* A connection from accept to its end. */
#ifndef XF_CONN_H
#define XF_CONN_H

#include "sockmap/server/server_impl.h"

/* Serve the socket @fd that @listener has accepted; the connection takes it over. */
void xf_conn__new(const struct xf_listener *listener, int fd, const struct xf_addr *peer);
/* End the connection in any phase. */
void xf_conn__abort(struct xf_conn *conn, enum xf_outcome outcome);

#endif
