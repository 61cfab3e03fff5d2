// SPDX-License-Identifier: GPL-2.0-only
#include "firewall/rule/protocols.h"

#include "lib/protocols.h"

#define PROTOCOL(number, name) { name, number },
const struct xf_rule_protocol xf_rule_protocols[] = { XF_PROTOCOLS(PROTOCOL) {} };
