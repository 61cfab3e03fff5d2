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

/* Why the verdict program tells user space about a flow (bits of xf_relay_flow.told). */
#define XF_TELL_PASSED 1 /* bytes wait in the receive queue of the socket for user space */
#define XF_TELL_BULK 2	 /* a long run of bytes one way: another engine may be better */
#define XF_TELL_BUSY 4	 /* many messages: how many flows are this busy? */

/* One direction. The verdict program writes the first part, but for told, under the lock of the
 * receiving socket; user space writes the second. */
struct xf_relay_flow {
	__u64 redirected; /* bytes redirected since the flow was put in */
	__u64 passed;	  /* bytes passed to user space */
	__u64 acked;	  /* bytes that the receiver had acknowledged when last looked */
	__u64 run;	  /* bytes since the other direction last spoke */
	__u64 messages;
	__u64 told;  /* XF_TELL_*: set by the program, which sends an event when none was set; user
		      * space sets it to 0 when it looks */
	__u32 next;  /* sequence number of the byte that comes next */
	__u32 begun; /* next is known */
	__u64 reserved;
	__u64 forwarded; /* of the passed bytes, those that user space has written to the sending
			  * socket */
	__u64 limit;	/* bytes that may be on their way to the receiver for more to be redirected;
			 * with them */
	__u64 to;	/* cookie of the sending socket */
	__u64 written0; /* bytes of the sending socket's stream before the first that is moved, as
			 * tcp_sock.bytes_acked counts */
	__u32 index;	/* of this entry */
	__u32 pair;	/* of the other direction's entry; the same for an echo */
	__u32 leaves;	/* 1: redirect however much is held: what is passed would be lost */
	__u32 reserved32;
	__u64 reserved2[2];
};

_Static_assert(sizeof(struct xf_relay_flow) == 128, "two cache lines");

/* One entry. */
struct xf_relay_totals {
	__u64 dropped_events; /* events that did not fit in the ring */
	__u64 bulk;	      /* a run of so many bytes is told; user space */
	__u64 busy; /* a mask: the message whose number has none of it is told; user space */
};

/* There is something in told. At most one event of a flow is in the ring, and one that is being
 * looked at. */
struct xf_relay_event {
	__u64 cookie;
	__u32 index;
	__u32 reserved;
};

_Static_assert(sizeof(struct xf_relay_event) == 16, "no padding");

#endif
