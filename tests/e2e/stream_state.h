/* SPDX-License-Identifier: GPL-2.0-only */
/* The state of stream and of its connections, and the end of a connection. */
#ifndef XF_E2E_STREAM_STATE_H
#define XF_E2E_STREAM_STATE_H

#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "stream_args.h"

#define CHUNK (256 * 1024)
#define GRACE_MS 60000
#define PREAMBLE_MAX (32 * 1024) /* before the client's header */
#define PROXY_SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

struct conn {
	int fd;
	bool open;		/* connected */
	bool have_in, have_out; /* headers */
	bool fin_sent, fin_seen;
	bool holding;
	bool proxied;
	struct stream_header in, out;
	uint64_t in_seed, out_seed;
	uint64_t sent, received; /* stream positions */
	uint8_t *pre;		 /* server: bytes until the header was found */
	size_t pre_len;
	size_t prefix_sent;
	uint64_t stalled_until, next_stall, next_write; /* us; 0: not */
	uint64_t reset_at;
	uint64_t asked; /* us of the last request */
	uint32_t events;
	struct conn *next; /* free list */
};

struct stream {
	struct stream_args args;
	int epoll, listener;
	struct conn *conns;
	size_t n_conns;
	struct conn *free;
	uint64_t now; /* us */
	uint64_t started, dialled, begun, ended, holding;
	uint64_t outcomes[STREAM_OUTCOMES];
	uint64_t sent, received, slowest; /* us */
	uint64_t random;
	uint8_t *prefix;
	size_t prefix_len;
	FILE *ports;
	bool released;		  /* SIGUSR1 came */
	bool going;		  /* or SIGUSR2 */
	bool release_now, go_now; /* in this turn */
	bool explained;
	bool gave_up;
};

static volatile sig_atomic_t stop, release, go;
static uint8_t buffer[CHUNK];

static void on_signal(int sig)
{
	if (sig == SIGUSR1)
		release = 1;
	else if (sig == SIGUSR2)
		go = 1;
	else
		stop = sig;
}

static uint64_t clock_us(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000ULL + ts.tv_nsec / 1000;
}

static void die(const char *what)
{
	fprintf(stderr, "stream: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t pick(struct stream *s, const struct stream_range *range)
{
	s->random = s->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return range->min + stream_mix(s->random) % (range->max - range->min + 1);
}

static void finish(struct stream *s, struct conn *c, enum stream_outcome how)
{
	static const struct linger at_once = { .l_onoff = 1 };

	if (s->args.verbose)
		printf("end id=%llu outcome=%s sent=%llu received=%llu at_ms=%llu server=%u\n",
		       (unsigned long long)(s->args.server ? c->in.id : c->out.id),
		       stream_outcomes[how], (unsigned long long)c->sent,
		       (unsigned long long)c->received,
		       (unsigned long long)(clock_us(CLOCK_BOOTTIME) / 1000), c->in.server);
	if (how != STREAM_OK)
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(c->fd);
	s->holding -= c->holding;
	s->outcomes[how]++;
	s->ended++;
	free(c->pre);
	*c = (struct conn) { .fd = -1, .next = s->free };
	s->free = c;
}

static void explain(struct stream *s, struct conn *c, const char *what)
{
	fprintf(stderr, "stream: connection %llu at byte %llu of %llu (%llu sent): %s\n",
		(unsigned long long)(s->args.server ? c->in.id : c->out.id),
		(unsigned long long)c->received, (unsigned long long)c->in.length,
		(unsigned long long)c->sent, what);
}

/* Report a wrong byte, and its position when it is of the same stream. */
static void wrong_byte(struct stream *s, struct conn *c, size_t i, size_t len)
{
	uint64_t pos = c->received + i, from = UINT64_MAX;
	char text[120];

	if (!s->explained && i + 16 <= len)
		from = stream_find(buffer + i, c->in_seed, pos, 64 << 20);
	s->explained = true;
	if (from == UINT64_MAX)
		snprintf(text, sizeof(text), "the byte at %llu is wrong", (unsigned long long)pos);
	else
		snprintf(text, sizeof(text), "at %llu there are the bytes of %llu: %llu %s",
			 (unsigned long long)pos, (unsigned long long)from,
			 (unsigned long long)(from > pos ? from - pos : pos - from),
			 from > pos ? "are missing" : "came again");
	explain(s, c, text);
	finish(s, c, STREAM_BAD);
}

static void bad(struct stream *s, struct conn *c, const char *what)
{
	explain(s, c, what);
	finish(s, c, STREAM_BAD);
}

#endif
