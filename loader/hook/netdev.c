// SPDX-License-Identifier: GPL-2.0-only
/* Network interfaces: their names, and netlink notifications about them. */
#include "loader/hook/netdev.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_arp.h>
#include <linux/if_tunnel.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lib/msg.h"
#include "lib/strbuf.h"
#include "xdp-prog/abi.h"

#define NETLINK_BUFFER (1 << 20) /* bytes: a burst of changes on a machine with many interfaces */
#define LINK_BUFFER (1 << 15)	 /* bytes: the properties of one interface */
#define NAME_SIZE 128		 /* with the NUL; ALTIFNAMSIZ is not in <net/if.h> */

static bool is_up(int fd, const char *name)
{
	struct ifreq req = {};

	strncpy(req.ifr_name, name, IF_NAMESIZE - 1);
	return !ioctl(fd, SIOCGIFFLAGS, &req) && (req.ifr_flags & IFF_UP);
}

/* Append the names of the interfaces that are up, as " eth0 lo". */
static void add_up(struct xf_strbuf *text)
{
	struct if_nameindex *all = if_nameindex();
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (struct if_nameindex *i = all; i && i->if_index; i++)
		if (is_up(fd, i->if_name))
			xf_strbuf__add(text, " %s", i->if_name);
	if (all)
		if_freenameindex(all);
	if (fd >= 0)
		close(fd);
}

static void read_attributes(struct nlmsghdr *msg, struct xf_netdev_event *event)
{
	struct ifinfomsg *info = NLMSG_DATA(msg);
	int len = IFLA_PAYLOAD(msg);

	for (struct rtattr *attr = IFLA_RTA(info); RTA_OK(attr, len); attr = RTA_NEXT(attr, len)) {
		if (attr->rta_type == IFLA_IFNAME)
			strncpy(event->name, RTA_DATA(attr), IF_NAMESIZE - 1);
		else if (attr->rta_type == IFLA_NEW_NETNSID && event->kind == XF_NETDEV_DELETED)
			event->kind = XF_NETDEV_MOVED;
	}
}

/* One message of the kernel; or a request for one interface, and the reply in its place. */
union link_message {
	struct nlmsghdr head;
	char bytes[LINK_BUFFER];
};

/* The kernel compares IFLA_ALT_IFNAME with all names, also with the first one. */
static void put_request(union link_message *msg, const char *name)
{
	size_t len = strlen(name) + 1;
	struct rtattr *attr;

	memset(msg, 0, NLMSG_SPACE(sizeof(struct ifinfomsg)) + RTA_SPACE(NAME_SIZE));
	msg->head = (struct nlmsghdr) { .nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
					.nlmsg_type = RTM_GETLINK,
					.nlmsg_flags = NLM_F_REQUEST };
	attr = (struct rtattr *)(msg->bytes + NLMSG_ALIGN(msg->head.nlmsg_len));
	attr->rta_type = IFLA_ALT_IFNAME;
	attr->rta_len = RTA_LENGTH(len);
	memcpy(RTA_DATA(attr), name, len);
	msg->head.nlmsg_len = NLMSG_ALIGN(msg->head.nlmsg_len) + RTA_ALIGN(attr->rta_len);
}

/* Ask the kernel about one interface. Returns 0 with its answer in @msg, or -errno. */
static int ask_link(union link_message *msg, const char *name)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), err = 0;
	ssize_t got = -1;

	if (fd < 0)
		return -errno;
	put_request(msg, name);
	if (send(fd, msg, msg->head.nlmsg_len, 0) >= 0)
		got = recv(fd, msg, sizeof(*msg), 0);
	if (got < 0)
		err = -errno;
	close(fd);
	if (err)
		return err;
	if (!NLMSG_OK(&msg->head, (size_t)got))
		return -EPROTO;
	if (msg->head.nlmsg_type == NLMSG_ERROR)
		return ((struct nlmsgerr *)NLMSG_DATA(&msg->head))->error;
	return msg->head.nlmsg_type == RTM_NEWLINK ? 0 : -EPROTO;
}

int xf_netdev_lookup(const char *name, struct xf_netdev *dev)
{
	struct xf_netdev_event event = {};
	union link_message msg;
	int err;

	if (!*name || strlen(name) >= NAME_SIZE)
		return -ENODEV;
	err = ask_link(&msg, name);
	if (err)
		return err;
	read_attributes(&msg.head, &event);
	dev->ifindex = ((struct ifinfomsg *)NLMSG_DATA(&msg.head))->ifi_index;
	memcpy(dev->name, event.name, sizeof(dev->name));
	return 0;
}

static const struct rtattr *find_attribute(const struct rtattr *attr, int len, unsigned short type)
{
	for (; RTA_OK(attr, len); attr = RTA_NEXT(attr, len))
		if ((attr->rta_type & NLA_TYPE_MASK) == type)
			return attr;
	return NULL;
}

static const struct rtattr *find_inside(const struct rtattr *nest, unsigned short type)
{
	return nest ? find_attribute(RTA_DATA(nest), RTA_PAYLOAD(nest), type) : NULL;
}

/* Before 5.14 the outer headers stood before the packet of a tunnel when XDP saw it. */
static bool kernel_shows_outer_headers(void)
{
	unsigned int major, minor;
	struct utsname uts;

	return !uname(&uts) && sscanf(uts.release, "%u.%u", &major, &minor) == 2 &&
	       (major < 5 || (major == 5 && minor < 14));
}

/* For a GRE device whose remote end each packet names, or is a group, the kernel puts the outer
 * header at the beginning of the frame. */
static int gre_frames(const char *name)
{
	const struct rtattr *remote, *data;
	union link_message msg;
	const uint8_t *addr;
	int err = ask_link(&msg, name);

	if (err)
		return err;
	remote = IFLA_RTA(NLMSG_DATA(&msg.head));
	data = find_attribute(remote, IFLA_PAYLOAD(&msg.head), IFLA_LINKINFO);
	remote = find_attribute(remote, IFLA_PAYLOAD(&msg.head), IFLA_BROADCAST);
	if (find_inside(find_inside(data, IFLA_INFO_DATA), IFLA_GRE_COLLECT_METADATA))
		return XF_LINK_IP;
	addr = remote ? RTA_DATA(remote) : NULL;
	if (!remote || (RTA_PAYLOAD(remote) != 4 && RTA_PAYLOAD(remote) != 16))
		return -EADDRNOTAVAIL;
	if (RTA_PAYLOAD(remote) == 4)
		return addr[0] && addr[0] < 224 ? XF_LINK_IP : -EADDRNOTAVAIL;
	return memcmp(addr, &in6addr_any, 16) && addr[0] != 0xff ? XF_LINK_IP : -EADDRNOTAVAIL;
}

int xf_netdev_find(const char *name, struct xf_netdev *dev)
{
	int err = xf_netdev_lookup(name, dev);
	struct xf_strbuf up = XF_STRBUF(1024);

	if (!err)
		return 0;
	if (err != -ENODEV) {
		xf_err("cannot look up interface '%s': %s", name, strerror(-err));
		return err;
	}
	xf_err("no interface is called '%s'", name);
	add_up(&up);
	if (up.len)
		xf_hint("these are up:%s; choose with -i", up.at);
	else
		xf_hint("no interface is up in this network namespace");
	return err;
}

int xf_netdev_frames(const char *name, unsigned int *type)
{
	struct ifreq req = {};
	int err = 0, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	strncpy(req.ifr_name, name, IF_NAMESIZE - 1);
	if (ioctl(fd, SIOCGIFHWADDR, &req))
		err = -errno;
	close(fd);
	if (err)
		return err;
	*type = req.ifr_hwaddr.sa_family;
	switch (*type) {
	case ARPHRD_ETHER:
	case ARPHRD_LOOPBACK:
		return XF_LINK_ETHER;
	case ARPHRD_NONE:
	case ARPHRD_PPP:
	case ARPHRD_RAWIP:
		return XF_LINK_IP;
	case ARPHRD_TUNNEL:
	case ARPHRD_TUNNEL6:
	case ARPHRD_SIT:
		return kernel_shows_outer_headers() ? -EOPNOTSUPP : XF_LINK_IP;
	case ARPHRD_IPGRE:
	case ARPHRD_IP6GRE:
		return kernel_shows_outer_headers() ? -EOPNOTSUPP : gre_frames(name);
	default:
		return -EPROTONOSUPPORT;
	}
}

int xf_netdev_watch(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
	int size = NETLINK_BUFFER, err;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

/* Call @fn for each link in @len bytes of messages. Returns whether the end of a list is in them.
 */
static bool deliver(void *buf, size_t len,
		    void (*fn)(void *ctx, const struct xf_netdev_event *event), void *ctx)
{
	for (struct nlmsghdr *msg = buf; NLMSG_OK(msg, len); msg = NLMSG_NEXT(msg, len)) {
		const struct ifinfomsg *info = NLMSG_DATA(msg);
		struct xf_netdev_event event = {};

		if (msg->nlmsg_type == NLMSG_DONE || msg->nlmsg_type == NLMSG_ERROR)
			return true;
		if (msg->nlmsg_type != RTM_NEWLINK && msg->nlmsg_type != RTM_DELLINK)
			continue;
		/* A notification of a bridge port is about the bridge. */
		if (info->ifi_family != AF_UNSPEC)
			continue;
		event.kind = msg->nlmsg_type == RTM_DELLINK ? XF_NETDEV_DELETED : XF_NETDEV_CHANGED;
		event.ifindex = info->ifi_index;
		event.up = info->ifi_flags & IFF_UP;
		read_attributes(msg, &event);
		fn(ctx, &event);
	}
	return false;
}

void xf_netdev_read(int fd, void (*fn)(void *ctx, const struct xf_netdev_event *event), void *ctx)
{
	union link_message buf;
	ssize_t got;

	while ((got = recv(fd, &buf, sizeof(buf), 0)) > 0 || (got < 0 && errno == ENOBUFS)) {
		if (got < 0)
			fn(ctx, &(struct xf_netdev_event) { .kind = XF_NETDEV_MISSED });
		else
			deliver(&buf, got, fn, ctx);
	}
}

int xf_netdev_each(void (*fn)(void *ctx, const struct xf_netdev_event *event), void *ctx)
{
	struct {
		struct nlmsghdr head;
		struct ifinfomsg info;
	} request = {
		.head = { .nlmsg_len = sizeof(request),
			  .nlmsg_type = RTM_GETLINK,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	union link_message buf;
	ssize_t got = 0;
	bool done = false;
	int err = 0;

	if (fd < 0)
		return -errno;
	if (send(fd, &request, sizeof(request), 0) < 0)
		err = -errno;
	while (!err && !done) {
		got = recv(fd, &buf, sizeof(buf), 0);
		if (got > 0)
			done = deliver(&buf, got, fn, ctx);
		else
			err = got < 0 ? -errno : -EPROTO;
	}
	close(fd);
	return err;
}

void xf_netdev_warn_offloads(const char *name)
{
	struct ethtool_value value = { .cmd = ETHTOOL_GFLAGS };
	struct ifreq req = { .ifr_data = (void *)&value };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strncpy(req.ifr_name, name, IF_NAMESIZE - 1);
	if (fd >= 0 && !ioctl(fd, SIOCETHTOOL, &req) && (value.data & ETH_FLAG_RXVLAN)) {
		xf_warn("%s: rx-vlan-offload is on: VLAN tags are taken off before XDP sees the "
			"packet, and the log does not show them",
			name);
		xf_hint("'ethtool -K %s rxvlan off' shows them", name);
	}
	if (fd >= 0)
		close(fd);
}
