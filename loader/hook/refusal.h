/* SPDX-License-Identifier: GPL-2.0-only */
/* Why a program could not be attached, and what to do about it. */
#ifndef XF_REFUSAL_H
#define XF_REFUSAL_H

#include "loader/hook/attach_opts.h"

/* Whether what is on the hook lets us join. Returns 0, or -errno after a message. */
int xf_refusal_chain(const struct xf_attach_opts *opts, const struct xf_chain *chain);
/* The object did not load: quote the verifier, or name the limit that was hit. */
void xf_refusal_load(const struct xf_attach_opts *opts, int err);
/* The kernel or the driver refused the attachment. */
void xf_refusal_attach(const struct xf_attach_opts *opts, enum xf_mode mode, int err);
/* "Operation not supported: the driver has no native XDP", for one line about the fall-back. */
const char *xf_refusal_native_reason(unsigned int ifindex, int err);
/* Keep what libxdp just said about the kernel, which it finds out, and says, once in a process. */
void xf_refusal_learn(void);
/* Why libxdp made no dispatcher. */
const char *xf_refusal_no_dispatcher(const char *no_bpffs);

#endif
