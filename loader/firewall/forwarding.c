// SPDX-License-Identifier: GPL-2.0-only
/* Whether packets come in by an interface that are for others behind this machine. */
#include "loader/firewall/forwarding.h"

#include <stdio.h>
#include <string.h>

#include "lib/msg.h"
#include "loader/hook/links.h"

/* A setting of an interface below /proc/sys/net, or 0. */
static int setting(const char *family, const char *ifname, const char *name)
{
	char path[128];
	int value = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family, ifname, name);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "%d", &value) != 1)
		value = 0;
	fclose(file);
	return value;
}

/* IPv4 by the interface by which packets come in; IPv6 by one setting for all of them, which newer
 * kernels let single interfaces overrule. */
static bool warn_routed(const char *ifname)
{
	bool ip4 = setting("ipv4", ifname, "forwarding");
	bool ip6 =
	    setting("ipv6", "all", "forwarding") || setting("ipv6", ifname, "force_forwarding");

	if (ip4 || ip6)
		xf_warn("%s: this machine forwards %s for others; under the policy deny packets "
			"for them pass only by rules, also answers to containers, virtual machines "
			"and networks behind it",
			ifname,
			!ip4   ? "IPv6"
			: !ip6 ? "IPv4"
			       : "IPv4 and IPv6");
	return ip4 || ip6;
}

struct search {
	const char *ifname;
	struct xf_link_info own;
	bool found;
};

static void find_own(void *arg, const struct xf_link_info *link)
{
	struct search *search = arg;

	if (!strcmp(link->name, search->ifname))
		search->own = *link;
}

static bool shares_frames(const struct xf_link_info *link)
{
	static const char *const kinds[] = { "macvlan", "macvtap", "ipvlan", "ipvtap" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(link->kind, kinds[i]))
			return true;
	return false;
}

static void warn_linked(void *arg, const struct xf_link_info *link)
{
	struct search *search = arg;
	const struct xf_link_info *own = &search->own;

	if (own->master == link->ifindex &&
	    (!strcmp(own->slave_kind, "bridge") || !strcmp(own->slave_kind, "openvswitch")))
		xf_warn("%s is a port of the bridge %s; under the policy deny packets for "
			"containers, virtual machines and others on it pass only by rules",
			own->name, link->name);
	else if (own->ifindex == link->lower && shares_frames(link))
		xf_warn("%s gets its packets from %s; under the policy deny those for it pass only "
			"by rules",
			link->name, own->name);
	else
		return;
	search->found = true;
}

bool xf_fw_forwards_warn(const char *ifname)
{
	struct search search = { .ifname = ifname };

	search.found = warn_routed(ifname);
	if (!xf_links_each(find_own, &search) && search.own.ifindex)
		xf_links_each(warn_linked, &search);
	return search.found;
}
