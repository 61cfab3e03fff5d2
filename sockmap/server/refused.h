/* SPDX-License-Identifier: GPL-2.0-only */
/* Warnings about connections that cannot be served because this machine lacks something. Each is
 * rate limited; descriptors and --max-connections are counted, too. */
#ifndef XF_REFUSED_H
#define XF_REFUSED_H

#include "sockmap/server/server_impl.h"

void xf_refused__memory(struct xf_server *server);
/* This process (EMFILE) or the machine (ENFILE) is out of descriptors. */
void xf_refused__fds(struct xf_server *server, int err);
/* As many as --max-connections allows are open. */
void xf_refused__max(struct xf_server *server);
/* The resource that @err stands for is lacking. */
void xf_refused__lacking(struct xf_server *server, int err);

#endif
