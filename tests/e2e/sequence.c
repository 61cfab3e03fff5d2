// SPDX-License-Identifier: GPL-2.0-only
/* sequence send ADDR SECONDS GAP_US PORT...   numbered UDP datagrams, each number to every port
 * sequence receive PORT...                    until SIGTERM, then a line for each port:
 *                                             "PORT received N missing N"
 * A number is missing when it did not come and a larger one did. */
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PORTS_MAX 8
#define RECEIVE_BUFFER (64 << 20)

static volatile sig_atomic_t stop;

static void on_term(int sig)
{
	(void)sig;
	stop = 1;
}

static void need(bool sound, const char *what)
{
	if (sound)
		return;
	perror(what);
	exit(1);
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static int send_all(char **argv, int ports)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = inet_addr(argv[2]) };
	double end = seconds() + atof(argv[3]);
	long gap_us = atol(argv[4]);
	struct timespec gap = { .tv_sec = gap_us / 1000000, .tv_nsec = gap_us % 1000000 * 1000 };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	uint64_t number = 0;

	need(fd >= 0, "socket");
	for (; !stop && seconds() < end; number++) {
		for (int i = 0; i < ports; i++) {
			to.sin_port = htons(atoi(argv[5 + i]));
			/* A port without a listener causes ICMP errors, which are ignored. */
			if (sendto(fd, &number, sizeof(number), 0, (void *)&to, sizeof(to)) < 0)
				sendto(fd, &number, sizeof(number), 0, (void *)&to, sizeof(to));
		}
		nanosleep(&gap, NULL);
	}
	printf("sent %llu\n", (unsigned long long)number);
	return 0;
}

static int listen_on(const char *port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), size = RECEIVE_BUFFER;

	need(fd >= 0 && !bind(fd, (void *)&addr, sizeof(addr)), port);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return fd;
}

static int receive_all(char **argv, int ports)
{
	uint64_t received[PORTS_MAX] = {}, next[PORTS_MAX] = {}, number;
	struct pollfd fds[PORTS_MAX];

	for (int i = 0; i < ports; i++)
		fds[i] = (struct pollfd) { .fd = listen_on(argv[2 + i]), .events = POLLIN };
	puts("ready");
	fflush(stdout);
	/* After the signal read the rest of the buffers. */
	while (poll(fds, ports, stop ? 0 : 50) > 0 || !stop)
		for (int i = 0; i < ports; i++) {
			if (recv(fds[i].fd, &number, sizeof(number), MSG_DONTWAIT) !=
			    sizeof(number))
				continue;
			received[i]++;
			if (number >= next[i])
				next[i] = number + 1;
		}
	for (int i = 0; i < ports; i++)
		printf("%s received %llu missing %llu\n", argv[2 + i],
		       (unsigned long long)received[i],
		       (unsigned long long)(next[i] - received[i]));
	return 0;
}

int main(int argc, char **argv)
{
	signal(SIGTERM, on_term);
	if (argc > 5 && argc <= 5 + PORTS_MAX && !strcmp(argv[1], "send"))
		return send_all(argv, argc - 5);
	if (argc > 2 && argc <= 2 + PORTS_MAX && !strcmp(argv[1], "receive"))
		return receive_all(argv, argc - 2);
	fprintf(stderr, "usage: sequence send ADDR SECONDS GAP_US PORT... | receive PORT...\n");
	return 2;
}
