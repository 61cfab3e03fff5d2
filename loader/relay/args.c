// SPDX-License-Identifier: GPL-2.0-only
/* What echo and forward have in common on the command line. */
#include "loader/relay/args.h"

#include <errno.h>
#include <string.h>

#include "lib/msg.h"

const char *const xf_access_format_names[] = { "text", "json", NULL };

void xf_relay_args__init(struct xf_relay_args *args, bool echo)
{
	*args = (struct xf_relay_args) {
		.echo = echo,
		.listen_text = echo ? XF_RELAY_ECHO_LISTEN : NULL,
		.first_timeout = 10 * XF_NSEC,
		.dial_timeout = 5 * XF_NSEC,
		.max_waiting = 4096,
		.memory = 256ULL << 20,
		.threads = 1,
		.busy_poll = 50,
		.drain = 30 * XF_NSEC,
	};
}

/* An eighth is for what the kernel takes beyond a buffer's size: the last segment goes whole. */
void xf_relay_args__budget(const struct xf_relay_args *args, struct xf_budget *budget)
{
	xf_budget__init(budget, args->memory - args->memory / 8);
}

int xf_relay_args__listen(const char *option, const char *text, struct xf_addr *addr)
{
	const char *why;

	if (!xf_sockaddr_parse(text, 0, addr, &why))
		return 0;
	xf_err("%s: \"%s\" is not valid, expected %s", option, text, why);
	return -EINVAL;
}

/* The next of the addresses between commas, for dialling. */
static int add_upstream(struct xf_relay_args *args, const char *at, size_t len)
{
	char text[XF_SOCKADDR_TEXT] = "";
	const char *why;

	if (args->n_to == XF_RELAY_TO_MAX) {
		xf_err("--to: \"%.*s\" is one too many, at most %d can be given", (int)len, at,
		       XF_RELAY_TO_MAX);
		return -EINVAL;
	}
	if (len < sizeof(text))
		memcpy(text, at, len);
	if (!xf_sockaddr_parse(text, 1, &args->to[args->n_to], &why)) {
		args->n_to++;
		return 0;
	}
	xf_err("--to: \"%.*s\" is not valid, expected %s", (int)len, at, why);
	return -EINVAL;
}

static int parse_to(struct xf_relay_args *args)
{
	const char *at = args->to_text;

	for (;;) {
		size_t len = strcspn(at, ",");

		if (add_upstream(args, at, len))
			return -EINVAL;
		if (!at[len])
			return 0;
		at += len + 1;
	}
}

/* Where the connections of forward go, and what only --check leaves out. */
static int check_forward(struct xf_relay_args *args)
{
	if (args->to_text && args->routes) {
		xf_err("--to and --routes exclude each other");
		return -EINVAL;
	}
	if (args->check && !args->routes) {
		xf_err("--check goes with --routes FILE");
		return -EINVAL;
	}
	if (!args->to_text && !args->routes) {
		xf_err("forward needs --to ADDR:PORT or --routes FILE");
		return -EINVAL;
	}
	if (!args->listen_text && !args->check) {
		xf_err("forward needs --listen ADDR:PORT");
		return -EINVAL;
	}
	return args->to_text ? parse_to(args) : 0;
}

int xf_relay_args__parse(struct xf_relay_args *args, const struct xf_opt *opts, const char *usage,
			 int argc, char **argv)
{
	int status = xf_cmd_parse(opts, usage, argc, argv, args, &args->help);

	if (status >= 0)
		return status;
	if (!args->echo && check_forward(args))
		return XF_EXIT_USAGE;
	if (args->listen_text &&
	    xf_relay_args__listen("--listen", args->listen_text, &args->listen))
		return XF_EXIT_USAGE;
	if (args->rotate_bytes && args->engine != XF_ENGINE_AUTO) {
		xf_err("--rotate-bytes goes with --engine auto");
		return XF_EXIT_USAGE;
	}
	xf_msg_level_set(args->verbose ? XF_VERBOSE : args->quiet ? XF_QUIET : XF_NORMAL);
	return -1;
}
