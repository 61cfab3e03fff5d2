/* SPDX-License-Identifier: GPL-2.0-only */
/* How much a relay may hold: sizes of its sockets' buffers, reserved in the budget before they are
 * set. The kernel never takes in more than the receive buffer allows, and a socket never more than
 * its send buffer, so a flow never holds more than is reserved. */
#ifndef XF_ROOM_H
#define XF_ROOM_H

#include <stdbool.h>
#include <stdint.h>

struct xf_flow;
struct xf_relay;

/* The window of a relay that has no large room, bytes. */
#define XF_ROOM_WINDOW (64 * 1024)

/* Bytes that a flow of the sockmap engine may hold whatever the others hold: two usual segments.
 * They stay reserved for the flow until the budget is nearly used up. */
#define XF_ROOM_OWN (4 * 1024)

/* Room for a new relay, base or small. False: the budget is used up. With relay->lent set after it
 * there was room for its receive buffers alone, as if its flows were paused, and the relay must be
 * the sockmap engine's at once. */
bool xf_room__open(struct xf_relay *relay);
/* Room for bulk on one flow. False: there is none now; everything stays as it was. */
bool xf_room__grow(struct xf_flow *flow);
/* The sockmap engine is about to take the relay over. The reservation stays until it has. */
void xf_room__lend(struct xf_relay *relay);
/* The sockmap engine has taken the relay over and accounts itself for the kernel memory that its
 * flows hold. relay->own for each flow stays reserved, and receive buffers beyond the usual. */
void xf_room__lent(struct xf_relay *relay);
/* The flow's bytes go through user space from now on, which can wait for the receiver: use a small
 * send buffer. */
void xf_room__restrain(struct xf_flow *flow);
/* The relay is about to come back: reserve its room, for flows of bulk large room if there is
 * enough. False: there is no room, and it must stay there. */
bool xf_room__reserve(struct xf_relay *relay);
/* Bytes reserved for the send buffer of the flow's receiver. */
uint64_t xf_room__send_size(const struct xf_flow *flow);
/* The relay is back: give the buffers the sizes that were reserved. */
void xf_room__apply(struct xf_relay *relay);
/* A flow of the sockmap engine is paused: its receive buffer fills. The same on the way back. */
bool xf_room__pause(struct xf_flow *flow);
/* The same with @bytes, enough, that are in the budget for it already. */
void xf_room__pause_in(struct xf_flow *flow, uint64_t bytes);
/* Bytes that this takes. */
uint64_t xf_room__pause_size(const struct xf_flow *flow);
void xf_room__resume(struct xf_flow *flow);
/* Both directions are done: reduce the reservation to the bytes that are not yet acknowledged.
 * Called repeatedly. */
void xf_room__linger(struct xf_relay *relay);
/* Give everything back: the sockets are closed. */
void xf_room__close(struct xf_relay *relay);

/* The largest buffers that are used are beyond net.core.rmem_max or wmem_max. */
bool xf_room__needs_net_admin(void);

#endif
