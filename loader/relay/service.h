/* SPDX-License-Identifier: GPL-2.0-only */
/* The service manager: listening sockets that it passes, and the states that it is told. Without
 * libsystemd, or without a manager, there are none and nobody is told. */
#ifndef XF_SERVICE_H
#define XF_SERVICE_H

#include "loader/relay/args.h"

/* Add the sockets that the manager has passed (LISTEN_FDS) behind those of @args. Returns 0, or
 * -errno after a message. */
int xf_service__listens(struct xf_relay_args *args);

/* Tell the manager: connections are accepted, routes are read again, no more are accepted. */
void xf_service__ready(void);
void xf_service__reloading(void);
void xf_service__stopping(void);

#endif
