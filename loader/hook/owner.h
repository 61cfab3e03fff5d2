/* SPDX-License-Identifier: GPL-2.0-only */
/* The process that loaded a program, and whether it still lives. */
#ifndef XF_OWNER_H
#define XF_OWNER_H

#include "xdp-prog/abi.h"

enum xf_owner_state {
	XF_OWNER_NONE,	/* the program was not loaded by xdpfun-load */
	XF_OWNER_ALIVE, /* also when its pid namespace is not visible from ours */
	XF_OWNER_DEAD,
};

/* Fill in the record of this process. Returns 0, or -errno when /proc cannot be read. */
int xf_owner_self(struct xf_owner *owner);
/* The state of the process that the record names. */
enum xf_owner_state xf_owner_state(const struct xf_owner *owner);

#endif
