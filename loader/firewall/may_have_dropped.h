/* SPDX-License-Identifier: GPL-2.0-only */
/* Whether a rule can have dropped a packet. Pure. */
#ifndef XF_FW_MAY_HAVE_DROPPED_H
#define XF_FW_MAY_HAVE_DROPPED_H

#include <stdbool.h>

#include "xdp-prog/abi.h"
#include "firewall/rule/rule.h"

/* The id in a record may be that of a later rule by now. Whether the one that has it now denies the
 * packet, as far as the record tells. */
bool xf_fw_may_have_dropped(const struct xf_rule *rule, const struct xf_record *rec);

#endif
