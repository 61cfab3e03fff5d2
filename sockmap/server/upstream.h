/* SPDX-License-Identifier: GPL-2.0-only */
/* The choice of the upstream that is dialled next. */
#ifndef XF_UPSTREAM_H
#define XF_UPSTREAM_H

#include "sockmap/server/server_impl.h"

/* Choose the next upstream and set conn->tried. Returns NULL when each was tried once. */
const struct xf_addr *xf_upstream__next(struct xf_conn *conn);
/* conn->tried could not be dialled: avoid it for a while, and warn. */
void xf_upstream__failed(struct xf_conn *conn, int err);
void xf_upstream__worked(struct xf_conn *conn);

#endif
