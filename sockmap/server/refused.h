/* SPDX-License-Identifier: GPL-2.0-only */
/* Connections that cannot be served for want of something here: each kind is counted and warned
 * about, once in a while. */
#ifndef XF_REFUSED_H
#define XF_REFUSED_H

#include "sockmap/server/server_impl.h"

void xf_refused__memory(struct xf_server *server);
/* This process (EMFILE) or the machine (ENFILE) is out of descriptors. */
void xf_refused__fds(struct xf_server *server, int err);
/* --max-connections are open. */
void xf_refused__max(struct xf_server *server);
/* Whatever @err says is lacking. */
void xf_refused__lacking(struct xf_server *server, int err);

#endif
