// SPDX-License-Identifier: GPL-2.0-only
#include "loader/firewall/tunnels.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "lib/msg.h"
#include "lib/strbuf.h"
#include "loader/hook/links.h"

struct tunnels {
	unsigned int below;
	struct xf_strbuf names;
};

static bool is_tunnel(const char *kind)
{
	static const char *const kinds[] = {
		"vxlan", "geneve",    "gre",	"gretap", "erspan", "ip6gre", "ip6gretap",
		"ipip",	 "ip6erspan", "ip6tnl", "sit",	  "vti",    "vti6",   "xfrm",
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kind, kinds[i]))
			return true;
	return false;
}

static void see(void *arg, const struct xf_link_info *link)
{
	struct tunnels *tunnels = arg;

	if (link->lower == tunnels->below && is_tunnel(link->kind))
		xf_strbuf__add(&tunnels->names, " %s (%s)", link->name, link->kind);
}

void xf_tunnels_note(const char *ifname, unsigned int ifindex)
{
	struct tunnels tunnels = { .below = ifindex, .names = XF_STRBUF(1024) };

	if (xf_links_each(see, &tunnels) || !tunnels.names.len)
		return;
	xf_info("%s: note: of packets in tunnels rules meet the addresses of the tunnels' ends:%s",
		ifname, tunnels.names.at);
	xf_hint("'xdpfun-load firewall attach -i TUNNEL' filters what is inside");
}
