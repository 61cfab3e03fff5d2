// SPDX-License-Identifier: GPL-2.0-only
/* How the interfaces hang together: a dump of rtnetlink(7). */
#include "loader/hook/links.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void copy_text(char *out, size_t size, const struct rtattr *attr)
{
	size_t len = strnlen(RTA_DATA(attr), RTA_PAYLOAD(attr));

	if (len >= size)
		len = size - 1;
	memcpy(out, RTA_DATA(attr), len);
	out[len] = '\0';
}

static unsigned int number(const struct rtattr *attr)
{
	unsigned int n = 0;

	if (RTA_PAYLOAD(attr) == sizeof(n))
		memcpy(&n, RTA_DATA(attr), sizeof(n));
	return n;
}

/* Some kernels say only here which interface is below a vxlan device. */
static void read_vxlan(const struct rtattr *data, struct xf_link_info *link)
{
	const struct rtattr *attr = RTA_DATA(data);

	for (int len = RTA_PAYLOAD(data); RTA_OK(attr, len); attr = RTA_NEXT(attr, len))
		if (attr->rta_type == IFLA_VXLAN_LINK)
			link->lower = number(attr);
}

static void read_kinds(const struct rtattr *info, struct xf_link_info *link)
{
	const struct rtattr *attr = RTA_DATA(info);

	for (int len = RTA_PAYLOAD(info); RTA_OK(attr, len); attr = RTA_NEXT(attr, len)) {
		if (attr->rta_type == IFLA_INFO_KIND)
			copy_text(link->kind, sizeof(link->kind), attr);
		else if (attr->rta_type == IFLA_INFO_SLAVE_KIND)
			copy_text(link->slave_kind, sizeof(link->slave_kind), attr);
		else if (attr->rta_type == IFLA_INFO_DATA && !strcmp(link->kind, "vxlan"))
			read_vxlan(attr, link);
	}
}

static bool has_program(const struct rtattr *xdp)
{
	const struct rtattr *attr = RTA_DATA(xdp);

	for (int len = RTA_PAYLOAD(xdp); RTA_OK(attr, len); attr = RTA_NEXT(attr, len))
		if (attr->rta_type == IFLA_XDP_ATTACHED)
			return *(uint8_t *)RTA_DATA(attr) != XDP_ATTACHED_NONE;
	return false;
}

static void read_link(const struct nlmsghdr *msg, struct xf_link_info *link)
{
	const struct ifinfomsg *info = NLMSG_DATA(msg);
	const struct rtattr *attr = IFLA_RTA(info);
	bool elsewhere = false;

	*link = (struct xf_link_info) { .ifindex = info->ifi_index };
	for (int len = IFLA_PAYLOAD(msg); RTA_OK(attr, len); attr = RTA_NEXT(attr, len)) {
		if (attr->rta_type == IFLA_IFNAME)
			copy_text(link->name, sizeof(link->name), attr);
		else if (attr->rta_type == IFLA_LINK)
			link->lower = number(attr);
		else if (attr->rta_type == IFLA_MASTER)
			link->master = number(attr);
		else if (attr->rta_type == IFLA_LINKINFO)
			read_kinds(attr, link);
		else if (attr->rta_type == IFLA_XDP)
			link->has_program = has_program(attr);
		else if (attr->rta_type == IFLA_LINK_NETNSID)
			elsewhere = true;
	}
	if (elsewhere)
		link->lower = 0;
}

/* Returns 1 while there is more, 0 at the end, or -errno. */
static int read_answer(int fd, void (*fn)(void *arg, const struct xf_link_info *link), void *arg)
{
	char buf[32768] __attribute__((aligned(NLMSG_ALIGNTO)));
	ssize_t got = recv(fd, buf, sizeof(buf), 0);
	struct xf_link_info link;

	if (got < 0)
		return -errno;
	for (struct nlmsghdr *msg = (void *)buf; NLMSG_OK(msg, (size_t)got);
	     msg = NLMSG_NEXT(msg, got)) {
		if (msg->nlmsg_type == NLMSG_DONE)
			return 0;
		if (msg->nlmsg_type == NLMSG_ERROR)
			return ((struct nlmsgerr *)NLMSG_DATA(msg))->error;
		if (msg->nlmsg_type != RTM_NEWLINK)
			continue;
		read_link(msg, &link);
		fn(arg, &link);
	}
	return 1;
}

int xf_links_each(void (*fn)(void *arg, const struct xf_link_info *link), void *arg)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg info;
	} request = { .head = { .nlmsg_len = sizeof(request),
				.nlmsg_type = RTM_GETLINK,
				.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP } };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), ret = 1;

	if (fd < 0)
		return -errno;
	if (send(fd, &request, sizeof(request), 0) < 0)
		ret = -errno;
	while (ret > 0)
		ret = read_answer(fd, fn, arg);
	close(fd);
	return ret;
}
