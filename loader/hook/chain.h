/* SPDX-License-Identifier: GPL-2.0-only */
/* The programs attached to an interface, in the order in which they run. */
#ifndef XF_CHAIN_H
#define XF_CHAIN_H

#include <linux/types.h>
#include <stdbool.h>

#define XF_CHAIN_MAX 10 /* programs, libxdp's limit */

enum xf_mode {
	XF_MODE_AUTO, /* only as an option: native, or SKB if the driver refuses */
	XF_MODE_NATIVE,
	XF_MODE_SKB,
	XF_MODE_HW,
};
const char *xf_mode_name(enum xf_mode mode);

struct xf_chain_prog {
	__u32 id;
	char name[128];
	bool has_prio; /* false for a program that libxdp knows nothing about */
	unsigned int prio;
	unsigned int actions; /* bit set of enum xdp_action on which the chain goes on */
};

/* Whether the hook can be shared, and if not, why. */
enum xf_chain_kind {
	XF_CHAIN_EMPTY,
	XF_CHAIN_DISPATCHER, /* libxdp's, ready to be joined */
	XF_CHAIN_BARE,	     /* one program without a dispatcher */
	XF_CHAIN_VERSION,    /* a dispatcher of another protocol version, see version */
	XF_CHAIN_PINS,	     /* a dispatcher whose pins are not in our bpffs */
};

struct xf_chain {
	enum xf_chain_kind kind;
	enum xf_mode mode;    /* meaningless when empty */
	__u32 main_id;	      /* the dispatcher, or the bare program */
	unsigned int version; /* protocol version of the dispatcher, 0 when unknown */
	bool frags;	      /* the dispatcher takes multi-buffer packets */
	unsigned int n;
	struct xf_chain_prog prog[XF_CHAIN_MAX];
};

/* The protocol version of the dispatchers that our libxdp makes. */
extern const unsigned int xf_chain_our_version;

/* Read the chain of an interface. Returns 0 (also for an empty hook), -ENODEV, or another -errno.
 */
int xf_chain__read(unsigned int ifindex, struct xf_chain *chain);
/* The program with this id, or NULL. */
const struct xf_chain_prog *xf_chain__find(const struct xf_chain *chain, __u32 prog_id);

#endif
