/* SPDX-License-Identifier: GPL-2.0-only */
/* Connections of a test's own. */
#ifndef XF_TEST_LOOPBACK_H
#define XF_TEST_LOOPBACK_H

/* Go to a network namespace of our own, where loopback is up. Returns 0, or -1 and has said why. */
int xf_own_loopback(void);
/* Two sockets that are connected over loopback: the one that dialled, and the one that accepted. */
void xf_connect_pair(int *dialled, int *accepted);

#endif
