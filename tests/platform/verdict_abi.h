/* SPDX-License-Identifier: GPL-2.0-only */
/* The interface between verdict.bpf.c and the programs of this folder. */
#ifndef XF_VERDICT_ABI_H
#define XF_VERDICT_ABI_H

#include <linux/types.h>

#define XF_VERDICTS 16

enum xf_action {
	XF_ACTION_PASS,
	XF_ACTION_DROP,
	XF_ACTION_REDIRECT, /* what the redirect answers is the verdict */
	XF_ACTION_TRY,	    /* redirect, and pass what the redirect refuses */
	XF_ACTION_LITTLE,   /* redirect while no more than limit is held and nothing waits in user
			     * space, else pass */
};

/* The verdict on a segment without bytes, as which a FIN comes. */
enum xf_empty {
	XF_EMPTY_DROP,
	XF_EMPTY_PASS,
	XF_EMPTY_REDIRECT,
};

/* The orders to the verdict program about the segments of one socket, and its counts of them. User
 * space writes the first five fields and forwarded, the program the others. */
struct xf_verdict {
	__u32 action;	    /* enum xf_action */
	__u32 empty_action; /* enum xf_empty */
	__u64 to;	    /* cookie of the socket to redirect to */
	__u64 limit;	    /* bytes */
	__u64 written0;	    /* bytes_acked of the socket to redirect to, at the beginning */
	__u64 calls;	    /* segments with bytes */
	__u64 empty;	    /* without */
	__u64 redirected;   /* bytes, as the next two */
	__u64 passed;
	__u64 dropped;
	__u64 refused;	 /* redirects that the kernel refused, bytes */
	__u64 forwarded; /* of those passed, bytes that user space has sent on */
	__u64 acked;	 /* bytes_acked of the socket to redirect to, as last read */
};

#endif
