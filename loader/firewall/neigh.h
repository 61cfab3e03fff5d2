/* SPDX-License-Identifier: GPL-2.0-only */
/* By which MAC address a peer's packets come. */
#ifndef XF_FW_NEIGH_H
#define XF_FW_NEIGH_H

#include <stdbool.h>
#include <stdint.h>

/* The MAC address of the neighbour by which the kernel would answer: the peer itself, or the
 * gateway towards it. Returns false when it is not known. */
bool xf_fw_neigh_mac(uint8_t family, const uint8_t addr[16], uint8_t mac[6]);

#endif
