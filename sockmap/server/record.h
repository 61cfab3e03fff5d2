/* SPDX-License-Identifier: GPL-2.0-only */
/* The record of a connection: made at accept, reported and freed at the end. */
#ifndef XF_RECORD_H
#define XF_RECORD_H

#include "sockmap/server/server_impl.h"

/* In the list of @server and counted; NULL without memory, and then nothing was done. */
struct xf_conn *xf_record__new(struct xf_server *server, int fd, const struct xf_addr *peer);
/* Fill in of @report what all ends have in common, hand it to on_end, count and free. */
void xf_record__finish(struct xf_conn *conn, struct xf_report *report);

#endif
