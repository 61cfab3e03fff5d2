// SPDX-License-Identifier: GPL-2.0-only
/* A TCP client that cuts its stream into any segments: out of order, repeated, overlapping.
 *
 *   segments IFACE FROM ADDR:PORT LO-HI|MS...
 *
 * Sends the bytes LO to HI of the pattern for each LO-HI, waits for MS milliseconds, sends a FIN
 * behind the highest byte, and waits until all bytes are acknowledged, or ends with status 1. FROM
 * is an address that no interface has, so that no kernel answers for it; the frames go to side a of
 * the lab. */
#include <poll.h>
#include <stdbool.h>
#include <unistd.h>
#define __FAVOR_BSD
#include <netinet/tcp.h>

#include "frame.h"
#include "pattern.h"

#define MSS 1400
#define PATIENCE_MS 90000 /* ends a test that hangs */
#define FIRST 1000u	  /* sequence number of the first byte */

struct client {
	int fd;
	uint32_t src, dst; /* network byte order */
	uint16_t sport, dport;
	uint32_t next_in,
	    acked; /* the next byte of the other end; the bytes that it has acknowledged */
	bool connected, reset;
};

static uint32_t sum_of(const void *data, size_t len, uint32_t sum)
{
	const uint8_t *at = data;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += at[i] << 8 | at[i + 1];
	return len % 2 ? sum + (at[len - 1] << 8) : sum;
}

static uint16_t folded(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

static void send_segment(const struct client *c, uint32_t seq, uint8_t flags, uint64_t lo,
			 size_t len)
{
	struct iphdr ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP };
	struct tcphdr tcp = { .th_off = 5, .th_flags = flags, .th_win = htons(65535) };
	uint8_t frame[14 + sizeof(ip) + sizeof(tcp) + MSS] = {}, *at = frame + sizeof(frame_macs);

	memcpy(frame, frame_macs, sizeof(frame_macs));
	*at = 8;
	at += 2;
	ip.saddr = c->src;
	ip.daddr = c->dst;
	ip.tot_len = htons(sizeof(ip) + sizeof(tcp) + len);
	ip.check = folded(sum_of(&ip, sizeof(ip), 0));
	memcpy(at, &ip, sizeof(ip));
	at += sizeof(ip);
	tcp.th_sport = c->sport;
	tcp.th_dport = c->dport;
	tcp.th_seq = htonl(seq);
	tcp.th_ack = htonl(flags & TH_ACK ? c->next_in : 0);
	for (size_t i = 0; i < len; i++)
		at[sizeof(tcp) + i] = pattern(lo + i);
	memcpy(at, &tcp, sizeof(tcp));
	tcp.th_sum = folded(
	    sum_of(at, sizeof(tcp) + len, sum_of(&ip.saddr, 8, IPPROTO_TCP + sizeof(tcp) + len)));
	memcpy(at, &tcp, sizeof(tcp));
	if (send(c->fd, frame, 14 + sizeof(ip) + sizeof(tcp) + len, 0) < 0) {
		perror("segments: send");
		exit(1);
	}
}

/* Take a frame for this client, and acknowledge its bytes. */
static void take(struct client *c, const uint8_t *frame, size_t len)
{
	struct tcphdr tcp;
	struct iphdr ip;
	uint32_t bytes;

	if (len < 14 + sizeof(ip) + sizeof(tcp) || frame[12] != 8 || frame[13])
		return;
	memcpy(&ip, frame + 14, sizeof(ip));
	memcpy(&tcp, frame + 14 + sizeof(ip), sizeof(tcp));
	if (ip.daddr != c->src || ip.protocol != IPPROTO_TCP || tcp.th_dport != c->sport)
		return;
	c->reset |= !!(tcp.th_flags & TH_RST);
	if (tcp.th_flags & TH_ACK)
		c->acked = ntohl(tcp.th_ack);
	bytes =
	    ntohs(ip.tot_len) - sizeof(ip) - tcp.th_off * 4 + !!(tcp.th_flags & (TH_SYN | TH_FIN));
	if (bytes && (!c->connected || ntohl(tcp.th_seq) == c->next_in)) {
		c->connected = true;
		c->next_in = ntohl(tcp.th_seq) + bytes;
		send_segment(c, c->acked, TH_ACK, 0, 0);
	}
}

/* Take frames until all bytes up to @until are acknowledged, or until none comes for @ms. */
static void listen_for(struct client *c, int ms, uint32_t until)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };
	uint8_t frame[FRAME_MAX];
	ssize_t len;

	while (c->acked != until && poll(&p, 1, ms) > 0) {
		len = recv(c->fd, frame, sizeof(frame), MSG_DONTWAIT);
		if (len > 0)
			take(c, frame, len);
	}
}

static int hearing_socket(const char *ifname)
{
	struct sockaddr_ll addr = { .sll_family = AF_PACKET,
				    .sll_protocol = htons(ETH_P_IP),
				    .sll_ifindex = if_nametoindex(ifname) };
	int fd = frame_socket(ifname);

	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		perror(ifname);
		exit(2);
	}
	return fd;
}

int main(int argc, char **argv)
{
	char *colon = argc > 4 ? strchr(argv[3], ':') : NULL, *end;
	uint64_t lo, hi, last = 0;
	struct client c = {};

	if (!colon) {
		fprintf(stderr, "usage: segments IFACE FROM ADDR:PORT LO-HI|MS...\n");
		return 2;
	}
	*colon = 0;
	c.src = inet_addr(argv[2]);
	c.dst = inet_addr(argv[3]);
	c.sport = htons(20000 + getpid() % 10000);
	c.dport = htons(atoi(colon + 1));
	c.fd = hearing_socket(argv[1]);
	send_segment(&c, FIRST - 1, TH_SYN, 0, 0);
	listen_for(&c, PATIENCE_MS, FIRST);
	if (!c.connected || c.reset) {
		fprintf(stderr, "segments: no connection\n");
		return 1;
	}
	for (int i = 4; i < argc; i++) {
		lo = strtoull(argv[i], &end, 10);
		hi = *end == '-' ? strtoull(end + 1, NULL, 10) : 0;
		if (!hi)
			listen_for(&c, lo, FIRST - 1);
		else
			send_segment(&c, FIRST + lo, TH_ACK, lo, hi - lo < MSS ? hi - lo : MSS);
		last = hi > last ? hi : last;
	}
	send_segment(&c, FIRST + last, TH_ACK | TH_FIN, 0, 0);
	listen_for(&c, PATIENCE_MS, FIRST + last + 1);
	printf("acknowledged %d of %llu%s\n", (int)(c.acked - FIRST), (unsigned long long)last + 1,
	       c.reset ? ", reset" : "");
	return c.acked != FIRST + last + 1;
}
