/* SPDX-License-Identifier: GPL-2.0-only */
/* The maps that relay.bpf.c and the sockmap engine share. One set of maps for each thread;
 * everything in host byte order.
 *
 * A flow is one direction of a connection: bytes received on one socket and sent on another (for an
 * echo the same). Its state is one entry of the flow table, found by the cookie of the receiving
 * socket. */
#ifndef XF_RELAY_ABI_H
#define XF_RELAY_ABI_H

#include <linux/types.h>

/* Why the verdict program tells user space about a flow (bits of xf_relay_event.what). */
#define XF_TELL_LIMIT 1 /* more is held than the flow or all flows should hold */
#define XF_TELL_BULK 2	/* a long run of bytes one way: another engine may be better */
#define XF_TELL_DEAD 4	/* the receiving end is gone: bytes were dropped */
#define XF_TELL_LOST 16 /* bytes of the stream are missing: the kernel dropped them */
#define XF_TELL_BUSY 8	/* many messages: how many flows are this busy? */
#define XF_TELL_ROOM 32 /* the flow has taken one of the rooms; told once for each */

/* Why the filter takes the payload off segments (xf_relay_flow.stop). */
#define XF_STOP_FULL 1	   /* it holds too much */
#define XF_STOP_ROOMLESS 2 /* out of the source map, without room for its receive buffer */
#define XF_STOP_LARGE 3	   /* on its way out of the source map: large segments only */

/* A segment is large from so many bytes on: some in a row pass the marks that keep the verdict from
 * being called. */
#define XF_LARGE_SEGMENT 4096

/* Rooms that wait to be taken at most. */
#define XF_ROOMS 32

/* One direction. Only the verdict program writes the first part, and only while its socket is in
 * the source map, under that socket's lock; user space writes the second. */
struct xf_relay_flow {
	__u64 moved;	/* bytes redirected since the flow was put in */
	__u64 acked;	/* of them, those that the receiver had acknowledged when last looked */
	__u64 counted;	/* this flow's share in xf_relay_totals.held */
	__u64 run;	/* bytes since the other direction last spoke */
	__u32 told;	/* XF_TELL_* since user space cleared it (user space only ever writes 0) */
	__u32 stop;	/* XF_STOP_*: the filter takes the payload off what arrives, so that it is
			 * not acknowledged; set by the verdict and user space, cleared by user
			 * space, and by the filter when it finds a room */
	__u64 to;	/* cookie of the sending socket */
	__u64 written0; /* bytes of the sending socket's stream before the first that is moved, as
			 * tcp_sock.bytes_acked counts */
	__u32 index;	/* of this entry */
	__u32 pair;	/* of the other direction's entry; the same for an echo */
	__u64 base;	/* bytes that it may always hold: not counted */
	__u64 limit;	/* bytes: when more is held it is told, and stop is set at twice that */
	__u64 messages; /* that were redirected; the program's */
	__u64 size;	/* of them, bytes, a moving average; the program's */
	__u32 next;	/* sequence number of the byte that comes next; the program's */
	__u32 begun;	/* next is known */
	__u32 free;	/* 1: out of the source map with room for its receive buffer, which is what
			 * bounds it; user space and the filter set it, a verdict clears it (5.10
			 * calls one) */
	__u32 reserved32;
	__u64 reserved[2];
};

_Static_assert(sizeof(struct xf_relay_flow) == 128, "two cache lines");

/* One entry. */
struct xf_relay_totals {
	__u64 held; /* sum of counted: what flows hold beyond their base */
	__u64
	    held_max; /* more is told; at twice that those that are counted must stop; user space */
	__u64 dropped; /* redirects that the kernel refused: bytes lost, the connection is reset */
	__u64 trimmed; /* segments whose payload the filter took off */
	__u64 dropped_events; /* events that did not fit in the ring */
	__u64 bulk;	      /* a run of so many bytes is told; user space */
	__u64 busy; /* a mask: the message whose number has none of it is told; user space */
	__u64 zone; /* bytes beyond twice held_max, for flows of which nothing is counted; user
		       space */
	__u64 reserved[6];
	__u32 stops;   /* not 0: there may be flows that must stop; user space clears it */
	__u32 hush;    /* the same, user space's own, while one leaves the source map */
	__u32 orderly; /* not 0: the filter takes off what comes before its turn; user space */
	__u32 trickle; /* not 0: when all hold too much, others get the first bytes of what is
			* too large for them, however many segments that is; user space */
};

_Static_assert(sizeof(struct xf_relay_totals) == 128, "two cache lines");

struct xf_relay_event {
	__u64 cookie;
	__u32 index;
	__u32 what; /* XF_TELL_* */
};

_Static_assert(sizeof(struct xf_relay_event) == 16, "no padding");

#endif
