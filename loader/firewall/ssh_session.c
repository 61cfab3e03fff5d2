// SPDX-License-Identifier: GPL-2.0-only
/* The SSH session in which this process runs. */
#include "loader/firewall/ssh_session.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/num.h"
#include "loader/firewall/proc_net.h"

#define ANCESTORS_MAX 64
#define VARIABLE "SSH_CONNECTION="

static const char *const servers[] = { "sshd", "sshd-session", "dropbear" };

static bool read_addr(char *text, struct xf_proc_end *end)
{
	uint8_t addr[16] = { [10] = 0xff, [11] = 0xff };

	text[strcspn(text, "%")] = '\0'; /* the scope of a link-local one */
	if (inet_pton(AF_INET, text, addr + 12) != 1 && inet_pton(AF_INET6, text, addr) != 1)
		return false;
	xf_proc_take_addr(addr, end);
	return true;
}

static struct xf_match_packet packet_between(const struct xf_proc_end *from,
					     const struct xf_proc_end *to)
{
	struct xf_match_packet packet = {
		.family = from->family,
		.proto = IPPROTO_TCP,
		.sport = from->port,
		.dport = to->port,
	};

	memcpy(packet.src, from->addr, sizeof(packet.src));
	memcpy(packet.dst, to->addr, sizeof(packet.dst));
	return packet;
}

/* "192.0.2.7 50000 192.0.2.1 22" */
static bool read_variable(const char *text, struct xf_match_packet *packet)
{
	char src[64], sport[8], dst[64], dport[8], rest;
	struct xf_proc_end peer, own;
	uint64_t from, to;

	if (sscanf(text, "%63s %7s %63s %7s%c", src, sport, dst, dport, &rest) != 4 ||
	    !read_addr(src, &peer) || !read_addr(dst, &own) || peer.family != own.family ||
	    xf_num_parse(sport, 1, UINT16_MAX, &from) || xf_num_parse(dport, 1, UINT16_MAX, &to))
		return false;
	peer.port = from;
	own.port = to;
	*packet = packet_between(&peer, &own);
	return true;
}

static bool by_environment(int pid, struct xf_match_packet *packet)
{
	FILE *file = xf_proc_open(pid, "environ");
	char *entry = NULL;
	size_t size = 0;
	bool found = false;

	while (file && !found && getdelim(&entry, &size, '\0', file) > 0)
		found = !strncmp(entry, VARIABLE, strlen(VARIABLE)) &&
			read_variable(entry + strlen(VARIABLE), packet);
	free(entry);
	if (file)
		fclose(file);
	return found;
}

struct wanted {
	unsigned long inode;
	struct xf_match_packet *packet;
};

static int take_connection(void *arg, const struct xf_proc_socket *socket)
{
	const struct wanted *wanted = arg;

	if (socket->state != XF_PROC_ESTABLISHED || socket->inode != wanted->inode)
		return 0;
	*wanted->packet = packet_between(&socket->remote, &socket->local);
	return 1;
}

/* The connection of an SSH server: the first one that it has; the others are forwarded ones. */
static bool by_socket(int pid, struct xf_match_packet *packet)
{
	char path[64], link[64];
	struct wanted wanted = { .packet = packet };
	bool found = false;

	for (int fd = 0; !found && fd < 64; fd++) {
		ssize_t len;

		snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
		len = readlink(path, link, sizeof(link) - 1);
		if (len <= 0)
			continue;
		link[len] = '\0';
		found = sscanf(link, "socket:[%lu]", &wanted.inode) == 1 &&
			(xf_proc_net_each(pid, "tcp", take_connection, &wanted) ||
			 xf_proc_net_each(pid, "tcp6", take_connection, &wanted));
	}
	return found;
}

/* Returns 0 when there is no such process. */
static int parent_of(int pid, bool *is_server)
{
	FILE *file = xf_proc_open(pid, "stat");
	char text[256] = "", *name, *end = NULL;
	int parent = 0;

	*is_server = false;
	if (file && fgets(text, sizeof(text), file))
		end = strrchr(text, ')'); /* the name may have parentheses, too */
	if (file)
		fclose(file);
	name = strchr(text, '(');
	if (!end || !name || sscanf(end, ") %*c %d", &parent) != 1)
		return 0;
	*end = '\0';
	for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++)
		*is_server |= !strcmp(name + 1, servers[i]);
	return parent;
}

bool xf_fw_session_find(struct xf_match_packet *packet)
{
	const char *own = getenv("SSH_CONNECTION");
	int pid = getpid();

	if (own && read_variable(own, packet))
		return true;
	for (int i = 0; pid > 0 && i < ANCESTORS_MAX; i++) {
		bool is_server;
		int parent = parent_of(pid, &is_server);

		if (by_environment(pid, packet) || (is_server && by_socket(pid, packet)))
			return true;
		pid = parent;
	}
	return false;
}
