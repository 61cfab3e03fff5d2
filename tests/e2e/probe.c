// SPDX-License-Identifier: GPL-2.0-only
/* One TCP connection in steps, with the result and time of each.
 *
 *   probe connect|listen|listen-briefly ADDR:PORT STEP...
 *
 * listen waits for its client as long as a test that hangs may take, listen-briefly three seconds.
 * Each step prints a line "MS STEP RESULT" with the time of its end (CLOCK_MONOTONIC in ms), or of
 * its beginning for fin, rst and close, whose effect may come before this process runs again. send=
 * sends a pattern by position, and received bytes are compared with it, except those of text=. A
 * step on a dead connection prints so, and the next one goes on; the exit status is 1 after wrong
 * bytes, and without a connection. */
#include <arpa/inet.h>
#include <errno.h>
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

#include "pattern.h"

#define TIMEOUT_MS 15000
#define ACCEPT_MS 90000
#define ACCEPT_BRIEFLY_MS 3000

struct probe {
	int fd;
	uint64_t sent, received; /* positions in the pattern */
	bool wrong;
	struct sockaddr_in addr;
};

static const char usage[] =
    "usage: probe connect|listen|listen-briefly ADDR:PORT STEP...\n"
    "  rcvbuf=N    before the connection is there; must come first\n"
    "  send=N      bytes of the pattern            text=STRING, hex=DIGITS, file=NAME  other "
    "bytes\n"
    "  dribble=N   send=N byte by byte, 2 ms each\n"
    "  oob=N       send=N, the last byte as urgent data (MSG_OOB)\n"
    "  read=N      until N bytes have come         skip=N  the same for bytes of no pattern\n"
    "  end         until the end of what comes: 'N eof', 'N reset' or 'N timeout'\n"
    "  dead        until the connection is reset, without reading\n"
    "  fill        send the pattern until nothing goes for 300 ms, or the connection is reset\n"
    "  sleep=MS    fin (no more to send)           rst     close\n";

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

static void die(const char *what)
{
	fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
	exit(1);
}

static const char *broken(void)
{
	switch (errno) {
	case ECONNRESET:
	case EPIPE:
		return "reset";
	case EAGAIN:
		return "timeout";
	default:
		return strerror(errno);
	}
}

static bool wait_for(int fd, short events, int ms)
{
	struct pollfd p = { .fd = fd, .events = events };

	return poll(&p, 1, ms) > 0;
}

static const char *send_bytes(struct probe *p, const void *data, size_t len, uint64_t *done,
			      int timeout)
{
	ssize_t n;

	while (len) {
		n = send(p->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN && wait_for(p->fd, POLLOUT, timeout))
			continue;
		if (n < 0)
			return broken();
		data = (const char *)data + n;
		len -= n;
		*done += n;
	}
	return "ok";
}

static const char *send_pattern(struct probe *p, uint64_t len, uint64_t *done, int timeout)
{
	const char *result = "ok";
	uint64_t end = p->sent + len;
	uint8_t buf[65536];
	size_t n;

	while (p->sent < end && !strcmp(result, "ok")) {
		uint64_t before = *done;

		for (n = 0; n < sizeof(buf) && p->sent + n < end; n++)
			buf[n] = pattern(p->sent + n);
		result = send_bytes(p, buf, n, done, timeout);
		p->sent += *done - before;
	}
	return result;
}

/* Send @len bytes, which are few, as one segment. */
static const char *send_urgent(struct probe *p, uint64_t len, uint64_t *done)
{
	uint8_t buf[1024];
	ssize_t n;

	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = pattern(p->sent + i);
	n = send(p->fd, buf, len < sizeof(buf) ? len : sizeof(buf), MSG_OOB | MSG_NOSIGNAL);
	if (n < 0)
		return broken();
	p->sent += n;
	*done += n;
	return "ok";
}

static const char *dribble(struct probe *p, uint64_t len, uint64_t *done)
{
	const char *result = "ok";

	while (*done < len && !strcmp(result, "ok")) {
		result = send_pattern(p, 1, done, TIMEOUT_MS);
		usleep(2000);
	}
	return result;
}

static const char *send_hex(struct probe *p, const char *hex, uint64_t *done)
{
	uint8_t buf[1024];
	size_t n = 0;
	unsigned int byte;

	while (n < sizeof(buf) && sscanf(hex + 2 * n, "%2x", &byte) == 1)
		buf[n++] = byte;
	return send_bytes(p, buf, n, done, TIMEOUT_MS);
}

static const char *send_file(struct probe *p, const char *name, uint64_t *done)
{
	static uint8_t buf[65536];
	FILE *f = fopen(name, "re");
	size_t n;

	if (!f)
		die(name);
	n = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	return send_bytes(p, buf, n, done, TIMEOUT_MS);
}

/* Read up to @len bytes; "ok" when so many came. */
static const char *read_bytes(struct probe *p, uint64_t len, bool check, uint64_t *done)
{
	uint8_t buf[65536];
	ssize_t n;

	while (*done < len) {
		n = recv(p->fd, buf, len - *done < sizeof(buf) ? len - *done : sizeof(buf),
			 MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN && wait_for(p->fd, POLLIN, TIMEOUT_MS))
			continue;
		if (n < 0)
			return broken();
		if (!n)
			return "eof";
		for (ssize_t i = 0; check && i < n && !p->wrong; i++) {
			p->wrong = buf[i] != pattern(p->received + i);
			if (p->wrong)
				fprintf(stderr, "probe: the byte at %llu is wrong\n",
					(unsigned long long)(p->received + i));
		}
		p->received += check ? n : 0;
		*done += n;
	}
	return "ok";
}

/* POLLHUP without an error means that both ends have sent FIN. */
static const char *wait_dead(struct probe *p)
{
	struct pollfd poll_fd = { .fd = p->fd };
	int err = 0;
	socklen_t len = sizeof(err);

	if (poll(&poll_fd, 1, TIMEOUT_MS) <= 0)
		return "timeout";
	getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &err, &len);
	errno = err;
	return err ? broken() : "hangup";
}

static void shut(struct probe *p, bool reset)
{
	struct linger linger = { .l_onoff = 1 };

	if (reset)
		setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(p->fd);
}

static bool is(const char *step, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(step, name, len) && (step[len] == '=' || !step[len]);
}

static void run(struct probe *p, const char *step)
{
	const char *value = strchr(step, '='), *result = "ok";
	uint64_t n, done = 0, at = now_ms();

	value = value ? value + 1 : "";
	n = strtoull(value, NULL, 10);
	if (is(step, "send"))
		result = send_pattern(p, n, &done, TIMEOUT_MS);
	else if (is(step, "fill"))
		result = send_pattern(p, UINT64_MAX >> 1, &done, 300);
	else if (is(step, "dribble"))
		result = dribble(p, n, &done);
	else if (is(step, "oob"))
		result = send_urgent(p, n, &done);
	else if (is(step, "text"))
		result = send_bytes(p, value, strlen(value), &done, TIMEOUT_MS);
	else if (is(step, "hex"))
		result = send_hex(p, value, &done);
	else if (is(step, "file"))
		result = send_file(p, value, &done);
	else if (is(step, "read") || is(step, "skip"))
		result = read_bytes(p, n, is(step, "read"), &done);
	else if (is(step, "end"))
		result = read_bytes(p, UINT64_MAX, true, &done);
	else if (is(step, "dead"))
		result = wait_dead(p);
	else if (is(step, "sleep"))
		usleep(n * 1000);
	else if (is(step, "fin"))
		shutdown(p->fd, SHUT_WR);
	else if (is(step, "rst") || is(step, "close"))
		shut(p, is(step, "rst"));
	else {
		fprintf(stderr, "probe: no step '%s'\n%s", step, usage);
		exit(2);
	}
	if (!is(step, "fin") && !is(step, "rst") && !is(step, "close"))
		at = now_ms();
	printf("%llu %.*s %llu %s\n", (unsigned long long)at, (int)strcspn(step, "="), step,
	       (unsigned long long)done, result);
}

static void open_socket(struct probe *p, const char *first)
{
	int one = 1, size;

	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(p->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (first && is(first, "rcvbuf")) {
		size = atoi(first + 7);
		setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	}
}

static void wait_for_client(struct probe *p, int limit_ms)
{
	int listener = p->fd;

	if (bind(listener, (struct sockaddr *)&p->addr, sizeof(p->addr)) || listen(listener, 1))
		die("listen");
	printf("%llu listen 0 ok\n", (unsigned long long)now_ms());
	if (!wait_for(listener, POLLIN, limit_ms)) {
		printf("%llu accept 0 timeout\n", (unsigned long long)now_ms());
		exit(0);
	}
	p->fd = accept(listener, NULL, NULL);
	if (p->fd < 0)
		die("accept");
	close(listener);
}

int main(int argc, char **argv)
{
	struct probe p = {};
	char *colon = argc > 2 ? strchr(argv[2], ':') : NULL;
	int i = 3;

	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGPIPE, SIG_IGN);
	if (!colon) {
		fputs(usage, stderr);
		return 2;
	}
	*colon = 0;
	p.addr.sin_family = AF_INET;
	p.addr.sin_port = htons(atoi(colon + 1));
	if (inet_pton(AF_INET, argv[2], &p.addr.sin_addr) != 1) {
		fputs(usage, stderr);
		return 2;
	}
	open_socket(&p, argv[3]);
	if (argv[3] && is(argv[3], "rcvbuf"))
		i++;
	if (!strncmp(argv[1], "listen", 6))
		wait_for_client(&p, argv[1][6] ? ACCEPT_BRIEFLY_MS : ACCEPT_MS);
	else if (connect(p.fd, (struct sockaddr *)&p.addr, sizeof(p.addr)))
		die("connect");
	printf("%llu %s 0 ok\n", (unsigned long long)now_ms(),
	       argv[1][0] == 'l' ? "accept" : "connect");
	for (; i < argc; i++)
		run(&p, argv[i]);
	return p.wrong;
}
