// SPDX-License-Identifier: GPL-2.0-only
/* observer --listen PORT [--upstream PORT --client-ports FILE --server-ports FILE] [--verbose]
 *
 * Samples how many bytes a relay in this network namespace holds: every 10 ms it reads the kernel's
 * counters of all TCP connections by sock_diag. The relay holds the bytes that its kernel has
 * acknowledged to senders, less those that receivers have acknowledged to it, in both directions.
 * For an echo (no --upstream) both are of the same socket. The two sockets of a connection are
 * found by the files that its ends write: lines "ID PORT", with the client's port and the one that
 * the relay dialled from.
 *
 * On SIGTERM or SIGINT it prints one line: the most bytes that one connection held, both directions
 * together, and that all held; the most connections in a sample, and the most of which both sockets
 * were known; the number of samples, the time from the first to the last, and the longest between
 * two, in ms. A dump of thousands of sockets takes milliseconds; bytes that move meanwhile make the
 * figure inexact. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PERIOD_NS 10000000L
#define IDS (1 << 16) /* the size of the table of ids */

/* One of the relay's sockets. The counters stay when it is gone: its bytes are still held while the
 * other socket exists. */
struct sock {
	uint64_t seen;	   /* number of the last sample that had it */
	uint64_t received; /* acknowledged to the sender */
	uint64_t acked;	   /* by the receiver */
};

struct observer {
	unsigned int listen, upstream;
	const char *files[2];
	FILE *ports[2];
	bool verbose;
	int diag;
	struct sock client[65536]; /* by the client's port */
	struct sock server[65536]; /* by the relay's own port */
	uint16_t peer[65536];	   /* client's port to the relay's own port; 0: not known */
	struct {
		uint64_t id;
		uint16_t port[2];
	} ids[IDS];
	uint64_t max_one, max_all, looks;
	uint64_t first, last, max_gap; /* ms */
	unsigned int max_conns, max_pairs;
};

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static void die(const char *what)
{
	fprintf(stderr, "observer: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- the pairs of sockets ---- */

static void note_id(struct observer *o, uint64_t id, int side, unsigned int port)
{
	size_t at = id * 0x9e3779b97f4a7c15ULL >> 48;

	while (o->ids[at].id && o->ids[at].id != id)
		at = (at + 1) % IDS;
	o->ids[at].id = id;
	o->ids[at].port[side] = port;
	if (o->ids[at].port[0] && o->ids[at].port[1])
		o->peer[o->ids[at].port[0]] = o->ids[at].port[1];
}

/* Read the whole lines that were added. */
static void read_ports(struct observer *o, int side)
{
	unsigned long long id;
	char line[64];
	unsigned int port;
	long at;

	if (!o->files[side] || (!o->ports[side] && !(o->ports[side] = fopen(o->files[side], "r"))))
		return;
	clearerr(o->ports[side]);
	for (at = ftell(o->ports[side]); fgets(line, sizeof(line), o->ports[side]);
	     at = ftell(o->ports[side])) {
		if (!strchr(line, '\n')) {
			fseek(o->ports[side], at, SEEK_SET);
			return;
		}
		if (sscanf(line, "%llu %u", &id, &port) == 2 && port < 65536)
			note_id(o, id, side, port);
	}
}

/* ---- the kernel's counters ---- */

static void ask(struct observer *o, int family)
{
	struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 req;
	} msg = {
		.head = { .nlmsg_len = sizeof(msg),
			  .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.req = { .sdiag_family = family,
			 .sdiag_protocol = IPPROTO_TCP,
			 .idiag_ext = 1 << (INET_DIAG_INFO - 1),
			 /* all states but LISTEN and TIME_WAIT, which has no counters */
			 .idiag_states = ~(1U << 10 | 1U << 6) },
	};

	if (send(o->diag, &msg, sizeof(msg), 0) < 0)
		die("sock_diag");
}

static const struct tcp_info *info_of(const struct nlmsghdr *head, struct tcp_info *copy)
{
	const struct inet_diag_msg *msg = NLMSG_DATA(head);
	const struct nlattr *attr = (const void *)(msg + 1);
	int left = (int)(head->nlmsg_len - NLMSG_LENGTH(sizeof(*msg)));

	while (left >= (int)sizeof(*attr) && attr->nla_len >= sizeof(*attr)) {
		size_t len = attr->nla_len - sizeof(*attr);

		if (attr->nla_type == INET_DIAG_INFO) {
			memset(copy, 0, sizeof(*copy));
			memcpy(copy, attr + 1, len < sizeof(*copy) ? len : sizeof(*copy));
			return copy;
		}
		left -= NLA_ALIGN(attr->nla_len);
		attr = (const void *)((const char *)attr + NLA_ALIGN(attr->nla_len));
	}
	return NULL;
}

static void note_socket(struct observer *o, const struct nlmsghdr *head, unsigned int *conns)
{
	const struct inet_diag_msg *msg = NLMSG_DATA(head);
	unsigned int own = ntohs(msg->id.idiag_sport), other = ntohs(msg->id.idiag_dport);
	const struct tcp_info *info;
	struct tcp_info copy;
	struct sock *sock;
	bool dialled = own != o->listen;

	if (own == o->listen)
		sock = &o->client[other];
	else if (o->upstream && other == o->upstream)
		sock = &o->server[own];
	else
		return;
	info = info_of(head, &copy);
	if (!info)
		return;
	*conns += !dialled;
	sock->seen = o->looks;
	sock->received = info->tcpi_bytes_received;
	/* On a dialled connection the SYN counts as a byte. */
	sock->acked = info->tcpi_bytes_acked - (dialled && info->tcpi_bytes_acked);
}

static void dump(struct observer *o, int family, unsigned int *conns)
{
	static char buf[64 * 1024] __attribute__((aligned(8)));

	for (ask(o, family);;) {
		ssize_t len = recv(o->diag, buf, sizeof(buf), 0);
		const struct nlmsghdr *head = (const void *)buf;

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			die("sock_diag");
		for (; NLMSG_OK(head, len); head = NLMSG_NEXT(head, len)) {
			if (head->nlmsg_type == NLMSG_DONE)
				return;
			if (head->nlmsg_type == NLMSG_ERROR) {
				errno = -((const struct nlmsgerr *)NLMSG_DATA(head))->error;
				die("sock_diag");
			}
			note_socket(o, head, conns);
		}
	}
}

/* ---- the bytes held ---- */

static uint64_t held(const struct observer *o, const struct sock *from, const struct sock *to)
{
	return to->seen == o->looks && from->received > to->acked ? from->received - to->acked : 0;
}

static uint64_t look_at_pairs(struct observer *o)
{
	unsigned int pairs = 0;
	uint64_t sum = 0;

	for (unsigned int port = 1; port < 65536; port++) {
		struct sock *a = &o->client[port];
		struct sock *b = o->upstream ? &o->server[o->peer[port]] : a;
		uint64_t one, two = 0;

		if (!a->seen || (o->upstream && !o->peer[port]))
			continue;
		one = held(o, a, b);
		if (o->upstream)
			two = held(o, b, a);
		sum += one + two;
		if (one + two > o->max_one)
			o->max_one = one + two;
		pairs += a->seen == o->looks && b->seen == o->looks;
	}
	if (pairs > o->max_pairs)
		o->max_pairs = pairs;
	return sum;
}

static void note_time(struct observer *o)
{
	struct timespec ts;
	uint64_t now;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	now = ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
	if (!o->looks)
		o->first = o->last = now;
	if (now - o->last > o->max_gap)
		o->max_gap = now - o->last;
	o->last = now;
}

static void look(struct observer *o)
{
	unsigned int conns = 0;
	uint64_t all;

	note_time(o);
	o->looks++;
	read_ports(o, 0);
	read_ports(o, 1);
	dump(o, AF_INET, &conns);
	dump(o, AF_INET6, &conns);
	all = look_at_pairs(o);
	if (all > o->max_all)
		o->max_all = all;
	if (conns > o->max_conns)
		o->max_conns = conns;
	if (o->verbose)
		printf("now held %llu of %u connections\n", (unsigned long long)all, conns);
}

static void parse(struct observer *o, int argc, char **argv)
{
	static const struct option table[] = {
		{ "listen", 1, NULL, 'l' },	  { "upstream", 1, NULL, 'u' },
		{ "client-ports", 1, NULL, 'c' }, { "server-ports", 1, NULL, 's' },
		{ "verbose", 0, NULL, 'v' },	  {}
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (opt) {
		case 'l':
			o->listen = atoi(optarg);
			break;
		case 'u':
			o->upstream = atoi(optarg);
			break;
		case 'c':
			o->files[0] = optarg;
			break;
		case 's':
			o->files[1] = optarg;
			break;
		case 'v':
			o->verbose = true;
			break;
		default:
			exit(2);
		}
	}
	if (!o->listen || !o->files[0] != !o->upstream || !o->files[1] != !o->upstream) {
		fprintf(stderr,
			"usage: observer --listen PORT [--upstream PORT --client-ports FILE "
			"--server-ports FILE] [--verbose]\n");
		exit(2);
	}
}

int main(int argc, char **argv)
{
	const struct sched_param soon = { .sched_priority = 1 };
	struct sigaction sa = { .sa_handler = on_signal };
	static struct observer o;
	struct timespec at;

	setvbuf(stdout, NULL, _IOLBF, 0);
	parse(&o, argc, argv);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	o.diag = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (o.diag < 0)
		die("NETLINK_SOCK_DIAG");
	/* The samples go on while the machine is busy; the line tells when they did not. */
	sched_setscheduler(0, SCHED_FIFO, &soon);
	clock_gettime(CLOCK_MONOTONIC, &at);
	printf("watching\n");
	while (!stop) {
		look(&o);
		at.tv_nsec += PERIOD_NS;
		at.tv_sec += at.tv_nsec / 1000000000;
		at.tv_nsec %= 1000000000;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
	}
	printf("one=%llu all=%llu connections=%u pairs=%u looks=%llu ms=%llu longest_ms=%llu\n",
	       (unsigned long long)o.max_one, (unsigned long long)o.max_all, o.max_conns,
	       o.max_pairs, (unsigned long long)o.looks, (unsigned long long)(o.last - o.first),
	       (unsigned long long)o.max_gap);
	return 0;
}
