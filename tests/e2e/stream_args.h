/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line of stream. */
#ifndef XF_E2E_STREAM_ARGS_H
#define XF_E2E_STREAM_ARGS_H

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "stream_data.h"

#define STREAM_FOREVER UINT64_MAX

struct stream_range {
	uint64_t min, max;
};

enum stream_outcome {
	STREAM_OK,
	STREAM_RESET,	/* by the other side */
	STREAM_KILLED,	/* reset by --reset-at */
	STREAM_CUT,	/* FIN before the end of the data */
	STREAM_BAD,	/* a byte that is wrong */
	STREAM_REFUSED, /* connect() failed */
	STREAM_STUCK,	/* --timeout came */
	STREAM_OUTCOMES,
};

static const char *const stream_outcomes[] = { "ok",  "reset",	 "killed", "cut",
					       "bad", "refused", "stuck" };

struct stream_args {
	bool server, verbose, proxy, mptcp, nagle, late_fin;
	struct sockaddr_storage addr;
	struct sockaddr_storage bind;
	uint64_t conns, total, mode, rounds, name, seed, timeout_ms;
	struct stream_range up, down, request, reply, write, reset_at, source_ports;
	uint64_t pace_us, hold_at, stall_at, stall_every, stall_ms, speak_first, reset_share;
	uint64_t rcvbuf, sndbuf, prefix_step, server_name, delay_ms;
	unsigned int expect; /* bits of outcomes */
	const char *ports, *prefix;
};

static const char stream_usage[] =
    "usage: stream client|server ADDR:PORT [--OPTION VALUE]...\n"
    "sizes are N, Nk or Nm, ranges MIN-MAX are chosen from at random; times end as the name says\n"
    "both:   --write RANGE (of one send) --pace-us N --rcvbuf N --sndbuf N --nagle --verbose\n"
    "        --stall-at SIZE [--stall-every SIZE] --stall-ms N|forever (until SIGUSR1): stop "
    "reading\n"
    "        --reset-at RANGE [--reset-share PERMILLE]: RST after so many bytes in and out\n"
    "        --late-fin: end only after the other side's last byte\n"
    "        --expect ok,reset,...: outcomes that make exit status 0 (default ok)\n"
    "        --ports FILE: a line 'ID PORT' with the client's port as each connection starts\n"
    "        --timeout-ms N --seed N --total N (client: connections; server: end after so many)\n"
    "        --hold-at SIZE: stop sending there until SIGUSR1, or SIGUSR2, which ends no stall; "
    "says\n"
    "        'holding' when all of --conns have\n"
    "client: --conns N (at a time) --up RANGE --down RANGE --mode duplex|after-fin|request|echo\n"
    "        --request SIZE --reply SIZE --rounds N --prefix FILE [--prefix-step N] --mptcp\n"
    "        --bind ADDR:0 --source-ports LO-HI --server-name N (that must answer)\n"
    "        --delay-ms N: between connect and the first byte\n"
    "server: --name N --speak-first SIZE --proxy (a PROXY v2 header must come; it is printed)\n";

static inline uint64_t stream_number(const char *s, char **end)
{
	uint64_t val;

	if (!strcmp(s, "forever")) {
		*end = (char *)s + strlen(s);
		return STREAM_FOREVER;
	}
	if (*s < '0' || *s > '9') {
		fprintf(stderr, "stream: bad number '%s'\n", s);
		exit(2);
	}
	val = strtoull(s, end, 10);
	if (**end == 'k' || **end == 'm')
		val <<= *(*end)++ == 'k' ? 10 : 20;
	return val;
}

static inline struct stream_range stream_parse_range(const char *s)
{
	struct stream_range range;
	char *end;

	range.min = stream_number(s, &end);
	range.max = *end == '-' ? stream_number(end + 1, &end) : range.min;
	if (*end || range.max < range.min) {
		fprintf(stderr, "stream: bad number or range '%s'\n", s);
		exit(2);
	}
	return range;
}

static inline unsigned int stream_parse_outcomes(const char *s)
{
	unsigned int set = 0;

	while (*s) {
		size_t len = strcspn(s, ",");
		int i = 0;

		while (i < STREAM_OUTCOMES &&
		       (strncmp(s, stream_outcomes[i], len) || stream_outcomes[i][len]))
			i++;
		if (i == STREAM_OUTCOMES) {
			fprintf(stderr, "stream: no outcome '%s'\n", s);
			exit(2);
		}
		set |= 1U << i;
		s += len + (s[len] == ',');
	}
	return set;
}

static inline uint64_t stream_parse_mode(const char *s)
{
	static const char *const names[] = { "duplex", "after-fin", "request", "echo" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(s, names[i]))
			return i;
	fprintf(stderr, "stream: no mode '%s'\n", s);
	exit(2);
}

/* ADDR:PORT or [ADDR]:PORT */
static inline void stream_parse_addr(const char *s, struct sockaddr_storage *addr)
{
	struct sockaddr_in6 *in6 = (void *)addr;
	struct sockaddr_in *in = (void *)addr;
	const char *colon = strrchr(s, ':');
	char host[64];
	int len = colon ? colon - s : 0;

	memset(addr, 0, sizeof(*addr));
	if (len > 2 && *s == '[')
		snprintf(host, sizeof(host), "%.*s", len - 2, s + 1);
	else
		snprintf(host, sizeof(host), "%.*s", len, s);
	if (colon && inet_pton(AF_INET, host, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(atoi(colon + 1));
	} else if (colon && inet_pton(AF_INET6, host, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(atoi(colon + 1));
	} else {
		fprintf(stderr, "stream: bad address '%s'\n", s);
		exit(2);
	}
}

enum stream_kind { NUMBER, RANGE, FLAG, TEXT, MODE, OUTCOME_SET, ADDRESS };

static const struct stream_option {
	const char *name;
	enum stream_kind kind;
	size_t offset;
} stream_options[] = {
#define OPT(name, kind, field)                                                                     \
	{                                                                                          \
		name, kind, offsetof(struct stream_args, field)                                    \
	}
	OPT("conns", NUMBER, conns),
	OPT("total", NUMBER, total),
	OPT("up", RANGE, up),
	OPT("down", RANGE, down),
	OPT("mode", MODE, mode),
	OPT("request", RANGE, request),
	OPT("reply", RANGE, reply),
	OPT("rounds", NUMBER, rounds),
	OPT("write", RANGE, write),
	OPT("pace-us", NUMBER, pace_us),
	OPT("delay-ms", NUMBER, delay_ms),
	OPT("rcvbuf", NUMBER, rcvbuf),
	OPT("sndbuf", NUMBER, sndbuf),
	OPT("nagle", FLAG, nagle),
	OPT("verbose", FLAG, verbose),
	OPT("stall-at", NUMBER, stall_at),
	OPT("stall-every", NUMBER, stall_every),
	OPT("stall-ms", NUMBER, stall_ms),
	OPT("reset-at", RANGE, reset_at),
	OPT("reset-share", NUMBER, reset_share),
	OPT("late-fin", FLAG, late_fin),
	OPT("expect", OUTCOME_SET, expect),
	OPT("ports", TEXT, ports),
	OPT("timeout-ms", NUMBER, timeout_ms),
	OPT("seed", NUMBER, seed),
	OPT("prefix", TEXT, prefix),
	OPT("prefix-step", NUMBER, prefix_step),
	OPT("mptcp", FLAG, mptcp),
	OPT("hold-at", NUMBER, hold_at),
	OPT("bind", ADDRESS, bind),
	OPT("source-ports", RANGE, source_ports),
	OPT("server-name", NUMBER, server_name),
	OPT("name", NUMBER, name),
	OPT("speak-first", NUMBER, speak_first),
	OPT("proxy", FLAG, proxy),
#undef OPT
};

#define STREAM_OPTIONS (sizeof(stream_options) / sizeof(stream_options[0]))

static inline void stream_set(struct stream_args *args, const struct stream_option *opt,
			      const char *value)
{
	void *field = (char *)args + opt->offset;

	switch (opt->kind) {
	case NUMBER:
		*(uint64_t *)field = stream_parse_range(value).min;
		break;
	case RANGE:
		*(struct stream_range *)field = stream_parse_range(value);
		break;
	case FLAG:
		*(bool *)field = true;
		break;
	case TEXT:
		*(const char **)field = value;
		break;
	case MODE:
		*(uint64_t *)field = stream_parse_mode(value);
		break;
	case OUTCOME_SET:
		*(unsigned int *)field = stream_parse_outcomes(value);
		break;
	case ADDRESS:
		stream_parse_addr(value, field);
		break;
	}
}

static inline void stream_parse(struct stream_args *args, int argc, char **argv)
{
	struct option table[STREAM_OPTIONS + 1] = {};
	int i, at;

	*args = (struct stream_args) {
		.conns = 1,
		.rounds = 1,
		.write = { 1 << 16, 1 << 16 },
		.hold_at = STREAM_FOREVER,
		.stall_at = STREAM_FOREVER,
		.reset_at = { STREAM_FOREVER, STREAM_FOREVER },
		.reset_share = 1000,
		.prefix_step = 1 << 16,
		.request = { 64, 64 },
		.reply = { 64, 64 },
		.expect = 1U << STREAM_OK,
	};
	for (size_t n = 0; n < STREAM_OPTIONS; n++)
		table[n] = (struct option) { stream_options[n].name, stream_options[n].kind != FLAG,
					     NULL, 0 };
	while ((i = getopt_long(argc, argv, "", table, &at)) == 0)
		stream_set(args, &stream_options[at], optarg);
	if (i != -1 || argc - optind != 2 ||
	    (strcmp(argv[optind], "client") && strcmp(argv[optind], "server"))) {
		fputs(stream_usage, stderr);
		exit(2);
	}
	args->server = !strcmp(argv[optind], "server");
	stream_parse_addr(argv[optind + 1], &args->addr);
	if (!args->server && !args->total)
		args->total = args->conns;
}

#endif
