/* SPDX-License-Identifier: GPL-2.0-only */
/* Why a packet was dropped, in the words of the rule set as it is now. */
#ifndef XF_FW_DROP_REASON_H
#define XF_FW_DROP_REASON_H

#include "firewall/table/ruleset.h"
#include "loader/format/format.h"

struct xf_fw_drop_reason {
	struct xf_ruleset *ruleset;
	char rule[XF_RULE_TEXT_MAX]; /* of the last line */
};

/* For xf_session_opts.explain: the line's record is a struct xf_fw_record, @why a struct
 * xf_fw_drop_reason. The rule's text is that of the next line when this is called again. */
void xf_fw_drop_reason__explain(void *why, struct xf_line *line);

#endif
