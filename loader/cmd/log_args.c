// SPDX-License-Identifier: GPL-2.0-only
/* What log, follow and firewall log have in common on the command line. */
#include "loader/cmd/log_args.h"

#include <stdio.h>
#include <string.h>

#include "lib/msg.h"

#define DEFAULT_INTERFACE "eth0"
#define DEFAULT_BUFFER (32ULL << 20)

const char *const xf_format_names[] = { "text", "json", NULL };
static const xf_out_fn formats[] = { xf_out_text, xf_out_json };

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
	if (!args->interfaces.n && !args->set)
		args->interfaces.at[args->interfaces.n++] = DEFAULT_INTERFACE;
	return 0;
}

int xf_log_args__parse(struct xf_log_args *args, const struct xf_opt *opts, const char *usage,
		       int argc, char **argv)
{
	int status;

	args->buffer = DEFAULT_BUFFER;
	status = xf_cmd_parse(opts, usage, argc, argv, args, &args->help);
	if (status >= 0)
		return status;
	if (args->version) {
		printf("xdpfun-load %s\n", XF_VERSION);
		return XF_EXIT_OK;
	}
	if (check_write(args) || check_interfaces(args))
		return XF_EXIT_USAGE;
	xf_msg_level_set(args->verbose ? XF_VERBOSE : args->quiet ? XF_QUIET : XF_NORMAL);
	return -1;
}

struct xf_session_opts xf_log_args__session(const struct xf_log_args *args)
{
	return (struct xf_session_opts) {
		.format = formats[args->format],
		.unload = "xdpfun-load unload",
		.sink = { .path = args->write, .append = args->append, .force = args->force },
		.count = args->count,
		.duration_ns = args->duration_ns,
		.stats_ns = args->stats_ns,
	};
}

struct xf_config xf_log_args__config(const struct xf_log_args *args, uint32_t wake_mask)
{
	return (struct xf_config) {
		/* At least 1, because 0 means all. */
		.sample_below = args->sample > 1 ? (uint32_t)((1ULL << 32) / args->sample) : 0,
		.rate = args->rate,
		.wake_mask = wake_mask,
	};
}

uint64_t xf_log_args__ring_bytes(const struct xf_log_args *args)
{
	return args->buffer / args->interfaces.n;
}
