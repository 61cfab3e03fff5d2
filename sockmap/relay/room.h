/* SPDX-License-Identifier: GPL-2.0-only */
/* How much a relay may hold: sizes of its sockets' buffers, reserved in the budget before they are
 * set. The kernel never takes in more than the receive buffer allows, and a socket never more than
 * its send buffer, so a flow never holds more than is reserved. */
#ifndef XF_ROOM_H
#define XF_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct xf_flow;
struct xf_relay;

/* Room for a new relay, base or small. False: the budget is used up. With relay->lent set after it
 * there was room for its receive buffers alone, as if its flows were paused, and the relay must be
 * the sockmap engine's at once. */
bool xf_room__open(struct xf_relay *relay);
/* Room for bulk on one flow. False: there is none now; everything stays as it was. */
bool xf_room__grow(struct xf_flow *flow);
/* The sockmap engine is about to take the relay over, with relay->limit. The reservation stays
 * until it has. */
void xf_room__lend(struct xf_relay *relay);
/* The sockmap engine has taken the relay over: what it may redirect stays reserved, and the receive
 * buffers of flows that are paused or have large room. */
void xf_room__lent(struct xf_relay *relay);
/* A flow of the sockmap engine moves much: raise its limit, if there is enough. Returns the
 * limit. */
uint64_t xf_room__widen(struct xf_flow *flow);
/* Bytes of the flow that user space may read at a time, at most XF_SCRATCH. */
size_t xf_room__hold_size(const struct xf_flow *flow);
/* The relay is about to come back: reserve its room, for flows of bulk large room if there is
 * enough. False: there is no room, and it must stay there. */
bool xf_room__reserve(struct xf_relay *relay);
/* Bytes reserved for the send buffer of the flow's receiver. */
uint64_t xf_room__send_size(const struct xf_flow *flow);
/* The relay is back: give the buffers the sizes that were reserved. */
void xf_room__apply(struct xf_relay *relay);
/* A flow of the sockmap engine is paused: its bytes wait in its receive buffer and in user space.
 * False: there is no room for that. And when they do not wait any more. Both may be called twice.
 */
bool xf_room__pause(struct xf_flow *flow);
void xf_room__resume(struct xf_flow *flow);
/* The flow's receiver is stalled: keep the window from being more than the buffer takes. */
void xf_room__narrow(struct xf_flow *flow);
/* Both directions are done: reduce the reservation to the bytes that are not yet acknowledged.
 * Called repeatedly. */
void xf_room__linger(struct xf_relay *relay);
/* Give everything back: the sockets are closed. */
void xf_room__close(struct xf_relay *relay);

/* The largest buffers that are used are beyond net.core.rmem_max or wmem_max. */
bool xf_room__needs_net_admin(void);

#endif
