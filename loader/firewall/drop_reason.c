// SPDX-License-Identifier: GPL-2.0-only
/* Why a packet was dropped. */
#include "loader/firewall/drop_reason.h"

#include "xdp-prog/fw_abi.h"
#include "loader/firewall/may_have_dropped.h"

_Static_assert(XF_RULE_TEXT_MAX <= XF_OUT_RULE_MAX + 1, "a rule fits into a line");

void xf_fw_drop_reason__explain(void *arg, struct xf_line *line)
{
	const struct xf_fw_record *rec = (const struct xf_fw_record *)line->rec;
	struct xf_fw_drop_reason *why = arg;
	struct xf_rule rule;

	if (rec->rule == XF_FW_POLICY) {
		line->denied = XF_DENIED_BY_POLICY;
		return;
	}
	if (rec->rule == XF_FW_UNREAD) {
		line->denied = XF_DENIED_UNREAD;
		return;
	}
	line->denied = XF_DENIED_BY_RULE;
	if (xf_ruleset__by_id(why->ruleset, rec->gen, rec->rule, line->rec->boot_ns, &rule) ||
	    !xf_fw_may_have_dropped(&rule, line->rec))
		return;
	xf_rule_format(&rule, why->rule);
	line->rule = why->rule;
}
