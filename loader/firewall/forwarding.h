/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether packets come in by an interface that are for others behind this machine, of whose
 * connections the policy deny knows nothing. */
#ifndef XF_FW_FORWARDING_H
#define XF_FW_FORWARDING_H

#include <stdbool.h>

/* Warn of each way in which they may. Returns whether there is any. */
bool xf_fw_forwards_warn(const char *ifname);

#endif
