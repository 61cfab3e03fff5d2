/* SPDX-License-Identifier: GPL-2.0-only */
/* A pool of empty pipes. A flow has one only while bytes are in it, so there need to be as many as
 * flows are stalled, and not as many as there are. */
#ifndef XF_PIPES_H
#define XF_PIPES_H

#include "sockmap/engine/engine.h"

/* Give @flow an empty pipe if it has none. -errno: none can be had (-EMFILE, -ENFILE), or only one
 * too small to be of use (-EPERM: fs.pipe-user-pages-soft). */
int xf_pipes__take(struct xf_flow *flow);
/* Take it back: into the pool when it is empty, else it is closed with what is in it. */
void xf_pipes__give(struct xf_flow *flow);

#endif
