// SPDX-License-Identifier: GPL-2.0-only
/* Warnings before a change locks out the SSH session in which it is made. */
#include "loader/firewall/ssh_warn.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "loader/firewall/bound_device.h"
#include "loader/firewall/neigh.h"
#include "loader/firewall/ssh_session.h"
#include "lib/addr.h"
#include "lib/msg.h"

void xf_ssh_warn__init(struct xf_ssh_warn *warn)
{
	struct xf_match_packet *packet = &warn->login.packet;

	memset(warn, 0, sizeof(*warn));
	warn->session = xf_fw_session_find(packet);
	if (warn->session)
		packet->mac_known = xf_fw_neigh_mac(packet->family, packet->src, packet->mac);
	warn->running.packet = warn->login.packet;
	warn->running.packet.established = true;
}

bool xf_ssh_warn__concerns(const struct xf_ssh_warn *warn, const struct xf_rule *rule, bool added)
{
	struct xf_rule may_match = *rule;

	if (!warn->login.packet.mac_known)
		may_match.has &= ~XF_RULE_MAC;
	return warn->session && rule->deny == added &&
	       (xf_rule_matches(&may_match, &warn->login.packet) ||
		xf_rule_matches(&may_match, &warn->running.packet));
}

void xf_ssh_warn__see(struct xf_ssh_warn *warn, const struct xf_rule *rule)
{
	if (!warn->session)
		return;
	xf_match__see(&warn->login, rule);
	xf_match__see(&warn->running, rule);
}

static int see_entry(void *arg, const struct xf_ruleset_rule *entry)
{
	struct xf_ssh_warn *warn = arg;

	if (!warn->without || !xf_rule_equal(warn->without, &entry->rule))
		xf_ssh_warn__see(warn, &entry->rule);
	return 0;
}

static int see_if_protects(void *arg, const struct xf_ruleset_rule *entry)
{
	return entry->rule.protect ? see_entry(arg, entry) : 0;
}

static void see(struct xf_ssh_warn *warn, struct xf_ruleset *ruleset, uint64_t now,
		int (*fn)(void *arg, const struct xf_ruleset_rule *entry))
{
	const struct xf_match_packet *packet = &warn->login.packet;

	if (warn->session)
		xf_ruleset__each_about(ruleset, now, packet->family, packet->src, packet->dst, fn,
				       warn);
}

void xf_ssh_warn__see_all(struct xf_ssh_warn *warn, struct xf_ruleset *ruleset, uint64_t now)
{
	see(warn, ruleset, now, see_entry);
}

void xf_ssh_warn__see_protecting(struct xf_ssh_warn *warn, struct xf_ruleset *ruleset, uint64_t now)
{
	see(warn, ruleset, now, see_if_protects);
}

bool xf_ssh_warn__before(struct xf_ssh_warn *warn, struct xf_ruleset *ruleset, uint64_t now,
			 const struct xf_rule *rule, bool added, const char *set)
{
	uint32_t ttl;
	bool present = !xf_ruleset__ttl(ruleset, rule, now, &ttl);

	if (present == added)
		return false; /* nothing will change */
	warn->without = added ? NULL : rule;
	xf_ssh_warn__see_all(warn, ruleset, now);
	warn->without = NULL;
	if (added)
		xf_ssh_warn__see(warn, rule);
	xf_ssh_warn__say(warn, xf_ruleset__denies(ruleset), set);
	return true;
}

static void addr_text(const struct xf_match_packet *packet, const uint8_t *addr,
		      char text[XF_IP6_TEXT + 1])
{
	*(packet->family == 4 ? xf_ip4_text(text, addr) : xf_ip6_text(text, addr)) = '\0';
}

/* The rule that lets the session's packets pass, and new logins. One that names the destination
 * ranks before one that does not. */
static struct xf_rule remedy_of(const struct xf_match_packet *packet, bool with_dst)
{
	uint8_t bits = packet->family == 4 ? 32 : 128;
	struct xf_rule rule = {
		.has = XF_RULE_SRC | XF_RULE_PROTO | XF_RULE_DPORT | (with_dst ? XF_RULE_DST : 0),
		.family = packet->family,
		.proto = IPPROTO_TCP,
		.src.len = bits,
		.dst.len = with_dst ? bits : 0,
		.dport_min = packet->dport,
		.dport_max = packet->dport,
	};

	memcpy(rule.src.addr, packet->src, sizeof(packet->src));
	if (with_dst)
		memcpy(rule.dst.addr, packet->dst, sizeof(packet->dst));
	return rule;
}

/* Of the rules that deny it the highest, or NULL: the policy does. */
static const struct xf_rule *highest_denial(const struct xf_ssh_warn *warn)
{
	const struct xf_match *matches[] = { &warn->login, &warn->running };
	const struct xf_rule *found = NULL;

	for (int i = 0; i < 2; i++)
		if (matches[i]->any && matches[i]->rule.deny &&
		    (!found || xf_rule_rank(&matches[i]->rule) > xf_rule_rank(found)))
			found = &matches[i]->rule;
	return found;
}

/* Hint at the rule that would help; none does where a rule that is as specific denies. */
static void say_hint(const struct xf_ssh_warn *warn, const char *set)
{
	const struct xf_rule *denial = highest_denial(warn);
	struct xf_rule rule = remedy_of(&warn->login.packet, denial && denial->has & XF_RULE_DST);
	bool wins = !denial || xf_rule_rank(&rule) > xf_rule_rank(denial);
	char text[XF_RULE_TEXT_MAX];

	if (!wins) {
		rule = *denial;
		rule.ttl = 0;
	}
	xf_rule_format(&rule, text);
	xf_hint("'xdpfun-load firewall %s --set %s %s' %s; with --confirm SECONDS, which attach, "
		"policy and replace take, a mistake undoes itself",
		wins ? "add" : "del", set, text, wins ? "allows it" : "takes that rule out");
}

/* It names a MAC, and whose that is cannot be told. */
static bool unsure(const struct xf_match *match)
{
	return match->any && match->rule.has & XF_RULE_MAC && !match->packet.mac_known;
}

static void say_refused(const struct xf_ssh_warn *warn, const char *peer, const char *rule)
{
	const struct xf_match_packet *packet = &warn->login.packet;
	char device[IF_NAMESIZE], unless[IF_NAMESIZE + 80] = "";

	/* Without a rule that lets it pass it depends on the program finding its socket. */
	if (!warn->running.any && xf_fw_bound_to(packet, device))
		snprintf(unless, sizeof(unless),
			 " unless its packets come in by a device below %s, to which it is bound",
			 device);
	xf_warn("a new SSH login from %s to port %u, where this session comes from, %s denied (by "
		"%s); the session itself would go on%s",
		peer, packet->dport, unsure(&warn->login) ? "may be" : "would be", rule, unless);
}

void xf_ssh_warn__say(const struct xf_ssh_warn *warn, bool deny_policy, const char *set)
{
	const struct xf_match_packet *packet = &warn->login.packet;
	bool cut = warn->running.any && warn->running.rule.deny;
	bool refused = warn->login.any ? warn->login.rule.deny : deny_policy;
	char peer[XF_IP6_TEXT + 1], rule[XF_RULE_TEXT_MAX] = "the policy";

	if (!warn->session || (!cut && !refused))
		return;
	addr_text(packet, packet->src, peer);
	if (cut)
		xf_rule_format(&warn->running.rule, rule);
	else if (warn->login.any)
		xf_rule_format(&warn->login.rule, rule);
	if (cut)
		xf_warn("this SSH session, from %s to port %u, %s denied: by '%s'", peer,
			packet->dport, unsure(&warn->running) ? "may be" : "would be", rule);
	else
		say_refused(warn, peer, rule);
	say_hint(warn, set);
}
