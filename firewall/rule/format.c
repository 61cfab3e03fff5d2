// SPDX-License-Identifier: GPL-2.0-only
/* A rule's fields back to its text. */
#include "firewall/rule/rule.h"

#include <string.h>

#include "lib/addr.h"
#include "firewall/rule/prefix.h"
#include "firewall/rule/protocols.h"

static char *put(char *out, const char *text)
{
	size_t len = strlen(text);

	memcpy(out, text, len);
	return out + len;
}

static char *put_prefix(char *out, const char *name, const struct xf_prefix *prefix, int family)
{
	return xf_rule_prefix_text(put(out, name), prefix, family);
}

static char *put_proto(char *out, uint8_t number)
{
	out = put(out, " proto ");
	for (const struct xf_rule_protocol *known = xf_rule_protocols; known->name; known++)
		if (known->number == number)
			return put(out, known->name);
	return xf_u64_text(out, number);
}

static char *put_ports(char *out, const char *name, uint16_t min, uint16_t max)
{
	out = xf_u64_text(put(out, name), min);
	if (min == max)
		return out;
	*out++ = '-';
	return xf_u64_text(out, max);
}

size_t xf_rule_format(const struct xf_rule *rule, char text[XF_RULE_TEXT_MAX])
{
	char *out = put(text, rule->deny ? "deny" : rule->protect ? "protect" : "allow");

	if (rule->has & XF_RULE_SRC)
		out = put_prefix(out, " from ", &rule->src, rule->family);
	if (rule->has & XF_RULE_DST)
		out = put_prefix(out, " to ", &rule->dst, rule->family);
	if (rule->has & XF_RULE_PROTO)
		out = put_proto(out, rule->proto);
	if (rule->has & XF_RULE_SPORT)
		out = put_ports(out, " sport ", rule->sport_min, rule->sport_max);
	if (rule->has & XF_RULE_DPORT)
		out = put_ports(out, " dport ", rule->dport_min, rule->dport_max);
	if (rule->has & XF_RULE_MAC)
		out = xf_mac_text(put(out, " ether "), rule->mac);
	if (rule->has & XF_RULE_ESTABLISHED)
		out = put(out, " established");
	if (rule->ttl)
		out = xf_u64_text(put(out, " ttl "), rule->ttl);
	*out = '\0';
	return out - text;
}
