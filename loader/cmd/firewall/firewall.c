// SPDX-License-Identifier: GPL-2.0-only
/* xdpfun-load firewall: its table of subcommands. */
#include <stdio.h>

#include "loader/cmd/commands.h"
#include "loader/cmd/firewall/args.h"
#include "lib/msg.h"

static const struct xf_command commands[] = {
	{ "attach", xf_fw_attach, "[-i IFACE]...", "attach the firewall to interfaces" },
	{ "confirm", xf_fw_confirm, "", "make permanent what was done with --confirm" },
	{ "detach", xf_fw_detach, "[-i IFACE]...", "take it off; --purge: the rules, too" },
	{ "add", xf_fw_add, "RULE | -", "add a rule, or rules from stdin" },
	{ "del", xf_fw_del, "RULE | -", "take rules out" },
	{ "replace", xf_fw_replace, "FILE | -", "replace all rules by those in a file, at once" },
	{ "flush", xf_fw_flush, "", "take all rules out" },
	{ "policy", xf_fw_policy, "allow|deny", "what happens to packets that no rule matches" },
	{ "protect", xf_fw_protect, "PREFIX...", "let addresses pass that no other rule can deny" },
	{ "list", xf_fw_list, "[--json]", "print the rules, the most specific first" },
	{ "stats", xf_fw_stats, "[--json]", "print totals, sizes and where it is attached" },
	{ "log", xf_fw_log, "[-i IFACE]...", "print the packets that it drops, and why" },
	{},
};

static void help(void)
{
	printf(
	    "Usage: xdpfun-load firewall COMMAND [--set NAME] [OPTIONS]\n\n"
	    "Allow or deny packets at the XDP hook, by rules that all interfaces of a set share.\n" XF_RECEIVED_ONLY
	    "\n"
	    "Commands:\n");
	xf_commands_help(commands);
	printf("\n'xdpfun-load firewall COMMAND --help' shows a command's options.\n\n"
	       "RULE: allow|deny [from PREFIX] [to PREFIX] [proto tcp|udp|icmp|gre|...|N]\n"
	       "      [sport N[-M]] [dport N[-M]] [ether MAC] [established] [ttl SECONDS]\n"
	       "The most specific rule that matches a packet holds; see xdpfun-firewall(8).\n");
}

int xf_cmd_firewall(int argc, char **argv)
{
	const struct xf_command *command;

	if (argc > 1 && xf_is_help(argv[1])) {
		help();
		return XF_EXIT_OK;
	}
	if (argc < 2) {
		xf_err("'firewall' needs a command");
		xf_hint("'xdpfun-load firewall --help' lists them");
		return XF_EXIT_USAGE;
	}
	command = xf_commands_find(commands, "firewall ", argv[1]);
	return command ? command->run(argc - 1, argv + 1) : XF_EXIT_USAGE;
}
