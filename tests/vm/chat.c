// SPDX-License-Identifier: GPL-2.0-only
/* Sockets that ask, and one that answers, to find out which packets get through.
 *
 *   chat serve PORT...      send back what comes, by TCP and UDP, IPv4 and IPv6
 *   chat ask MS TARGET...   a new socket for each
 *   chat keep MS ADDR PORT  one TCP connection for all lines of stdin; prints what comes back
 *
 * ask prints a word for each target, in one line: "yes" when its answer came, "refused", or "no"
 * after so many milliseconds. A TARGET is tcp,ADDR,PORT or udp,ADDR,PORT, or loose,ADDR,PORT: UDP
 * from a socket that is not connected. Then may follow ,SOURCE[,PORT]: the address and port to come
 * from. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKETS 64

union addr {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static void die(const char *what)
{
	fprintf(stderr, "chat: %s: %s\n", what, errno ? strerror(errno) : "bad argument");
	exit(2);
}

static void read_addr(union addr *addr, const char *text, const char *port)
{
	memset(addr, 0, sizeof(*addr));
	addr->in.sin_port = htons(port ? atoi(port) : 0); /* both families have it there */
	if (inet_pton(AF_INET, text, &addr->in.sin_addr) == 1)
		addr->any.sa_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &addr->in6.sin6_addr) == 1)
		addr->any.sa_family = AF_INET6;
	else
		die(text);
}

/* ---- the one that answers ---- */

static void listen_on(int fd, const char *port)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(atoi(port)) };
	int one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)))
		die(port);
}

/* Returns whether the socket goes on. */
static int answer(int fd)
{
	char buf[1500];
	union addr from;
	socklen_t len = sizeof(from);
	ssize_t n = recvfrom(fd, buf, sizeof(buf), MSG_DONTWAIT, &from.any, &len);

	if (n < 0)
		return errno == EAGAIN;
	/* TCP does not say from whom. */
	sendto(fd, buf, n, MSG_NOSIGNAL, len ? &from.any : NULL, len);
	return n > 0;
}

static int serve(char **ports, int n)
{
	struct pollfd fds[SOCKETS];
	int used = 2 * n, fd;

	if (used > SOCKETS / 2)
		die("too many ports");
	for (int i = 0; i < n; i++) {
		fds[i] = (struct pollfd) { socket(AF_INET6, SOCK_STREAM, 0), POLLIN, 0 };
		listen_on(fds[i].fd, ports[i]);
		listen(fds[i].fd, SOCKETS);
		fds[n + i] = (struct pollfd) { socket(AF_INET6, SOCK_DGRAM, 0), POLLIN, 0 };
		listen_on(fds[n + i].fd, ports[i]);
	}
	puts("serving");
	fflush(stdout);
	while (poll(fds, used, -1) > 0) {
		for (int i = used - 1; i >= 0; i--) {
			if (!fds[i].revents)
				continue;
			if (i < n) {
				fd = accept(fds[i].fd, NULL, NULL);
				if (fd >= 0 && used < SOCKETS)
					fds[used++] = (struct pollfd) { fd, POLLIN, 0 };
			} else if (!answer(fds[i].fd) && i >= 2 * n) {
				close(fds[i].fd);
				fds[i] = fds[--used];
			}
		}
	}
	return 1;
}

/* ---- those that ask ---- */

/* Returns 0, or -1 with errno. */
static int connect_within(int fd, const union addr *to, int ms)
{
	struct pollfd writable = { .fd = fd, .events = POLLOUT };
	socklen_t len = sizeof(errno);

	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (!connect(fd, &to->any, sizeof(*to)))
		return 0;
	if (errno != EINPROGRESS)
		return -1;
	errno = ETIMEDOUT;
	if (poll(&writable, 1, ms) <= 0)
		return -1;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &errno, &len);
	return errno ? -1 : 0;
}

/* Returns the length of what came, or -1 with errno. */
static ssize_t receive_within(int fd, char *buf, size_t size, int ms)
{
	struct pollfd readable = { .fd = fd, .events = POLLIN };

	errno = ETIMEDOUT;
	return poll(&readable, 1, ms) > 0 ? recv(fd, buf, size, 0) : -1;
}

static const char *ask(char *target, int ms)
{
	char *kind = strtok(target, ","), *to = strtok(NULL, ","), *port = strtok(NULL, ",");
	char *from = strtok(NULL, ","), *from_port = strtok(NULL, ","), buf[16];
	union addr addr, source;
	int one = 1, fd, ret = 0;
	bool loose;

	errno = 0;
	if (!port)
		die("target");
	loose = !strcmp(kind, "loose");
	read_addr(&addr, to, port);
	fd = socket(addr.any.sa_family, strcmp(kind, "tcp") ? SOCK_DGRAM : SOCK_STREAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (from) {
		read_addr(&source, from, from_port);
		if (bind(fd, &source.any, sizeof(source)))
			die(from);
	}
	if (!loose)
		ret = connect_within(fd, &addr, ms);
	if (!ret && sendto(fd, "hello", 5, MSG_NOSIGNAL, loose ? &addr.any : NULL,
			   loose ? sizeof(addr) : 0) < 0)
		ret = -1;
	if (!ret && receive_within(fd, buf, sizeof(buf), ms) != 5)
		ret = -1;
	close(fd);
	return !ret ? "yes" : errno == ECONNREFUSED ? "refused" : "no";
}

static int keep(int ms, const char *to, const char *port)
{
	int fd = -1;
	char buf[1500];
	union addr addr;
	ssize_t n;

	read_addr(&addr, to, port);
	fd = socket(addr.any.sa_family, SOCK_STREAM, 0);
	if (connect_within(fd, &addr, ms))
		die("connect");
	while (fgets(buf, sizeof(buf), stdin)) {
		send(fd, buf, strlen(buf), MSG_NOSIGNAL);
		n = receive_within(fd, buf, sizeof(buf) - 1, ms);
		if (n <= 0)
			die("answer");
		buf[n] = '\0';
		fputs(buf, stdout);
		fflush(stdout);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "serve"))
		return serve(argv + 2, argc - 2);
	if (argc == 5 && !strcmp(argv[1], "keep"))
		return keep(atoi(argv[2]), argv[3], argv[4]);
	if (argc < 4 || strcmp(argv[1], "ask")) {
		fputs("usage: chat serve PORT... | ask MS TARGET... | keep MS ADDR PORT\n", stderr);
		return 2;
	}
	for (int i = 3; i < argc; i++)
		printf("%s%s", i > 3 ? " " : "", ask(argv[i], atoi(argv[2])));
	puts("");
	return 0;
}
