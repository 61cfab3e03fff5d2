/* SPDX-License-Identifier: GPL-2.0-only */
/* The fate of a packet by a linear search through all rules, to compare the firewall with. It does
 * not know sockets. */
#ifndef XF_TEST_REF_FW_H
#define XF_TEST_REF_FW_H

#include <stddef.h>
#include <stdint.h>

#include "firewall/rule/rule.h"

/* In the order of struct xf_fw_totals. */
enum xf_fate {
	XF_FATE_ALLOWED, /* by a rule */
	XF_FATE_DENIED,
	XF_FATE_POLICY_ALLOWED,
	XF_FATE_POLICY_DENIED,
	XF_FATE_EXEMPT,
};

enum xf_fate xf_ref_fate(const struct xf_rule *rules, size_t n, bool deny_policy,
			 const uint8_t *bytes, size_t len);

#endif
