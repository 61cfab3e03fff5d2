/* SPDX-License-Identifier: GPL-2.0-only */
/* Warnings before a change locks out the SSH session in which it is made: the verdict of rules and
 * policy on the session's packets, and on the next login from there. */
#ifndef XF_SSH_WARN_H
#define XF_SSH_WARN_H

#include "firewall/rule/match.h"
#include "firewall/table/ruleset.h"

struct xf_ssh_warn {
	bool session;		       /* there is one */
	struct xf_match login;	       /* the first packet of a new one */
	struct xf_match running;       /* the next packet of this one */
	const struct xf_rule *without; /* is not seen: it will be gone */
};

/* Find the session. */
void xf_ssh_warn__init(struct xf_ssh_warn *warn);
/* Whether it may be bad for the session that this rule is added, or taken out. */
bool xf_ssh_warn__concerns(const struct xf_ssh_warn *warn, const struct xf_rule *rule, bool added);
/* Look at a rule, or at all rules of a table. */
void xf_ssh_warn__see(struct xf_ssh_warn *warn, const struct xf_rule *rule);
void xf_ssh_warn__see_all(struct xf_ssh_warn *warn, struct xf_ruleset *ruleset, uint64_t now);
/* Look at the rules that stay when all others go. */
void xf_ssh_warn__see_protecting(struct xf_ssh_warn *warn, struct xf_ruleset *ruleset,
				 uint64_t now);
/* Print the verdict of the rules that were seen and of the policy, if it is bad. */
void xf_ssh_warn__say(const struct xf_ssh_warn *warn, bool deny_policy, const char *set);

/* Print what adding or taking out the rule will do to the session: before the change, since the
 * message may not get through afterwards. For a rule that concerns the session. Returns whether
 * there will be a change. */
bool xf_ssh_warn__before(struct xf_ssh_warn *warn, struct xf_ruleset *ruleset, uint64_t now,
			 const struct xf_rule *rule, bool added, const char *set);

#endif
