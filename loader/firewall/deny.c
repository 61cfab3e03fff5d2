// SPDX-License-Identifier: GPL-2.0-only
/* Warn of what a policy of deny is about to cut off. */
#include "loader/firewall/deny.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/msg.h"
#include "lib/time.h"
#include "loader/firewall/forwarding.h"
#include "loader/firewall/programs.h"
#include "loader/firewall/sockets.h"

#define SHOWN_MAX 24  /* sockets */
#define TEXT_MAX 1024 /* enough for these */

/* Leave only those that the rule does not serve. */
static int drop_served(void *arg, const struct xf_ruleset_rule *found)
{
	struct xf_fw_sockets *sockets = arg;
	const struct xf_rule *rule = &found->rule;
	size_t n = 0;

	/* Of these there may be a million, and none serves one. */
	if (rule->deny || (rule->has == XF_RULE_SRC && rule->src.len))
		return 0;
	for (size_t i = 0; i < sockets->n; i++)
		if (!xf_fw_rule_serves(rule, &sockets->at[i]))
			sockets->at[n++] = sockets->at[i];
	sockets->n = n;
	return 0;
}

/* Sockets that read the same are next to each other; those without an owner are last. */
static int compare(const void *left, const void *right)
{
	const struct xf_fw_socket *a = left, *b = right;
	int order = !a->owner[0] - !b->owner[0];

	if (!order)
		order = strcmp(a->owner, b->owner);
	if (!order)
		order = a->proto - b->proto;
	return order ? order : a->port - b->port;
}

static const char *proto_name(const struct xf_fw_socket *socket)
{
	if (!socket->port)
		return "proto";
	return socket->proto == IPPROTO_TCP ? "tcp" : socket->proto == IPPROTO_UDP ? "udp" : "sctp";
}

/* "nginx tcp 80, 443; dnsmasq udp 53; udp 51820" */
static void describe(const struct xf_fw_sockets *sockets, char text[TEXT_MAX])
{
	const struct xf_fw_socket *last = NULL, *at = sockets->at;
	size_t len = 0, shown = 0;

	text[0] = '\0';
	for (; at < sockets->at + sockets->n && shown < SHOWN_MAX; at++) {
		bool same = last && !strcmp(last->owner, at->owner);

		if (last && !compare(last, at))
			continue;
		len += snprintf(text + len, TEXT_MAX - len, "%s", !last ? "" : same ? ", " : "; ");
		if (!same && at->owner[0])
			len += snprintf(text + len, TEXT_MAX - len, "%s ", at->owner);
		if (!same || strcmp(proto_name(last), proto_name(at)))
			len += snprintf(text + len, TEXT_MAX - len, "%s ", proto_name(at));
		len += snprintf(text + len, TEXT_MAX - len, "%u", at->port ? at->port : at->proto);
		last = at;
		shown++;
	}
	if (at < sockets->at + sockets->n)
		snprintf(text + len, TEXT_MAX - len, " and more");
}

/* Of the rule that would serve the first of them. */
static void hint_rule(const struct xf_fw_deny *deny, const struct xf_fw_socket *socket)
{
	if (socket->port)
		xf_hint("'xdpfun-load firewall add --set %s allow proto %s dport %u' would let "
			"all in to the first of them",
			deny->set->pins.name, proto_name(socket), socket->port);
	else
		xf_hint(
		    "'xdpfun-load firewall add --set %s allow proto %u' would let all in to the "
		    "first of them",
		    deny->set->pins.name, socket->proto);
}

/* Returns whether there was something to say. */
static bool warn_of_sockets(const struct xf_fw_deny *deny)
{
	struct xf_fw_sockets sockets = {};
	char text[TEXT_MAX];
	bool any;

	if (xf_fw_sockets__read(&sockets))
		xf_warn("cannot keep a list of the sockets that wait for packets: some that the "
			"policy deny cuts off may be missing below");
	xf_ruleset__each(deny->set->ruleset, xf_now_ns(CLOCK_BOOTTIME), drop_served, &sockets);
	any = sockets.n;
	if (any) {
		xf_fw_sockets__name(&sockets);
		qsort(sockets.at, sockets.n, sizeof(*sockets.at), compare);
		describe(&sockets, text);
		xf_warn("under the policy deny only peers that rules allow reach these sockets of "
			"this machine: %s",
			text);
		hint_rule(deny, &sockets.at[0]);
	}
	xf_fw_sockets__free(&sockets);
	return any;
}

static bool is_among(const struct xf_strs *names, const char *name)
{
	for (unsigned int i = 0; i < names->n; i++)
		if (!strcmp(names->at[i], name))
			return true;
	return false;
}

/* The interfaces whose packets meet it from now on. Returns whether any is there, and in *@any
 * whether there was something to say. */
static bool warn_of_interfaces(const struct xf_fw_deny *deny, bool *any)
{
	const struct xf_strs all = {};
	struct xf_fw_place *places;
	int n = xf_fw_places(&places, &all, xf_fw_pins__root_id(&deny->set->pins));
	bool here = false;

	for (unsigned int i = 0; i < deny->interfaces->n; i++) {
		const char *name = deny->interfaces->at[i];

		if (!deny->begins && xf_fw_place_on(name, places, n))
			continue;
		here = true;
		*any |= xf_fw_forwards_warn(name);
	}
	for (int i = 0; i < n && deny->begins; i++) {
		here = true;
		if (!is_among(deny->interfaces, places[i].ifname))
			*any |= xf_fw_forwards_warn(places[i].ifname);
	}
	free(places);
	return here;
}

void xf_fw_deny_warn(const struct xf_fw_deny *deny)
{
	bool any = false;

	if (!warn_of_interfaces(deny, &any))
		return;
	any |= warn_of_sockets(deny);
	if (any && deny->undo && deny->trial)
		xf_hint(
		    "'%s' takes it back; '%s' in its place would do so by itself, unless 'firewall "
		    "confirm' comes within a minute",
		    deny->undo, deny->trial);
	else if (any && deny->undo)
		xf_hint("'%s' takes it back", deny->undo);
}
