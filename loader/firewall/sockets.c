// SPDX-License-Identifier: GPL-2.0-only
/* Listening and unconnected sockets, and the processes that have them. */
#include "loader/firewall/sockets.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "firewall/rule/match.h"
#include "lib/num.h"
#include "loader/firewall/proc_net.h"

#define DHCP_CLIENT 68
#define DHCP6_CLIENT 546
#define INIT 1 /* often has the sockets of services, too */

static const struct table {
	const char *name;
	uint8_t proto;	    /* 0: of raw sockets, that is their port */
	unsigned int state; /* 0: any */
} tables[] = {
	{ "tcp", IPPROTO_TCP, XF_PROC_LISTEN },
	{ "tcp6", IPPROTO_TCP, XF_PROC_LISTEN },
	{ "udp", IPPROTO_UDP, XF_PROC_CLOSED },
	{ "udp6", IPPROTO_UDP, XF_PROC_CLOSED },
	{ "raw", 0, XF_PROC_CLOSED },
	{ "raw6", 0, XF_PROC_CLOSED },
	/* The policy lets in no answers of these. */
	{ "udplite", IPPROTO_UDPLITE, 0 },
	{ "udplite6", IPPROTO_UDPLITE, 0 },
};
static const struct table sctp = { "sctp/eps", IPPROTO_SCTP, 0 };
#define TABLES (sizeof(tables) / sizeof(tables[0]))

struct reading {
	struct xf_fw_sockets *sockets;
	const struct table *table;
};

static bool is_loopback(const struct xf_proc_end *end)
{
	return end->family == 4 ? end->addr[0] == 127
				: !memcmp(end->addr, &in6addr_loopback, sizeof(end->addr));
}

/* Packets of these pass under a policy of deny, or such a socket only listens in on them. */
static bool is_exempt(const struct xf_fw_socket *socket)
{
	switch (socket->proto) {
	case IPPROTO_TCP:
		return !socket->port;
	case IPPROTO_UDP:
		return !socket->port || socket->port == DHCP_CLIENT || socket->port == DHCP6_CLIENT;
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
	case IPPROTO_IGMP:
	case IPPROTO_RAW: /* receives nothing */
		return true;
	}
	return false;
}

static int take_socket(void *arg, const struct xf_proc_socket *from)
{
	static const uint8_t zero[16];
	struct reading *reading = arg;
	struct xf_fw_sockets *sockets = reading->sockets;
	const struct table *table = reading->table;
	struct xf_fw_socket socket = {
		.proto = table->proto ? table->proto : from->local.port,
		.family = from->local.family,
		.any_addr = !memcmp(from->local.addr, zero, sizeof(zero)),
		/* Rules know no ports of UDP-Lite. */
		.port = table->proto && table->proto != IPPROTO_UDPLITE ? from->local.port : 0,
		.inode = from->inode,
	};

	if ((table->state && from->state != table->state) || is_loopback(&from->local) ||
	    is_exempt(&socket))
		return 0;
	if (socket.any_addr && socket.family == 6)
		socket.family = 0;
	memcpy(socket.addr, from->local.addr, sizeof(socket.addr));
	if (sockets->n == sockets->space) {
		size_t space = sockets->space ? sockets->space * 2 : 64;
		struct xf_fw_socket *more = reallocarray(sockets->at, space, sizeof(*more));

		if (!more)
			return -ENOMEM;
		sockets->at = more;
		sockets->space = space;
	}
	sockets->at[sockets->n++] = socket;
	return 0;
}

int xf_fw_sockets__read(struct xf_fw_sockets *sockets)
{
	struct reading endpoints = { sockets, &sctp };
	FILE *file = xf_proc_open(getpid(), "net/sctp/eps");
	int err = xf_proc_sctp_each(file, take_socket, &endpoints);

	if (file)
		fclose(file);

	for (size_t i = 0; i < TABLES && !err; i++) {
		struct reading reading = { sockets, &tables[i] };

		err = xf_proc_net_each(getpid(), tables[i].name, take_socket, &reading);
	}
	return err;
}

void xf_fw_sockets__free(struct xf_fw_sockets *sockets)
{
	free(sockets->at);
	*sockets = (struct xf_fw_sockets) {};
}

static void read_comm(uint64_t pid, char owner[XF_FW_COMM_MAX + 1])
{
	FILE *file = xf_proc_open(pid, "comm");

	if (file && fgets(owner, XF_FW_COMM_MAX + 1, file))
		owner[strcspn(owner, "\n")] = '\0';
	if (file)
		fclose(file);
	for (char *c = owner; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
}

/* Give those of the sockets that this process has its name, if they have none. */
static void name_those_of(struct xf_fw_sockets *sockets, uint64_t pid)
{
	char path[64], link[64];
	struct dirent *entry;
	DIR *fds;

	snprintf(path, sizeof(path), "/proc/%llu/fd", (unsigned long long)pid);
	fds = opendir(path);
	while (fds && (entry = readdir(fds))) {
		ssize_t len = readlinkat(dirfd(fds), entry->d_name, link, sizeof(link) - 1);
		unsigned long inode;

		link[len < 0 ? 0 : len] = '\0';
		if (sscanf(link, "socket:[%lu]", &inode) != 1)
			continue;
		for (size_t i = 0; i < sockets->n; i++)
			if (sockets->at[i].inode == inode && !sockets->at[i].owner[0])
				read_comm(pid, sockets->at[i].owner);
	}
	if (fds)
		closedir(fds);
}

void xf_fw_sockets__name(struct xf_fw_sockets *sockets)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	uint64_t pid;

	while (proc && (entry = readdir(proc)))
		if (!xf_num_parse(entry->d_name, INIT + 1, INT32_MAX, &pid))
			name_those_of(sockets, pid);
	name_those_of(sockets, INIT);
	if (proc)
		closedir(proc);
}

bool xf_fw_rule_serves(const struct xf_rule *rule, const struct xf_fw_socket *socket)
{
	struct xf_match_packet packet = {
		.family = socket->family ? socket->family : rule->family,
		.proto = socket->proto,
		.dport = socket->port,
	};
	struct xf_rule but_peers = *rule;

	but_peers.has &= ~(XF_RULE_SRC | XF_RULE_SPORT | XF_RULE_MAC);
	if (socket->any_addr)
		but_peers.has &= ~XF_RULE_DST;
	memcpy(packet.dst, socket->addr, sizeof(packet.dst));
	if (rule->deny || !xf_rule_matches(&but_peers, &packet))
		return false;
	if (!(rule->has & (XF_RULE_SPORT | XF_RULE_MAC)) &&
	    !(rule->has & XF_RULE_SRC && rule->src.len))
		return true;
	if (!socket->port)
		return rule->has & XF_RULE_PROTO;
	/* One for answers of a port is for the ports from which clients ask. */
	return rule->has & XF_RULE_DPORT ||
	       (rule->has & XF_RULE_SPORT && socket->port >= 1024 && socket->proto == IPPROTO_UDP);
}
