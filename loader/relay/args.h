/* SPDX-License-Identifier: GPL-2.0-only */
/* What echo and forward have in common on the command line. */
#ifndef XF_RELAY_ARGS_H
#define XF_RELAY_ARGS_H

#include "loader/cmd/cmd.h"
#include "lib/opt.h"
#include "lib/sockaddr.h"
#include "loader/relay/access_format.h"
#include "sockmap/relay/budget.h"

#define XF_RELAY_TO_MAX 64
#define XF_RELAY_ECHO_LISTEN "127.0.0.1:10000"
#define XF_RELAY_SECONDS_MAX (365ULL * 86400 * XF_NSEC)

struct xf_relay_args {
	const char *listen_text;
	struct xf_addr listen;
	bool echo; /* which of the two it is */
	/* forward only */
	const char *to_text;
	struct xf_addr to[XF_RELAY_TO_MAX];
	unsigned int n_to;
	const char *routes;
	bool send_proxy_v2;
	bool check;
	uint64_t first_timeout;
	uint64_t dial_timeout;
	uint32_t max_waiting;
	/* both */
	int engine; /* enum xf_engine_id */
	uint64_t idle;
	uint64_t memory;
	uint32_t max_connections; /* 0: as many as descriptors allow */
	uint32_t threads;
	uint64_t drain;
	const char *user;
	int format;
	uint64_t stats;
	uint32_t busy_poll; /* microseconds */
	uint64_t rotate_bytes;
	bool quiet;
	int verbose;
	bool help;
};

/* The options of both, as entries for a table over struct xf_relay_args. */
#define XF_RELAY_OPTIONS                                                                             \
	{ .name = "engine",                                                                          \
	  .type = XF_OPT_ENUM,                                                                       \
	  .arg = "auto|sockmap|splice|copy",                                                         \
	  .values = xf_engine_names,                                                                 \
	  .offset = offsetof(struct xf_relay_args, engine),                                          \
	  .help = "what moves the bytes; auto (the default) chooses for each connection, and "       \
		  "changes under way" },                                                             \
	    { .name = "idle",                                                                        \
	      .type = XF_OPT_SECONDS,                                                                \
	      .arg = "SECONDS",                                                                      \
	      .max = XF_RELAY_SECONDS_MAX,                                                           \
	      .offset = offsetof(struct xf_relay_args, idle),                                        \
	      .help = "end a connection on which nothing moved for so long (default: 0, never)" },   \
	    { .name = "memory",                                                                      \
	      .type = XF_OPT_SIZE,                                                                   \
	      .arg = "SIZE",                                                                         \
	      .min = 1u << 20,                                                                       \
	      .max = 1ULL << 40,                                                                     \
	      .offset = offsetof(struct xf_relay_args, memory),                                      \
	      .help = "what all connections together may hold at most; K, M and G are understood "   \
		      "(default: 256M)" },                                                           \
	    { .name = "max-connections",                                                             \
	      .type = XF_OPT_U32,                                                                    \
	      .arg = "N",                                                                            \
	      .min = 1,                                                                              \
	      .max = 1u << 20,                                                                       \
	      .offset = offsetof(struct xf_relay_args, max_connections),                             \
	      .help = "connections at a time; more are refused (default: what the limit of open "    \
		      "files allows, at most 65536)" },                                              \
	    { .name = "threads",                                                                     \
	      .type = XF_OPT_U32,                                                                    \
	      .arg = "N",                                                                            \
	      .min = 1,                                                                              \
	      .max = 256,                                                                            \
	      .offset = offsetof(struct xf_relay_args, threads),                                     \
	      .help =                                                                                \
		  "threads that move bytes, each with a listening socket of its own (default: 1)" }, \
	    { .name = "busy-poll",                                                                   \
	      .type = XF_OPT_U32,                                                                    \
	      .arg = "MICROSECONDS",                                                                 \
	      .max = 1000,                                                                           \
	      .offset = offsetof(struct xf_relay_args, busy_poll),                                   \
	      .help =                                                                                \
		  "while messages follow each other this quickly on very few connections, look "     \
		  "for the next without going to sleep (default: 50; 0: never)" },                   \
	    { .name = "drain",                                                                       \
	      .type = XF_OPT_SECONDS,                                                                \
	      .arg = "SECONDS",                                                                      \
	      .max = XF_RELAY_SECONDS_MAX,                                                           \
	      .offset = offsetof(struct xf_relay_args, drain),                                       \
	      .help = "at the end, time for running connections to finish (default: 30)" },          \
	    { .name = "user",                                                                        \
	      .type = XF_OPT_STR,                                                                    \
	      .arg = "NAME",                                                                         \
	      .offset = offsetof(struct xf_relay_args, user),                                        \
	      .help = "as root: become this user before anything is accepted (default: nobody)" },   \
	    { .name = "format",                                                                      \
	      .short_name = 'f',                                                                     \
	      .type = XF_OPT_ENUM,                                                                   \
	      .arg = "text|json",                                                                    \
	      .values = xf_access_format_names,                                                      \
	      .offset = offsetof(struct xf_relay_args, format),                                      \
	      .help = "what a line of the access log looks like (default: text)" },                  \
	    { .name = "stats",                                                                       \
	      .type = XF_OPT_SECONDS,                                                                \
	      .arg = "SECONDS",                                                                      \
	      .value_optional = true,                                                                \
	      .def = XF_NSEC,                                                                        \
	      .min = 100 * XF_MSEC,                                                                  \
	      .max = XF_RELAY_SECONDS_MAX,                                                           \
	      .offset = offsetof(struct xf_relay_args, stats),                                       \
	      .help = "print the counters to stderr every SECONDS (default: 1)" },                   \
	    { .name = "quiet",                                                                       \
	      .short_name = 'q',                                                                     \
	      .type = XF_OPT_FLAG,                                                                   \
	      .offset = offsetof(struct xf_relay_args, quiet),                                       \
	      .help = "say only what went wrong" },                                                  \
	    { .name = "verbose",                                                                     \
	      .short_name = 'v',                                                                     \
	      .type = XF_OPT_COUNT,                                                                  \
	      .offset = offsetof(struct xf_relay_args, verbose),                                     \
	      .help = "say more, also what libbpf says" },                                           \
	    { .name = "help",                                                                        \
	      .short_name = 'h',                                                                     \
	      .type = XF_OPT_FLAG,                                                                   \
	      .offset = offsetof(struct xf_relay_args, help),                                        \
	      .help = "show this help" },                                                            \
	{                                                                                            \
		.name = "rotate-bytes", .type = XF_OPT_SIZE, .min = 1,                               \
		.offset = offsetof(struct xf_relay_args, rotate_bytes)                               \
	} /* for tests */

extern const char *const xf_access_format_names[];

/* The defaults of a command line that says nothing. */
void xf_relay_args__init(struct xf_relay_args *args, bool echo);
/* Parse, deal with --help, check what the table cannot, set the message level. Returns -1 to go on,
 * else the exit status. @usage is what --help prints first. */
int xf_relay_args__parse(struct xf_relay_args *args, const struct xf_opt *opts, const char *usage,
			 int argc, char **argv);
/* --memory, less what is not reserved one by one. */
void xf_relay_args__budget(const struct xf_relay_args *args, struct xf_budget *budget);
/* An address to listen on, given with @option. Returns 0, or -EINVAL after a message. */
int xf_relay_args__listen(const char *option, const char *text, struct xf_addr *addr);

#endif
