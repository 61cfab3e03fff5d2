/* SPDX-License-Identifier: GPL-2.0-only */
/* The queues of connections that wait, for their first packet or for an upstream, and which of them
 * makes way when there is no room for a new one. Nothing here ends a connection. */
#ifndef XF_WAITING_H
#define XF_WAITING_H

#include "sockmap/server/server_impl.h"

/* From now on @conn waits in this queue and in no other. */
void xf_waiting__enter(struct xf_conn *conn, struct xf_queue *queue);
/* @conn waits no longer; fine when it does not wait. */
void xf_waiting__leave(struct xf_conn *conn);
/* Before one more waits for its first packet: the connection that makes way because --max-waiting
 * do already, or NULL. */
struct xf_conn *xf_waiting__surplus(const struct xf_server *server);
/* @conn has to wait: reserve what its client may send meanwhile. False: there is no room. Then
 * @victim is the other connection that has waited longest, and makes way, or NULL. */
bool xf_waiting__admit(struct xf_conn *conn, struct xf_conn **victim);
/* No more can wait, and those that do have only just come: nothing is to be accepted for a moment.
 * That is no more than a small part of the time. */
bool xf_waiting__holds_back(struct xf_server *server);

#endif
