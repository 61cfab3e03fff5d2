// SPDX-License-Identifier: GPL-2.0-only
/* xdpfun-load forward: pass TCP connections on, chosen by their first packet. */
#include "lib/time.h"
#include "lib/msg.h"
#include "loader/cmd/relay_args.h"
#include "loader/relay/run.h"
#include "loader/relay/routes_file.h"
#include "sockmap/route/routes.h"

static const char usage[] =
    "Usage: xdpfun-load forward -l ADDR:PORT... --to ADDR:PORT[,ADDR:PORT...]... [OPTIONS]\n"
    "       xdpfun-load forward -l ADDR:PORT... --routes FILE [OPTIONS]\n"
    "       xdpfun-load forward --check --routes FILE\n\n"
    "Accept TCP connections, choose an upstream (by the first packet, with --routes), and move the bytes\n"
    "both ways until Ctrl-C. Prints a line for each connection when it has ended.\n";

static const struct xf_opt options[] = {
	{ .name = "listen",
	  .short_name = 'l',
	  .type = XF_OPT_LIST,
	  .arg = "ADDR:PORT",
	  .offset = offsetof(struct xf_relay_cmd, args.listen_texts),
	  .help =
	      "where to listen, as in 192.0.2.1:443, :443 or unix:/run/x.sock; port 0: any that is "
	      "free; may be repeated" },
	{ .name = "to",
	  .type = XF_OPT_LIST,
	  .arg = "ADDR:PORT[,ADDR:PORT...]",
	  .offset = offsetof(struct xf_relay_cmd, args.to_texts),
	  .help = "upstreams, in turns; one that refused lately is left out for a while; may be "
		  "repeated" },
	{ .name = "routes",
	  .type = XF_OPT_STR,
	  .arg = "FILE",
	  .offset = offsetof(struct xf_relay_cmd, args.routes),
	  .help = "rules that choose an upstream by the first packet; SIGHUP reads them again" },
	{ .name = "check",
	  .type = XF_OPT_FLAG,
	  .offset = offsetof(struct xf_relay_cmd, args.check),
	  .help = "only check the routes file: status 0 or 1" },
	{ .name = "send-proxy-v2",
	  .type = XF_OPT_FLAG,
	  .offset = offsetof(struct xf_relay_cmd, args.send_proxy_v2),
	  .help = "begin each connection to an upstream with a PROXY header, version 2" },
	{ .name = "first-timeout",
	  .type = XF_OPT_SECONDS,
	  .arg = "SECONDS",
	  .min = 10 * XF_MSEC,
	  .max = XF_RELAY_SECONDS_MAX,
	  .offset = offsetof(struct xf_relay_cmd, args.first_timeout),
	  .help =
	      "time for a client's first packet, where a rule needs it; a silent one then goes to the "
	      "rule for all (default: 10)" },
	{ .name = "dial-timeout",
	  .type = XF_OPT_SECONDS,
	  .arg = "SECONDS",
	  .min = 10 * XF_MSEC,
	  .max = XF_RELAY_SECONDS_MAX,
	  .offset = offsetof(struct xf_relay_cmd, args.dial_timeout),
	  .help = "time for an upstream to answer, for each that is tried (default: 5)" },
	{ .name = "resolve",
	  .type = XF_OPT_SECONDS,
	  .arg = "SECONDS",
	  .min = XF_NSEC,
	  .max = XF_RELAY_SECONDS_MAX,
	  .offset = offsetof(struct xf_relay_cmd, args.resolve),
	  .help =
	      "look up the names among the upstreams so often, besides at the start and when an "
	      "upstream cannot be reached (default: 60)" },
	{ .name = "max-waiting",
	  .type = XF_OPT_U32,
	  .arg = "N",
	  .min = 1,
	  .max = 1u << 20,
	  .offset = offsetof(struct xf_relay_cmd, args.max_waiting),
	  .help =
	      "connections that may wait for their first packet; with one more the one that has "
	      "waited longest is ended (default: 4096)" },
	{ .type = XF_OPT_TABLE, .table = xf_relay_options },
	{ .type = XF_OPT_END },
};

static int check(const char *path)
{
	struct xf_routes *routes;

	if (xf_routes_file__load(path, &routes))
		return XF_EXIT_FAILED;
	xf_routes__put(routes);
	xf_info("%s is fine", path);
	return XF_EXIT_OK;
}

int xf_cmd_forward(int argc, char **argv)
{
	struct xf_relay_cmd cmd;
	int status = xf_relay_cmd__parse(&cmd, false, options, usage, argc, argv);

	if (status >= 0)
		return status;
	return cmd.args.check ? check(cmd.args.routes) : xf_relay_run(&cmd.args);
}
