// SPDX-License-Identifier: GPL-2.0-only
/* The source MAC address of a peer's packets: that of the next hop on the route to it. */
#include "loader/firewall/neigh.h"

#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* States in which a neighbour has an address. */
#define NUD_KNOWN (NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY)

struct hop {
	uint8_t family; /* 4 or 6 */
	uint8_t addr[16];
	int ifindex;
};

/* A request about an address; struct rtmsg and struct ndmsg have the same size. */
struct request {
	struct nlmsghdr head;
	union {
		struct rtmsg route;
		struct ndmsg neighbour;
	};
	struct rtattr attr;
	uint8_t addr[16];
};
_Static_assert(sizeof(struct rtmsg) == sizeof(struct ndmsg), "a request has one layout");

union reply {
	struct nlmsghdr head;
	uint8_t bytes[4096];
};

static size_t addr_len(uint8_t family)
{
	return family == 4 ? 4 : 16;
}

/* Returns whether the reply is of the kind @want. */
static bool query(int fd, struct request *request, const struct hop *about, uint16_t type,
		  uint16_t attr, union reply *reply, uint16_t want)
{
	size_t len = addr_len(about->family);
	ssize_t got;

	request->attr = (struct rtattr) { RTA_LENGTH(len), attr };
	memcpy(request->addr, about->addr, len);
	request->head = (struct nlmsghdr) {
		.nlmsg_len = offsetof(struct request, addr) + len,
		.nlmsg_type = type,
		.nlmsg_flags = NLM_F_REQUEST,
	};
	if (send(fd, request, request->head.nlmsg_len, 0) < 0)
		return false;
	got = recv(fd, reply, sizeof(*reply), 0);
	return got > 0 && NLMSG_OK(&reply->head, got) && reply->head.nlmsg_type == want;
}

/* The attribute's content in @to, if it is there and of this size. */
static bool get_attr(const union reply *reply, uint16_t type, void *to, size_t size)
{
	int left = reply->head.nlmsg_len - NLMSG_SPACE(sizeof(struct rtmsg));
	const struct rtattr *attr =
	    (const void *)(reply->bytes + NLMSG_SPACE(sizeof(struct rtmsg)));

	for (; RTA_OK(attr, left); attr = RTA_NEXT(attr, left)) {
		if (attr->rta_type != type || RTA_PAYLOAD(attr) != size)
			continue;
		memcpy(to, RTA_DATA(attr), size);
		return true;
	}
	return false;
}

/* An IPv4 route may have a gateway with an IPv6 address. */
static void get_via(const union reply *reply, struct hop *hop)
{
	struct {
		uint16_t family;
		uint8_t addr[16];
	} via;

	if (!get_attr(reply, RTA_VIA, &via, sizeof(via)) || via.family != AF_INET6)
		return;
	hop->family = 6;
	memcpy(hop->addr, via.addr, sizeof(hop->addr));
}

static bool find_hop(int fd, struct hop *hop)
{
	struct request request = {};
	union reply reply;

	request.route.rtm_family = hop->family == 4 ? AF_INET : AF_INET6;
	request.route.rtm_dst_len = 8 * addr_len(hop->family);
	if (!query(fd, &request, hop, RTM_GETROUTE, RTA_DST, &reply, RTM_NEWROUTE) ||
	    !get_attr(&reply, RTA_OIF, &hop->ifindex, sizeof(hop->ifindex)))
		return false;
	if (!get_attr(&reply, RTA_GATEWAY, hop->addr, addr_len(hop->family)))
		get_via(&reply, hop);
	return true;
}

static bool find_mac(int fd, const struct hop *hop, uint8_t mac[6])
{
	struct request request = {};
	union reply reply;

	request.neighbour.ndm_family = hop->family == 4 ? AF_INET : AF_INET6;
	request.neighbour.ndm_ifindex = hop->ifindex;
	return query(fd, &request, hop, RTM_GETNEIGH, NDA_DST, &reply, RTM_NEWNEIGH) &&
	       ((struct ndmsg *)NLMSG_DATA(&reply.head))->ndm_state & NUD_KNOWN &&
	       get_attr(&reply, NDA_LLADDR, mac, 6);
}

bool xf_fw_neigh_mac(uint8_t family, const uint8_t addr[16], uint8_t mac[6])
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct hop hop = { .family = family };
	bool found;

	if (fd < 0)
		return false;
	memcpy(hop.addr, addr, sizeof(hop.addr));
	found = find_hop(fd, &hop) && find_mac(fd, &hop, mac);
	close(fd);
	return found;
}
