// SPDX-License-Identifier: GPL-2.0-only
/* Warn whoever is about to lock himself out. */
#include "fw_warn.h"

#include <stdio.h>
#include <string.h>

#include "fw_bound.h"
#include "fw_neigh.h"
#include "fw_session.h"
#include "lib/addr.h"
#include "lib/msg.h"

void xf_fw_warn__init(struct xf_fw_warn *warn)
{
	struct xf_judge_packet *packet = &warn->login.packet;

	memset(warn, 0, sizeof(*warn));
	warn->session = xf_fw_session_find(packet);
	if (warn->session)
		packet->mac_known = xf_fw_neigh_mac(packet->family, packet->src, packet->mac);
	warn->running.packet = warn->login.packet;
	warn->running.packet.established = true;
}

bool xf_fw_warn__concerns(const struct xf_fw_warn *warn, const struct xf_rule *rule, bool added)
{
	struct xf_rule may_match = *rule;

	if (!warn->login.packet.mac_known)
		may_match.has &= ~XF_RULE_MAC;
	return warn->session && rule->deny == added &&
	       (xf_rule_matches(&may_match, &warn->login.packet) ||
		xf_rule_matches(&may_match, &warn->running.packet));
}

void xf_fw_warn__see(struct xf_fw_warn *warn, const struct xf_rule *rule)
{
	if (!warn->session)
		return;
	xf_judge__see(&warn->login, rule);
	xf_judge__see(&warn->running, rule);
}

static int see_entry(void *arg, const struct xf_table_entry *entry)
{
	xf_fw_warn__see(arg, &entry->rule);
	return 0;
}

void xf_fw_warn__see_all(struct xf_fw_warn *warn, struct xf_table *table, uint64_t now)
{
	const struct xf_judge_packet *packet = &warn->login.packet;

	if (warn->session)
		xf_table__each_about(table, now, packet->family, packet->src, packet->dst,
				     see_entry, warn);
}

static void addr_text(const struct xf_judge_packet *packet, const uint8_t *addr,
		      char text[XF_IP6_TEXT + 1])
{
	*(packet->family == 4 ? xf_ip4_text(text, addr) : xf_ip6_text(text, addr)) = '\0';
}

/* A rule that names the destination ranks before one that does not. */
static void say_hint(const struct xf_judge_packet *packet, bool with_dst, const char *set,
		     const char *peer)
{
	char dst[XF_IP6_TEXT + 1];

	addr_text(packet, packet->dst, dst);
	xf_hint(
	    "'xdpfun-load firewall add --set %s allow from %s%s%s proto tcp dport %u' allows it; "
	    "with 'attach --confirm SECONDS' a mistake undoes itself",
	    set, peer, with_dst ? " to " : "", with_dst ? dst : "", packet->dport);
}

/* It names a MAC, and whose that is cannot be told. */
static bool unsure(const struct xf_judge *judge)
{
	return judge->any && judge->rule.has & XF_RULE_MAC && !judge->packet.mac_known;
}

static void say_refused(const struct xf_fw_warn *warn, const char *peer, const char *rule)
{
	const struct xf_judge_packet *packet = &warn->login.packet;
	char device[IF_NAMESIZE], unless[IF_NAMESIZE + 80] = "";

	/* Without a rule that lets it pass it depends on the program finding its socket. */
	if (!warn->running.any && xf_fw_bound_to(packet, device))
		snprintf(unless, sizeof(unless),
			 " unless its packets come in by a device below %s, to which it is bound",
			 device);
	xf_warn("a new SSH login from %s to port %u, where this session comes from, %s denied (by "
		"%s); the session itself goes on%s",
		peer, packet->dport, unsure(&warn->login) ? "may be" : "is", rule, unless);
}

void xf_fw_warn__say(const struct xf_fw_warn *warn, bool deny_policy, const char *set)
{
	const struct xf_judge_packet *packet = &warn->login.packet;
	bool cut = warn->running.any && warn->running.rule.deny;
	bool refused = warn->login.any ? warn->login.rule.deny : deny_policy;
	char peer[XF_IP6_TEXT + 1], rule[XF_RULE_TEXT_MAX] = "the policy";
	unsigned int has;

	if (!warn->session || (!cut && !refused))
		return;
	addr_text(packet, packet->src, peer);
	if (cut)
		xf_rule_format(&warn->running.rule, rule);
	else if (warn->login.any)
		xf_rule_format(&warn->login.rule, rule);
	if (cut)
		xf_warn("this SSH session, from %s to port %u, %s denied: by '%s'", peer,
			packet->dport, unsure(&warn->running) ? "may be" : "is", rule);
	else
		say_refused(warn, peer, rule);
	has = cut ? warn->running.rule.has : warn->login.any ? warn->login.rule.has : 0;
	say_hint(packet, has & XF_RULE_DST, set, peer);
}
