/* SPDX-License-Identifier: GPL-2.0-only */
/* Which upstream of a route is dialled next. */
#ifndef XF_UPSTREAM_H
#define XF_UPSTREAM_H

#include "sockmap/server/server_impl.h"

/* The next one to dial, NULL when each was tried once. */
const struct xf_addr *xf_upstream__next(struct xf_conn *conn);
/* conn->tried could not be dialled: avoid it for a while, warn. */
void xf_upstream__failed(struct xf_conn *conn, int err);
void xf_upstream__worked(struct xf_conn *conn);

#endif
