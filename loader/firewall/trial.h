/* SPDX-License-Identifier: GPL-2.0-only */
/* Trials of a set: for every command that begins one they are refused, announced and confirmed in
 * the same way. */
#ifndef XF_FW_TRIAL_H
#define XF_FW_TRIAL_H

#include "loader/firewall/named_set.h"

/* Whether a change of a set that holds can be on trial: not where a trial is running, of which it
 * would be a part, nor on hold, where packets meet neither. Returns 0, or -EBUSY after a message.
 */
int xf_fw_trial__check(const struct xf_named_set *set);
/* Say why a trial did not begin: -EBUSY, or the error of a change of the table. */
void xf_fw_trial__explain(const struct xf_named_set *set, int err);
/* Announce that a trial has begun. The user's time begins now, behind the work of the command. */
void xf_fw_trial__announce(const struct xf_named_set *set, uint64_t confirm_ns);
/* Say that a trial is running, if one is: it goes on, and may take back the changes of this
 * command. */
void xf_fw_trial__remind(const struct xf_named_set *set);
/* Make it permanent. Returns 0, or -errno after a message. */
int xf_fw_trial__confirm(const struct xf_named_set *set);

#endif
