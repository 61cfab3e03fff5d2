// SPDX-License-Identifier: GPL-2.0-only
/* Options that log, follow and firewall log share. */
#include "loader/cmd/log_args.h"

#include <stdio.h>
#include <string.h>

#include "lib/time.h"
#include "lib/msg.h"
#include "loader/hook/version.h"

#define DEFAULT_INTERFACE "eth0"
#define DEFAULT_BUFFER (32ULL << 20)

const char *const xf_format_names[] = { "text", "json", NULL };
const struct xf_opt xf_wait_options[] = {
	{ .name = "wait",
	  .type = XF_OPT_FLAG,
	  .offset = offsetof(struct xf_log_args, wait),
	  .help = "wait for an interface that is not there yet, and as long as it takes for one\n"
		  "that is gone (without: 10 seconds, when no other is left)" },
	{ .type = XF_OPT_END },
};

const struct xf_opt xf_output_options[] = {
	{ .name = "format",
	  .short_name = 'f',
	  .type = XF_OPT_ENUM,
	  .arg = "text|json",
	  .values = xf_format_names,
	  .offset = offsetof(struct xf_log_args, format),
	  .help = "format of a packet's line (default: text)" },
	{ .name = "date",
	  .type = XF_OPT_FLAG,
	  .offset = offsetof(struct xf_log_args, date),
	  .help = "add the date to the time of text lines" },
	{ .name = "write",
	  .short_name = 'w',
	  .type = XF_OPT_STR,
	  .arg = "FILE",
	  .offset = offsetof(struct xf_log_args, write),
	  .help =
	      "write the lines to FILE, which must not exist yet, or to standard output for -;\n"
	      "SIGHUP opens FILE anew" },
	{ .name = "append",
	  .type = XF_OPT_FLAG,
	  .offset = offsetof(struct xf_log_args, append),
	  .help = "with --write: append to FILE if it exists" },
	{ .name = "force",
	  .type = XF_OPT_FLAG,
	  .offset = offsetof(struct xf_log_args, force),
	  .help = "with --write: overwrite FILE if it exists" },
	{ .name = "count",
	  .short_name = 'c',
	  .type = XF_OPT_U64,
	  .arg = "N",
	  .min = 1,
	  .offset = offsetof(struct xf_log_args, count),
	  .help = "end after N lines, over all interfaces" },
	{ .name = "duration",
	  .short_name = 'd',
	  .type = XF_OPT_SECONDS,
	  .arg = "SECONDS",
	  .min = XF_MSEC,
	  .max = XF_SECONDS_MAX,
	  .offset = offsetof(struct xf_log_args, duration_ns),
	  .help = "end after this time" },
	{ .name = "sample",
	  .type = XF_OPT_U32,
	  .arg = "N",
	  .min = 1,
	  .offset = offsetof(struct xf_log_args, sample),
	  .help = "log each packet with a chance of 1 in N" },
	{ .name = "rate",
	  .type = XF_OPT_U32,
	  .arg = "N",
	  .min = 1,
	  .offset = offsetof(struct xf_log_args, rate),
	  .help = "log at most N packets in any second, for each interface" },
	{ .name = "buffer",
	  .type = XF_OPT_SIZE,
	  .arg = "SIZE",
	  .min = 4096,
	  .max = 64ULL << 30,
	  .offset = offsetof(struct xf_log_args, buffer),
	  .help = "total memory of the rings between kernel and reader; K, M and G are understood\n"
		  "(default: 32M; a ring has at least one page, and there is one for each CPU)" },
	{ .name = "stats",
	  .type = XF_OPT_SECONDS,
	  .arg = "SECONDS",
	  .value_optional = true,
	  .def = XF_NSEC,
	  .min = 100 * XF_MSEC,
	  .max = XF_SECONDS_MAX,
	  .offset = offsetof(struct xf_log_args, stats_ns),
	  .help = "print the counters to stderr every SECONDS (default: 1)" },
	{ .type = XF_OPT_END },
};

const struct xf_opt xf_log_options[] = {
	{ .type = XF_OPT_TABLE,
	  .table = xf_common_options,
	  .offset = offsetof(struct xf_log_args, common) },
	{ .name = "version",
	  .type = XF_OPT_FLAG,
	  .offset = offsetof(struct xf_log_args, version),
	  .help = "show the version" },
	{ .type = XF_OPT_END },
};

static const xf_out_fn formats[] = { xf_out_text, xf_out_json };
static const xf_out_fn dated_formats[] = { xf_out_dated_text, xf_out_json };

static bool ends_with(const char *s, const char *end)
{
	size_t len = strlen(s), end_len = strlen(end);

	return len >= end_len && !strcmp(s + len - end_len, end);
}

static int check_write(const struct xf_log_args *args)
{
	if (!args->write) {
		if (!args->append && !args->force)
			return 0;
		xf_err("--%s goes with --write", args->append ? "append" : "force");
		return -1;
	}
	if (args->append && args->force) {
		xf_err("--append and --force exclude each other");
		return -1;
	}
	if (ends_with(args->write, ".pcap") || ends_with(args->write, ".pcapng")) {
		xf_err("--write %s: a file of this name should hold packets, and the log's format "
		       "is %s",
		       args->write, xf_format_names[args->format]);
		xf_hint("choose another name");
		return -1;
	}
	return 0;
}

static int check_interfaces(struct xf_log_args *args)
{
	if (xf_cmd_check_once(&args->interfaces))
		return -1;
	for (unsigned int i = 0; i < args->interfaces.n; i++)
		args->any |= !strcmp(args->interfaces.at[i], "any");
	if (args->any) /* the others are among them */
		args->interfaces.n = 0;
	else if (!args->interfaces.n && !args->set)
		args->interfaces.at[args->interfaces.n++] = DEFAULT_INTERFACE;
	if (args->set) /* the caller names all of the set */
		args->any = false;
	return 0;
}

int xf_log_args__parse(struct xf_log_args *args, const struct xf_opt *opts, const char *usage,
		       int argc, char **argv)
{
	int status;

	args->buffer = DEFAULT_BUFFER;
	status = xf_cmd_parse(opts, usage, argc, argv, args, &args->common);
	if (status >= 0)
		return status;
	if (args->version) {
		xf_print_version();
		return XF_EXIT_OK;
	}
	if (check_write(args) || check_interfaces(args))
		return XF_EXIT_USAGE;
	return -1;
}

static bool to_stdout(const struct xf_log_args *args)
{
	return args->write && !strcmp(args->write, "-");
}

struct xf_session_opts xf_log_args__session(const struct xf_log_args *args)
{
	return (struct xf_session_opts) {
		.format = (args->date ? dated_formats : formats)[args->format],
		.unload = "xdpfun-load unload",
		.sink = { .path = to_stdout(args) ? NULL : args->write,
			  .append = args->append,
			  .force = args->force },
		.count = args->count,
		.duration_ns = args->duration_ns,
		.stats_ns = args->stats_ns,
		.any = args->any,
		.wait = args->wait,
		.again = true,
	};
}

struct xf_config xf_log_args__config(const struct xf_log_args *args, uint32_t wake_mask)
{
	return (struct xf_config) {
		/* Never 0, which would mean all: the largest N gives 1. */
		.sample_below = args->sample > 1 ? (uint32_t)((1ULL << 32) / args->sample) : 0,
		.rate = args->rate,
		.wake_mask = wake_mask,
	};
}
