/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's state of a TCP socket: places in its two streams, counted in bytes from an origin
 * that stays the same for the socket's whole life (TCP_INFO counts the SYN on one end and not on
 * the other; only differences have a meaning). */
#ifndef XF_TCP_STATE_H
#define XF_TCP_STATE_H

#include <stdbool.h>
#include <stdint.h>

/* Received in order so far; the FIN counts as a byte. */
uint64_t xf_tcp__received(int fd);
/* Taken out of the receive queue so far; an unread FIN counts as taken. */
uint64_t xf_tcp__consumed(int fd);
/* Acknowledged by the peer. */
uint64_t xf_tcp__acked(int fd);
/* Written to the socket, acknowledged or not. Never more than there were: what is acknowledged
 * between two looks is in neither. */
uint64_t xf_tcp__written(int fd);
/* The same, exactly, for a socket that is not written to meanwhile. */
uint64_t xf_tcp__written_exactly(int fd);

/* The window that the peer was promised last, bytes; @unknown where the kernel does not say it
 * (before 6.2). */
uint64_t xf_tcp__window(int fd, uint64_t unknown);
/* The largest segment that the peer may send, bytes. */
uint64_t xf_tcp__segment_max(int fd);
/* Smoothed round-trip time, ns. */
uint64_t xf_tcp__rtt(int fd);
/* ns since the peer's last byte came in. Adds to *@moved what was received and acknowledged so far,
 * bytes: it grows while something moves. */
uint64_t xf_tcp__quiet(int fd, uint64_t *moved);
/* Written to the socket and not yet acknowledged, bytes. */
uint64_t xf_tcp__unacked(int fd);
/* Bytes in the receive queue; the FIN is none. For a socket that was never in a map. */
uint64_t xf_tcp__waiting(int fd);
/* The same for any socket that is not hushed, with more system calls. */
uint64_t xf_tcp__in_queue(int fd);
/* Take the error that waits (SO_ERROR), 0: none. */
int xf_tcp__error(int fd);
bool xf_tcp__is_closed(int fd);
/* No FIN has come or gone. */
bool xf_tcp__is_established(int fd);
/* Keep the data-ready callback, and with it the verdict, from being called until xf_tcp__kick() or
 * until very much has come. Returns when none is running: it needs the socket's lock. */
void xf_tcp__hush(int fd);
/* Have a BPF program see each segment before TCP does. 0 or -errno. And take it off again. */
int xf_tcp__attach(int fd, int program);
void xf_tcp__detach(int fd);
/* Run the verdict on what waits in the receive queue of a socket that has just entered a map:
 * setting the low-water mark calls the data-ready callback when there is something. */
void xf_tcp__kick(int fd);

#endif
