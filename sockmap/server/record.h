/* SPDX-License-Identifier: GPL-2.0-only */
/* The record of a connection: made at accept, reported and freed at the end. */
#ifndef XF_RECORD_H
#define XF_RECORD_H

#include "sockmap/server/server_impl.h"

/* Make the record of a connection, list it in the server and count it. Returns NULL without memory.
 */
struct xf_conn *xf_record__new(const struct xf_listener *listener, int fd,
			       const struct xf_addr *peer);
/* Fill in what the reports of all ends have in common, call on_end, count the end and free
 * @conn. */
void xf_record__finish(struct xf_conn *conn, struct xf_report *report);

#endif
