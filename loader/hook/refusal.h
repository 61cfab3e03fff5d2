/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages about a program that could not be attached or removed: the reason, and a hint. */
#ifndef XF_REFUSAL_H
#define XF_REFUSAL_H

#include "loader/hook/attach_opts.h"

/* Nothing is attached to an interface whose frames the programs cannot read: @err is from
 * xf_netdev_frames(). Returns it. */
int xf_refusal_frames(const struct xf_attach_opts *opts, int err, unsigned int type);
/* Check whether a program can be attached to this chain. Returns 0, or -errno after a message. */
int xf_refusal_chain(const struct xf_attach_opts *opts, const struct xf_chain *chain);
/* Print why the object did not load: the end of the verifier's log, or the limit that was hit.
 * Returns @err, or -EMFILE when a lack of descriptors was the cause. */
int xf_refusal_load(const struct xf_attach_opts *opts, int err);
/* Print why the kernel or the driver refused the attachment. */
void xf_refusal_attach(const struct xf_attach_opts *opts, enum xf_mode mode, int err);
/* Whether an interface upon this one keeps its programs from being changed; prints so, with @what
 * for "attach to". */
bool xf_refusal_above(const char *what, const char *ifname, unsigned int ifindex, int err);
/* Print that xf_detach() failed. */
void xf_refusal_detach(const char *ifname, __u32 prog_id, int err);
/* The reason against native mode, such as "Operation not supported: the driver has none", for the
 * message about the fall-back. */
const char *xf_refusal_native_reason(unsigned int ifindex, int err);
/* Remember libxdp's message that the kernel refuses freplace, which it prints once in a process. */
void xf_refusal_learn(void);
/* The reason why libxdp made no dispatcher; @no_bpffs is from xf_bpffs_prepare(). */
const char *xf_refusal_no_dispatcher(const char *no_bpffs);

#endif
