/* SPDX-License-Identifier: GPL-2.0-only */
/* The process that loaded a program, and whether it still lives. */
#ifndef XF_OWNER_H
#define XF_OWNER_H

#include "xdp-prog/abi.h"

enum xf_owner_state {
	XF_OWNER_NONE,	/* something else than xdpfun-load loaded it */
	XF_OWNER_ALIVE, /* or it cannot be known, because it is in a pid namespace that we do not
			   see into */
	XF_OWNER_DEAD,
};

/* The record of this process. Returns 0 or -errno when /proc cannot be read. */
int xf_owner_self(struct xf_owner *owner);
enum xf_owner_state xf_owner_state(const struct xf_owner *owner);

#endif
