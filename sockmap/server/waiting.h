/* SPDX-License-Identifier: GPL-2.0-only */
/* The queues of waiting connections, for their first packet and for an upstream, and the choice of
 * the one that makes way when there is no room for a new one. No function here ends a
 * connection. */
#ifndef XF_WAITING_H
#define XF_WAITING_H

#include "sockmap/server/server_impl.h"

/* Put @conn at the end of @queue, and take it out of another. */
void xf_waiting__enter(struct xf_conn *conn, struct xf_queue *queue);
/* Take @conn out of its queue, if it is in one. */
void xf_waiting__leave(struct xf_conn *conn);
/* The connection that makes way before one more waits for its first packet, because --max-waiting
 * do already; or NULL. */
struct xf_conn *xf_waiting__surplus(const struct xf_server *server);
/* Reserve memory for what the client of @conn may send while the connection waits. False: there is
 * none. Then *@victim is the connection that makes way, the other one that has waited longest, or
 * NULL. */
bool xf_waiting__admit(struct xf_conn *conn, struct xf_conn **victim);
/* Whether to accept nothing for a moment, because no more connections can wait and the waiting ones
 * have only just come. True for a small part of the time at most. */
bool xf_waiting__holds_back(struct xf_server *server);

#endif
