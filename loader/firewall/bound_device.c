// SPDX-License-Identifier: GPL-2.0-only
/* The kernel finds a socket that is bound to a device only when it is asked with that device, here
 * (sock_diag(7)) and from an XDP program (bpf_skc_lookup_tcp()) alike. So all are tried. */
#include "loader/firewall/bound_device.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ESTABLISHED 1 /* as in TCP_INFO; the header with its name clashes */

struct question {
	struct nlmsghdr head;
	struct inet_diag_req_v2 req;
};

static void ask_for(struct question *question, const struct xf_match_packet *packet)
{
	struct inet_diag_sockid *id = &question->req.id;

	*question = (struct question) {
		.head = {
			.nlmsg_len = sizeof(*question),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST,
		},
		.req = {
			.sdiag_family = packet->family == 4 ? AF_INET : AF_INET6,
			.sdiag_protocol = IPPROTO_TCP,
			.idiag_states = 1 << ESTABLISHED,
		},
	};
	id->idiag_sport = htons(packet->dport);
	id->idiag_dport = htons(packet->sport);
	memcpy(id->idiag_src, packet->dst, sizeof(id->idiag_src));
	memcpy(id->idiag_dst, packet->src, sizeof(id->idiag_dst));
	memset(id->idiag_cookie, 0xff, sizeof(id->idiag_cookie)); /* INET_DIAG_NOCOOKIE */
}

/* Where there is no connection the kernel answers with a listener, or not with a socket. */
static bool is_there(int fd, struct question *question, unsigned int ifindex)
{
	union {
		struct nlmsghdr head;
		uint8_t bytes[4096];
	} answer;
	ssize_t len;

	question->req.id.idiag_if = ifindex;
	if (send(fd, question, sizeof(*question), 0) < 0)
		return false;
	len = recv(fd, &answer, sizeof(answer), 0);
	return len > 0 && NLMSG_OK(&answer.head, len) &&
	       answer.head.nlmsg_type == SOCK_DIAG_BY_FAMILY &&
	       ((struct inet_diag_msg *)NLMSG_DATA(&answer.head))->idiag_state == ESTABLISHED;
}

static bool search(int fd, const struct xf_match_packet *packet, char device[IF_NAMESIZE])
{
	struct if_nameindex *all, *at;
	struct question question;
	bool found = false;

	ask_for(&question, packet);
	if (is_there(fd, &question, 0))
		return false;
	all = if_nameindex();
	for (at = all; at && at->if_index && !found; at++) {
		found = is_there(fd, &question, at->if_index);
		if (found)
			strcpy(device, at->if_name);
	}
	if (all)
		if_freenameindex(all);
	return found;
}

bool xf_fw_bound_to(const struct xf_match_packet *packet, char device[IF_NAMESIZE])
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	bool found;

	if (fd < 0)
		return false;
	found = search(fd, packet, device);
	close(fd);
	return found;
}
