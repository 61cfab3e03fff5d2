/* SPDX-License-Identifier: GPL-2.0-only */
/* UDP frames from side b of the lab to side a. */
#ifndef XF_E2E_FRAME_H
#define XF_E2E_FRAME_H

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define FRAME_MAX 9014

static const unsigned char frame_macs[] = { 2, 0, 0, 0, 9, 1, 2, 0, 0, 0, 9, 2 };

/* Make a frame of @len bytes in @buf, which is zeroed. It has a tag when @vlan is not 0. */
static inline void frame_make(unsigned char *buf, size_t len, unsigned int sport,
			      unsigned int dport, unsigned int vlan)
{
	unsigned char *at = buf + sizeof(frame_macs);
	struct iphdr ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP };
	struct udphdr udp = { .source = htons(sport), .dest = htons(dport) };
	unsigned int sum = 0;

	memset(buf, 0, len);
	memcpy(buf, frame_macs, sizeof(frame_macs));
	if (vlan) {
		*at++ = 0x81;
		*at++ = 0;
		*at++ = vlan >> 8;
		*at++ = vlan;
	}
	*at++ = 8;
	*at++ = 0;
	ip.saddr = inet_addr("10.9.0.2");
	ip.daddr = inet_addr("10.9.0.1");
	ip.tot_len = htons(buf + len - at);
	udp.len = htons(buf + len - at - sizeof(ip));
	for (size_t i = 0; i < sizeof(ip); i += 2)
		sum += ((unsigned char *)&ip)[i] << 8 | ((unsigned char *)&ip)[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	ip.check = htons(~(sum + (sum >> 16)));
	memcpy(at, &ip, sizeof(ip));
	memcpy(at + sizeof(ip), &udp, sizeof(udp));
}

/* Open a socket that sends frames on @ifname, or end the program. */
static inline int frame_socket(const char *ifname)
{
	struct sockaddr_ll addr = { .sll_family = AF_PACKET,
				    .sll_ifindex = if_nametoindex(ifname) };
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	if (fd < 0 || !addr.sll_ifindex || bind(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		perror(ifname);
		exit(2);
	}
	return fd;
}

#endif
