// SPDX-License-Identifier: GPL-2.0-only
/* xdpfun-load echo: send every byte of every connection back. */
#include "loader/cmd/relay_args.h"
#include "loader/relay/run.h"

static const char usage[] =
    "Usage: xdpfun-load echo [-l ADDR:PORT]... [OPTIONS]\n\n"
    "Accept TCP connections and send every byte back, moved by the kernel where it can, until Ctrl-C.\n"
    "Prints a line for each connection when it has ended.\n";

static const struct xf_opt options[] = {
	{ .name = "listen",
	  .short_name = 'l',
	  .type = XF_OPT_LIST,
	  .arg = "ADDR:PORT",
	  .offset = offsetof(struct xf_relay_cmd, args.listen_texts),
	  .help =
	      "where to listen, as in 192.0.2.1:7, :7 or unix:/run/x.sock; port 0: any that is free\n"
	      "may be repeated (default: " XF_RELAY_ECHO_LISTEN ")" },
	{ .type = XF_OPT_TABLE, .table = xf_relay_options },
	{ .type = XF_OPT_END },
};

int xf_cmd_echo(int argc, char **argv)
{
	struct xf_relay_cmd cmd;
	int status = xf_relay_cmd__parse(&cmd, true, options, usage, argc, argv);

	return status >= 0 ? status : xf_relay_run(&cmd.args);
}
