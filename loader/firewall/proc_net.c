// SPDX-License-Identifier: GPL-2.0-only
/* The tables of sockets in /proc/PID/net. */
#include "loader/firewall/proc_net.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

void xf_proc_take_addr(const uint8_t addr[16], struct xf_proc_end *end)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	memset(end->addr, 0, sizeof(end->addr));
	end->family = memcmp(addr, mapped, sizeof(mapped)) ? 6 : 4;
	if (end->family == 6)
		memcpy(end->addr, addr, 16);
	else
		memcpy(end->addr, addr + 12, 4);
}

FILE *xf_proc_open(int pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return fopen(path, "re");
}

/* The kernel prints addresses as words in host byte order. */
static bool read_end(const char *text, unsigned int port, struct xf_proc_end *end)
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
	xf_proc_take_addr(addr, end);
	end->port = port;
	return true;
}

int xf_proc_net_each(int pid, const char *table,
		     int (*fn)(void *arg, const struct xf_proc_socket *socket), void *arg)
{
	char path[32], line[512], local[40], remote[40];
	unsigned int local_port, remote_port;
	struct xf_proc_socket socket;
	FILE *file;
	int ret = 0;

	snprintf(path, sizeof(path), "net/%s", table);
	file = xf_proc_open(pid, path);
	while (file && !ret && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*s %39[0-9A-F]:%x %39[0-9A-F]:%x %x %*s %*s %*s %*s %*s %lu",
			   local, &local_port, remote, &remote_port, &socket.state,
			   &socket.inode) == 6 &&
		    read_end(local, local_port, &socket.local) &&
		    read_end(remote, remote_port, &socket.remote))
			ret = fn(arg, &socket);
	}
	if (file)
		fclose(file);
	return ret;
}

static bool read_sctp_addr(const char *text, struct xf_proc_end *end)
{
	uint8_t addr[16];

	text += *text == '*'; /* the primary one */
	memset(end->addr, 0, sizeof(end->addr));
	end->family = 4;
	if (inet_pton(AF_INET, text, end->addr) == 1)
		return true;
	if (inet_pton(AF_INET6, text, addr) != 1)
		return false;
	xf_proc_take_addr(addr, end);
	return true;
}

int xf_proc_sctp_each(FILE *file, int (*fn)(void *arg, const struct xf_proc_socket *socket),
		      void *arg)
{
	char line[4096], *word, *rest;
	unsigned int port;
	int at, ret = 0;

	while (file && !ret && fgets(line, sizeof(line), file)) {
		struct xf_proc_socket socket = {};

		if (sscanf(line, "%*s %*s %*s %u %*s %u %*s %lu %n", &socket.state, &port,
			   &socket.inode, &at) != 3)
			continue;
		word = strtok_r(line + at, " \n", &rest);
		for (; word && !ret; word = strtok_r(NULL, " \n", &rest)) {
			if (!read_sctp_addr(word, &socket.local))
				continue;
			socket.local.port = port;
			ret = fn(arg, &socket);
		}
	}
	return ret;
}
