// SPDX-License-Identifier: GPL-2.0-only
/* Options that echo and forward share. */
#include "loader/cmd/relay_args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/time.h"
#include "lib/msg.h"
#include "lib/num.h"
#include "loader/relay/service.h"
#include "sockmap/route/endpoint.h"
#include "sockmap/route/first_packet.h"

static const char *const format_names[] = { "text", "json", NULL };

const struct xf_opt xf_relay_options[] = {
	{ .name = "engine",
	  .type = XF_OPT_ENUM,
	  .arg = "auto|sockmap|splice|copy",
	  .values = xf_engine_names,
	  .offset = offsetof(struct xf_relay_cmd, args.engine),
	  .help = "how bytes are moved; auto (the default) chooses for each connection, and "
		  "changes under way" },
	{ .name = "idle",
	  .type = XF_OPT_SECONDS,
	  .arg = "SECONDS",
	  .max = XF_RELAY_SECONDS_MAX,
	  .offset = offsetof(struct xf_relay_cmd, args.idle),
	  .help = "end a connection on which nothing moved for so long (default: 0, never)" },
	{ .name = "keepalive",
	  .type = XF_OPT_STR,
	  .arg = "SECONDS[,INTERVAL,COUNT]",
	  .offset = offsetof(struct xf_relay_cmd, args.keepalive_text),
	  .help = "end a connection whose client or upstream has vanished: ask after SECONDS "
		  "without a byte, then every INTERVAL seconds, COUNT times (default: 30,10,3; "
		  "0: never)" },
	{ .name = "memory",
	  .type = XF_OPT_SIZE,
	  .arg = "SIZE",
	  .min = 1u << 20,
	  .max = 1ULL << 40,
	  .offset = offsetof(struct xf_relay_cmd, args.memory),
	  .help = "limit of the bytes that all connections hold; K, M and G are understood "
		  "(default: 256M)" },
	{ .name = "max-connections",
	  .type = XF_OPT_U32,
	  .arg = "N",
	  .min = 1,
	  .max = 1u << 20,
	  .offset = offsetof(struct xf_relay_cmd, args.max_connections),
	  .help = "connections at a time; more are refused (default: as many as the limit of open "
		  "files allows, at most 65536)" },
	{ .name = "threads",
	  .type = XF_OPT_U32,
	  .arg = "N",
	  .min = 1,
	  .max = 256,
	  .offset = offsetof(struct xf_relay_cmd, args.threads),
	  .help = "threads that move bytes, each with a listening socket of its own (default: 1)" },
	{ .name = "busy-poll",
	  .type = XF_OPT_U32,
	  .arg = "MICROSECONDS",
	  .max = 1000,
	  .offset = offsetof(struct xf_relay_cmd, args.busy_poll),
	  .help = "while messages follow each other this quickly on very few connections, look "
		  "for the next without going to sleep (default: 50; 0: never)" },
	{ .name = "drain",
	  .type = XF_OPT_SECONDS,
	  .arg = "SECONDS",
	  .max = XF_RELAY_SECONDS_MAX,
	  .offset = offsetof(struct xf_relay_cmd, args.drain),
	  .help = "at the end, time for running connections to finish (default: 30)" },
	{ .name = "user",
	  .type = XF_OPT_STR,
	  .arg = "NAME|UID[:GROUP]",
	  .offset = offsetof(struct xf_relay_cmd, args.user),
	  .help =
	      "as root: become this user before anything is accepted (default: xdpfun, or nobody)" },
	{ .name = "socket-mode",
	  .type = XF_OPT_STR,
	  .arg = "MODE",
	  .offset = offsetof(struct xf_relay_cmd, args.socket_mode_text),
	  .help = "mode of the file of a listening UNIX socket, which --user owns (default: 660)" },
	{ .name = "format",
	  .short_name = 'f',
	  .type = XF_OPT_ENUM,
	  .arg = "text|json",
	  .values = format_names,
	  .offset = offsetof(struct xf_relay_cmd, args.format),
	  .help = "format of a line of the access log (default: text)" },
	{ .name = "write",
	  .short_name = 'w',
	  .type = XF_OPT_STR,
	  .arg = "FILE",
	  .offset = offsetof(struct xf_relay_cmd, args.write),
	  .help =
	      "append the access log to FILE instead of standard output; SIGHUP opens it anew" },
	{ .name = "stats",
	  .type = XF_OPT_SECONDS,
	  .arg = "SECONDS",
	  .value_optional = true,
	  .def = XF_NSEC,
	  .min = 100 * XF_MSEC,
	  .max = XF_RELAY_SECONDS_MAX,
	  .offset = offsetof(struct xf_relay_cmd, args.stats),
	  .help = "print the counters to stderr every SECONDS (default: 1)" },
	{ .type = XF_OPT_TABLE,
	  .table = xf_common_options,
	  .offset = offsetof(struct xf_relay_cmd, common) },
	{ .name = "rotate-bytes",
	  .type = XF_OPT_SIZE,
	  .min = 1,
	  .offset = offsetof(struct xf_relay_cmd, args.rotate_bytes) }, /* for tests */
	{ .type = XF_OPT_END },
};

int xf_relay_args__listen(const char *option, const char *text, struct xf_addr *addr)
{
	const char *why;

	if (!xf_endpoint_parse_listen(text, addr, &why))
		return 0;
	xf_err("%s: \"%s\" is not valid, expected %s", option, text, why);
	return -EINVAL;
}

/* Add one of the addresses of --to. Returns 0, or -EINVAL after a message. */
static int add_upstream(struct xf_relay_args *args, const char *at, size_t len)
{
	char text[XF_NAME_MAX + 8] = "";
	const char *why;

	if (args->n_to == XF_RELAY_TO_MAX) {
		xf_err("--to: \"%.*s\" is one too many, at most %d can be given", (int)len, at,
		       XF_RELAY_TO_MAX);
		return -EINVAL;
	}
	if (len < sizeof(text))
		memcpy(text, at, len);
	if (!xf_endpoint_parse_upstream(text, &args->to[args->n_to], &why)) {
		args->n_to++;
		return 0;
	}
	xf_err("--to: \"%.*s\" is not valid, expected %s", (int)len, at, why);
	return -EINVAL;
}

static int parse_to(struct xf_relay_args *args, const char *at)
{
	for (;;) {
		size_t len = strcspn(at, ",");

		if (add_upstream(args, at, len))
			return -EINVAL;
		if (!at[len])
			return 0;
		at += len + 1;
	}
}

/* Check the options of forward that depend on each other, and parse --to. Returns 0, or -EINVAL
 * after a message. */
static int check_forward(struct xf_relay_args *args)
{
	int err = 0;

	if (args->to_texts.n && args->routes) {
		xf_err("--to and --routes exclude each other");
		return -EINVAL;
	}
	if (args->check && !args->routes) {
		xf_err("--check goes with --routes FILE");
		return -EINVAL;
	}
	if (!args->to_texts.n && !args->routes) {
		xf_err("forward needs --to ADDR:PORT or --routes FILE");
		return -EINVAL;
	}
	for (unsigned int i = 0; i < args->to_texts.n && !err; i++)
		err = parse_to(args, args->to_texts.at[i]);
	return err;
}

/* Parse --keepalive. Returns 0, or -EINVAL after a message. */
static int parse_keepalive(const char *text, struct xf_keepalive *keepalive)
{
	uint64_t n[3] = { 0, keepalive->interval, keepalive->count };
	static const uint64_t most[3] = { 32767, 32767, 127 }; /* the kernel's limits */
	char copy[32] = "", *rest = copy;
	int i, err = 0;

	if (strlen(text) < sizeof(copy))
		strcpy(copy, text);
	for (i = 0; i < 3 && rest && !err; i++)
		err = xf_num_parse(strsep(&rest, ","), i > 0, most[i], &n[i]);
	if (!err && !rest && i != 2) {
		*keepalive = (struct xf_keepalive) { n[0], n[1], n[2] };
		return 0;
	}
	xf_err("--keepalive: \"%s\" is not valid, expected whole seconds up to 32767, or "
	       "SECONDS,INTERVAL,COUNT with at most 127 as COUNT; 0 is off",
	       text);
	return -EINVAL;
}

/* Parse --socket-mode. Returns 0, or -EINVAL after a message. */
static int parse_mode(const char *text, uint32_t *mode)
{
	size_t len = strlen(text);

	if (len < 3 || len > 4 || strspn(text, "01234567") != len || (len == 4 && *text != '0')) {
		xf_err("--socket-mode: \"%s\" is not valid, expected three octal digits, as in 660",
		       text);
		return -EINVAL;
	}
	*mode = strtoul(text, NULL, 8);
	return 0;
}

static bool is_unix(const struct xf_addr *addr)
{
	return addr->sa.sa_family == AF_UNIX;
}

/* Parse the addresses to listen on. Returns 0, or -EINVAL after a message. */
static int parse_listens(struct xf_relay_args *args)
{
	struct xf_strs *texts = &args->listen_texts;

	for (unsigned int i = 0; i < texts->n; i++) {
		if (xf_relay_args__listen("--listen", texts->at[i], &args->listens[i]))
			return -EINVAL;
		for (unsigned int other = 0; other < i; other++) {
			if ((xf_sockaddr_port(&args->listens[i]) || is_unix(&args->listens[i])) &&
			    xf_sockaddr_equal(&args->listens[i], &args->listens[other])) {
				xf_err("--listen: \"%s\" is given twice", texts->at[i]);
				return -EINVAL;
			}
		}
	}
	args->n_listens = texts->n;
	if (!args->check && xf_service__listens(args))
		return -EINVAL;
	if (args->n_listens || args->check)
		return 0;
	if (!args->echo) {
		xf_err("forward needs --listen ADDR:PORT");
		return -EINVAL;
	}
	texts->at[texts->n++] = XF_RELAY_ECHO_LISTEN;
	return parse_listens(args);
}

int xf_relay_cmd__parse(struct xf_relay_cmd *cmd, bool echo, const struct xf_opt *opts,
			const char *usage, int argc, char **argv)
{
	struct xf_relay_args *args = &cmd->args;
	int status;

	*cmd = (struct xf_relay_cmd) {};
	xf_relay_args__init(args, echo);
	status = xf_cmd_parse(opts, usage, argc, argv, cmd, &cmd->common);
	if (status >= 0)
		return status;
	if (!echo && check_forward(args))
		return XF_EXIT_USAGE;
	if (parse_listens(args))
		return XF_EXIT_USAGE;
	if (args->keepalive_text && parse_keepalive(args->keepalive_text, &args->keepalive))
		return XF_EXIT_USAGE;
	if (args->socket_mode_text && parse_mode(args->socket_mode_text, &args->socket_mode))
		return XF_EXIT_USAGE;
	if (args->write && !strcmp(args->write, "-"))
		args->write = NULL;
	if (args->rotate_bytes && args->engine != XF_ENGINE_AUTO) {
		xf_err("--rotate-bytes goes with --engine auto");
		return XF_EXIT_USAGE;
	}
	return -1;
}
