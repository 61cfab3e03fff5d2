// SPDX-License-Identifier: GPL-2.0-only
/* By which MAC address a peer's packets come: the kernel's route to it, and the neighbour there. */
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

/* A question about an address; struct rtmsg and struct ndmsg have the same size. */
struct question {
	struct nlmsghdr head;
	union {
		struct rtmsg route;
		struct ndmsg neighbour;
	};
	struct rtattr attr;
	uint8_t addr[16];
};
_Static_assert(sizeof(struct rtmsg) == sizeof(struct ndmsg), "a question has one layout");

union answer {
	struct nlmsghdr head;
	uint8_t bytes[4096];
};

static size_t addr_len(uint8_t family)
{
	return family == 4 ? 4 : 16;
}

/* Returns whether the answer is of the kind @want. */
static bool ask(int fd, struct question *question, const struct hop *about, uint16_t type,
		uint16_t attr, union answer *answer, uint16_t want)
{
	size_t len = addr_len(about->family);
	ssize_t got;

	question->attr = (struct rtattr) { RTA_LENGTH(len), attr };
	memcpy(question->addr, about->addr, len);
	question->head = (struct nlmsghdr) {
		.nlmsg_len = offsetof(struct question, addr) + len,
		.nlmsg_type = type,
		.nlmsg_flags = NLM_F_REQUEST,
	};
	if (send(fd, question, question->head.nlmsg_len, 0) < 0)
		return false;
	got = recv(fd, answer, sizeof(*answer), 0);
	return got > 0 && NLMSG_OK(&answer->head, got) && answer->head.nlmsg_type == want;
}

/* The attribute's content in @to, if it is there and of this size. */
static bool take(const union answer *answer, uint16_t type, void *to, size_t size)
{
	int left = answer->head.nlmsg_len - NLMSG_SPACE(sizeof(struct rtmsg));
	const struct rtattr *attr =
	    (const void *)(answer->bytes + NLMSG_SPACE(sizeof(struct rtmsg)));

	for (; RTA_OK(attr, left); attr = RTA_NEXT(attr, left)) {
		if (attr->rta_type != type || RTA_PAYLOAD(attr) != size)
			continue;
		memcpy(to, RTA_DATA(attr), size);
		return true;
	}
	return false;
}

/* An IPv4 route may have a gateway with an IPv6 address. */
static void take_via(const union answer *answer, struct hop *hop)
{
	struct {
		uint16_t family;
		uint8_t addr[16];
	} via;

	if (!take(answer, RTA_VIA, &via, sizeof(via)) || via.family != AF_INET6)
		return;
	hop->family = 6;
	memcpy(hop->addr, via.addr, sizeof(hop->addr));
}

static bool find_hop(int fd, struct hop *hop)
{
	struct question question = {};
	union answer answer;

	question.route.rtm_family = hop->family == 4 ? AF_INET : AF_INET6;
	question.route.rtm_dst_len = 8 * addr_len(hop->family);
	if (!ask(fd, &question, hop, RTM_GETROUTE, RTA_DST, &answer, RTM_NEWROUTE) ||
	    !take(&answer, RTA_OIF, &hop->ifindex, sizeof(hop->ifindex)))
		return false;
	if (!take(&answer, RTA_GATEWAY, hop->addr, addr_len(hop->family)))
		take_via(&answer, hop);
	return true;
}

static bool find_mac(int fd, const struct hop *hop, uint8_t mac[6])
{
	struct question question = {};
	union answer answer;

	question.neighbour.ndm_family = hop->family == 4 ? AF_INET : AF_INET6;
	question.neighbour.ndm_ifindex = hop->ifindex;
	return ask(fd, &question, hop, RTM_GETNEIGH, NDA_DST, &answer, RTM_NEWNEIGH) &&
	       ((struct ndmsg *)NLMSG_DATA(&answer.head))->ndm_state & NUD_KNOWN &&
	       take(&answer, NDA_LLADDR, mac, 6);
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
