/* SPDX-License-Identifier: GPL-2.0-only */
/* One run of echo or forward. */
#ifndef XF_RELAY_RUN_H
#define XF_RELAY_RUN_H

struct xf_relay_args;

/* Read the routes, listen, load, give up privileges, and only then accept, until a signal asks for
 * the end. Returns the exit status. */
int xf_relay_run(const struct xf_relay_args *args);

#endif
