// SPDX-License-Identifier: GPL-2.0-only
/* The SSH session in which this process runs. */
#include "loader/firewall/ssh_session.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/num.h"

#define ANCESTORS_MAX 64
#define VARIABLE "SSH_CONNECTION="

static const char *const servers[] = { "sshd", "sshd-session", "dropbear" };

/* An IPv4 client has an IPv4-mapped address on an IPv6 socket. */
static void take_addr(const uint8_t addr[16], uint8_t *family, uint8_t out[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	memset(out, 0, 16);
	*family = memcmp(addr, mapped, sizeof(mapped)) ? 6 : 4;
	if (*family == 6)
		memcpy(out, addr, 16);
	else
		memcpy(out, addr + 12, 4);
}

static bool read_addr(char *text, uint8_t *family, uint8_t out[16])
{
	uint8_t addr[16] = { [10] = 0xff, [11] = 0xff };

	text[strcspn(text, "%")] = '\0'; /* the scope of a link-local one */
	if (inet_pton(AF_INET, text, addr + 12) != 1 && inet_pton(AF_INET6, text, addr) != 1)
		return false;
	take_addr(addr, family, out);
	return true;
}

/* "192.0.2.7 50000 192.0.2.1 22" */
static bool read_variable(const char *text, struct xf_match_packet *packet)
{
	char src[64], sport[8], dst[64], dport[8], rest;
	uint64_t from, to;
	uint8_t family;

	*packet = (struct xf_match_packet) { .proto = IPPROTO_TCP };
	if (sscanf(text, "%63s %7s %63s %7s%c", src, sport, dst, dport, &rest) != 4 ||
	    !read_addr(src, &packet->family, packet->src) ||
	    !read_addr(dst, &family, packet->dst) || family != packet->family ||
	    xf_num_parse(sport, 1, UINT16_MAX, &from) || xf_num_parse(dport, 1, UINT16_MAX, &to))
		return false;
	packet->sport = from;
	packet->dport = to;
	return true;
}

static FILE *open_proc(int pid, const char *file)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, file);
	return fopen(path, "re");
}

static bool by_environment(int pid, struct xf_match_packet *packet)
{
	FILE *file = open_proc(pid, "environ");
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

/* The kernel prints addresses as words in host byte order. */
static bool read_hex_addr(const char *text, uint8_t *family, uint8_t out[16])
{
	uint8_t addr[16] = { [10] = 0xff, [11] = 0xff };
	size_t words = strlen(text) / 8;
	uint32_t word[4];

	if (words != 1 && words != 4)
		return false;
	for (size_t i = 0; i < words; i++)
		if (sscanf(text + 8 * i, "%8x", &word[i]) != 1)
			return false;
	memcpy(addr + 16 - 4 * words, word, 4 * words);
	take_addr(addr, family, out);
	return true;
}

/* An established connection by the inode of its socket, in one of /proc/PID/net/tcp and tcp6. */
static bool by_inode(int pid, const char *table, unsigned long inode,
		     struct xf_match_packet *packet)
{
	FILE *file = open_proc(pid, table);
	char line[512], local[40], remote[40];
	unsigned int local_port, remote_port, state;
	unsigned long its_inode;
	uint8_t family;
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*s %39[0-9A-F]:%x %39[0-9A-F]:%x %x %*s %*s %*s %*s %*s %lu",
			   local, &local_port, remote, &remote_port, &state, &its_inode) != 6 ||
		    state != 1 || its_inode != inode)
			continue;
		*packet = (struct xf_match_packet) { .proto = IPPROTO_TCP,
						     .sport = remote_port,
						     .dport = local_port };
		found = read_hex_addr(remote, &packet->family, packet->src) &&
			read_hex_addr(local, &family, packet->dst);
	}
	if (file)
		fclose(file);
	return found;
}

/* The connection of an SSH server: the first one that it has; the others are forwarded ones. */
static bool by_socket(int pid, struct xf_match_packet *packet)
{
	char path[64], link[64];
	unsigned long inode;
	bool found = false;

	for (int fd = 0; !found && fd < 64; fd++) {
		ssize_t len;

		snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
		len = readlink(path, link, sizeof(link) - 1);
		if (len <= 0)
			continue;
		link[len] = '\0';
		found = sscanf(link, "socket:[%lu]", &inode) == 1 &&
			(by_inode(pid, "net/tcp", inode, packet) ||
			 by_inode(pid, "net/tcp6", inode, packet));
	}
	return found;
}

/* Returns 0 when there is no such process. */
static int parent_of(int pid, bool *is_server)
{
	FILE *file = open_proc(pid, "stat");
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
