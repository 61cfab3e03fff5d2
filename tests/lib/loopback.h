/* SPDX-License-Identifier: GPL-2.0-only */
/* Connections over the loopback of a network namespace. */
#ifndef XF_TEST_LOOPBACK_H
#define XF_TEST_LOOPBACK_H

/* Enter a new network namespace, in which loopback is up. Returns 0, or -1 after a message. */
int xf_own_loopback(void);
/* Connect two sockets over loopback. */
void xf_connect_pair(int *dialled, int *accepted);

#endif
