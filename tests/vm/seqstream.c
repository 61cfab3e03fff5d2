// SPDX-License-Identifier: GPL-2.0-only
/* A UDP stream in which every missing and every misplaced packet shows.
 *
 *   seqstream send ADDR PORT INTERVAL_US [COUNT]   until COUNT packets, or SIGTERM
 *   seqstream recv PORT TIMEOUT_SECONDS            until the sender says that it is done
 *
 * The sender ends with a few packets that carry the total, so that the receiver can also notice
 * that the last packets are missing. recv ends with 0 only when every packet came exactly once, in
 * order. */
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define END_PACKETS 20
#define END_PAUSE_US 20000

struct packet {
	uint64_t seq; /* big endian; the total in an end packet */
	uint64_t end; /* not zero in an end packet */
};

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static long number(const char *s, long max)
{
	char *end;
	long val;

	errno = 0;
	val = strtol(s, &end, 10);
	if (errno || end == s || *end || val < 0 || val > max) {
		fprintf(stderr, "seqstream: bad number '%s'\n", s);
		exit(2);
	}
	return val;
}

static int udp_socket(const char *addr, long port, struct sockaddr_in *sin)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0) {
		perror("seqstream: socket");
		exit(1);
	}
	*sin = (struct sockaddr_in) { .sin_family = AF_INET, .sin_port = htons(port) };
	if (inet_pton(AF_INET, addr, &sin->sin_addr) != 1) {
		fprintf(stderr, "seqstream: bad address '%s'\n", addr);
		exit(2);
	}
	return fd;
}

static void pause_us(long us)
{
	struct timespec ts = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };

	nanosleep(&ts, NULL);
}

static int do_send(const char *addr, long port, long interval_us, uint64_t count)
{
	struct sockaddr_in to;
	int fd = udp_socket(addr, port, &to);
	uint64_t sent = 0;
	int i;

	if (connect(fd, (struct sockaddr *)&to, sizeof(to))) {
		perror("seqstream: connect");
		return 1;
	}
	while (!stop && sent < count) {
		struct packet pkt = { .seq = htobe64(sent) };

		/* A refusal of the other side (ICMP) is no loss on the way: recv tells what came.
		 */
		if (send(fd, &pkt, sizeof(pkt), 0) < 0 && errno != ECONNREFUSED) {
			perror("seqstream: send");
			return 1;
		}
		sent++;
		pause_us(interval_us);
	}
	for (i = 0; i < END_PACKETS; i++) {
		struct packet pkt = { .seq = htobe64(sent), .end = 1 };

		if (send(fd, &pkt, sizeof(pkt), 0) < 0)
			break; /* the receiver has understood and gone */
		pause_us(END_PAUSE_US);
	}
	printf("sent %llu\n", (unsigned long long)sent);
	return 0;
}

static int do_recv(long port, long timeout)
{
	struct timeval tv = { .tv_sec = timeout };
	uint64_t next = 0, received = 0, misplaced = 0, total = 0;
	struct sockaddr_in from;
	int fd = udp_socket("0.0.0.0", port, &from);
	int size = 4 << 20;
	bool ended = false;

	/* A socket buffer that overflows must not look like a packet lost on the way. */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (bind(fd, (struct sockaddr *)&from, sizeof(from))) {
		perror("seqstream: bind");
		return 1;
	}
	printf("listening\n");
	fflush(stdout);
	while (!ended) {
		struct packet pkt;
		ssize_t len = recv(fd, &pkt, sizeof(pkt), 0);

		if (len < 0) {
			perror("seqstream: recv");
			break;
		}
		if (len != sizeof(pkt))
			continue;
		if (pkt.end) {
			total = be64toh(pkt.seq);
			ended = true;
			break;
		}
		if (be64toh(pkt.seq) != next)
			misplaced++;
		next = be64toh(pkt.seq) + 1;
		received++;
	}
	printf("received %llu of %llu, misplaced %llu%s\n", (unsigned long long)received,
	       (unsigned long long)total, (unsigned long long)misplaced,
	       ended ? "" : ", and the end never came");
	return ended && received == total && !misplaced && received ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct sigaction sa = { .sa_handler = on_signal };

	sigaction(SIGTERM, &sa, NULL);
	if (argc >= 5 && argc <= 6 && !strcmp(argv[1], "send"))
		return do_send(argv[2], number(argv[3], 65535), number(argv[4], 10000000),
			       argc == 6 ? (uint64_t)number(argv[5], 1L << 40) : UINT64_MAX);
	if (argc == 4 && !strcmp(argv[1], "recv"))
		return do_recv(number(argv[2], 65535), number(argv[3], 3600));
	fprintf(stderr, "usage: seqstream send ADDR PORT INTERVAL_US [COUNT]\n"
			"       seqstream recv PORT TIMEOUT_SECONDS\n");
	return 2;
}
