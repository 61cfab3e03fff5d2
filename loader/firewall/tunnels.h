/* SPDX-License-Identifier: GPL-2.0-only */
/* Tunnels whose packets arrive on an interface. */
#ifndef XF_TUNNELS_H
#define XF_TUNNELS_H

/* Print a note about the tunnels on this interface, if there are any: rules meet the addresses of
 * their ends. */
void xf_tunnels_note(const char *ifname, unsigned int ifindex);

#endif
