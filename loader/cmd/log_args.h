/* SPDX-License-Identifier: GPL-2.0-only */
/* What log, follow and firewall log have in common on the command line. */
#ifndef XF_LOG_ARGS_H
#define XF_LOG_ARGS_H

#include "loader/cmd/cmd.h"
#include "lib/opt.h"
#include "lib/sockaddr.h"
#include "loader/log/session.h"

struct xf_log_args {
	struct xf_strs interfaces;
	/* log only */
	int mode; /* enum xf_mode */
	uint32_t prio;
	const char *actions;
	unsigned int action_set; /* what actions says, as a bit set */
	const char *object;
	bool require_chain;
	bool echo; /* --echo is given */
	const char *echo_text;
	struct xf_addr echo_listen;
	/* follow only */
	uint32_t id;
	/* firewall log only */
	const char *set; /* not NULL: the default is all its interfaces, not eth0 */
	/* all */
	int format;
	const char *write;
	bool append;
	bool force;
	uint64_t count;
	uint64_t duration_ns;
	uint32_t sample;
	uint32_t rate;
	uint64_t buffer;
	uint64_t stats_ns;
	bool quiet;
	int verbose;
	bool help;
	bool version;
};

/* The options that print, as entries for a table over struct xf_log_args. */
#define XF_OUTPUT_OPTIONS                                                                            \
	{ .name = "format",                                                                          \
	  .short_name = 'f',                                                                         \
	  .type = XF_OPT_ENUM,                                                                       \
	  .arg = "text|json",                                                                        \
	  .values = xf_format_names,                                                                 \
	  .offset = offsetof(struct xf_log_args, format),                                            \
	  .help = "what a packet's line looks like (default: text)" },                               \
	    { .name = "write",                                                                       \
	      .short_name = 'w',                                                                     \
	      .type = XF_OPT_STR,                                                                    \
	      .arg = "FILE",                                                                         \
	      .offset = offsetof(struct xf_log_args, write),                                         \
	      .help = "write the lines to FILE, which must not exist yet; SIGHUP opens it anew" },   \
	    { .name = "append",                                                                      \
	      .type = XF_OPT_FLAG,                                                                   \
	      .offset = offsetof(struct xf_log_args, append),                                        \
	      .help = "with --write: append to FILE if it exists" },                                 \
	    { .name = "force",                                                                       \
	      .type = XF_OPT_FLAG,                                                                   \
	      .offset = offsetof(struct xf_log_args, force),                                         \
	      .help = "with --write: overwrite FILE if it exists" },                                 \
	    { .name = "count",                                                                       \
	      .short_name = 'c',                                                                     \
	      .type = XF_OPT_U64,                                                                    \
	      .arg = "N",                                                                            \
	      .min = 1,                                                                              \
	      .offset = offsetof(struct xf_log_args, count),                                         \
	      .help = "end after N lines, over all interfaces" },                                    \
	    { .name = "duration",                                                                    \
	      .short_name = 'd',                                                                     \
	      .type = XF_OPT_SECONDS,                                                                \
	      .arg = "SECONDS",                                                                      \
	      .min = 1000000,                                                                        \
	      .max = XF_SECONDS_MAX,                                                                 \
	      .offset = offsetof(struct xf_log_args, duration_ns),                                   \
	      .help = "end after this time" },                                                       \
	    { .name = "sample",                                                                      \
	      .type = XF_OPT_U32,                                                                    \
	      .arg = "N",                                                                            \
	      .min = 1,                                                                              \
	      .offset = offsetof(struct xf_log_args, sample),                                        \
	      .help = "log each packet with a chance of 1 in N" },                                   \
	    { .name = "rate",                                                                        \
	      .type = XF_OPT_U32,                                                                    \
	      .arg = "N",                                                                            \
	      .min = 1,                                                                              \
	      .offset = offsetof(struct xf_log_args, rate),                                          \
	      .help = "log at most N packets in any second, for each interface" },                   \
	    { .name = "buffer",                                                                      \
	      .type = XF_OPT_SIZE,                                                                   \
	      .arg = "SIZE",                                                                         \
	      .min = 4096,                                                                           \
	      .max = 64ULL << 30,                                                                    \
	      .offset = offsetof(struct xf_log_args, buffer),                                        \
	      .help =                                                                                \
		  "total memory of the rings between kernel and reader; K, M and G are understood\n" \
		  "(default: 32M; a ring has at least one page, and there is one for each CPU)" },   \
	{                                                                                            \
		.name = "stats", .type = XF_OPT_SECONDS, .arg = "SECONDS", .value_optional = true,   \
		.def = 1000000000, .min = 100000000, .max = XF_SECONDS_MAX,                          \
		.offset = offsetof(struct xf_log_args, stats_ns),                                    \
		.help = "print the counters to stderr every SECONDS (default: 1)"                    \
	}

#define XF_COMMON_OPTIONS                                                                          \
	{ .name = "quiet",                                                                         \
	  .short_name = 'q',                                                                       \
	  .type = XF_OPT_FLAG,                                                                     \
	  .offset = offsetof(struct xf_log_args, quiet),                                           \
	  .help = "say only what went wrong" },                                                    \
	    { .name = "verbose",                                                                   \
	      .short_name = 'v',                                                                   \
	      .type = XF_OPT_COUNT,                                                                \
	      .offset = offsetof(struct xf_log_args, verbose),                                     \
	      .help = "show also what libbpf and libxdp say" },                                    \
	    { .name = "help",                                                                      \
	      .short_name = 'h',                                                                   \
	      .type = XF_OPT_FLAG,                                                                 \
	      .offset = offsetof(struct xf_log_args, help),                                        \
	      .help = "show this help" },                                                          \
	{                                                                                          \
		.name = "version", .type = XF_OPT_FLAG,                                            \
		.offset = offsetof(struct xf_log_args, version), .help = "show the version"        \
	}

#define XF_SECONDS_MAX (10ULL * 365 * 24 * 3600 * 1000000000)

extern const char *const xf_format_names[];

/* Parse, deal with --help and --version, check what the table cannot, set the message level.
 * Returns -1 to go on, else the exit status. @usage is what --help prints first. */
int xf_log_args__parse(struct xf_log_args *args, const struct xf_opt *opts, const char *usage,
		       int argc, char **argv);

/* What the arguments mean for the session and for the program. */
struct xf_session_opts xf_log_args__session(const struct xf_log_args *args);
struct xf_config xf_log_args__config(const struct xf_log_args *args, uint32_t wake_mask);
/* Ring memory of one of the interfaces. */
uint64_t xf_log_args__ring_bytes(const struct xf_log_args *args);

#endif
