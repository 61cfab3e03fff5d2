/* SPDX-License-Identifier: GPL-2.0-only */
/* To which device a connection's socket is bound. */
#ifndef XF_FW_BOUND_DEVICE_H
#define XF_FW_BOUND_DEVICE_H

#include <net/if.h>
#include <stdbool.h>

#include "firewall/rule/match.h"

/* The connection whose packets come in as @packet: the device that its socket here is bound to, by
 * SO_BINDTODEVICE, a VRF, or since its address is link-local. False: none, or there is no such
 * connection, or the kernel does not tell. */
bool xf_fw_bound_to(const struct xf_match_packet *packet, char device[IF_NAMESIZE]);

#endif
