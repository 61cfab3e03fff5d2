// SPDX-License-Identifier: GPL-2.0-only
/* The command table. */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "loader/cmd/cmd.h"
#include "loader/cmd/commands.h"
#include "loader/hook/version.h"
#include "lib/msg.h"
#include "loader/hook/attach.h"

static const struct xf_command commands[] = {
	{ "log", xf_cmd_log, NULL, "attach the packet logger and print its log (the default)" },
	{ "follow", xf_cmd_follow, NULL,
	  "print the log of an xdpfun.o that something else loaded" },
	{ "status", xf_cmd_status, NULL,
	  "show the XDP programs of each interface, and our counters" },
	{ "unload", xf_cmd_unload, NULL, "remove xdpfun programs without a living owner" },
	{ "firewall", xf_cmd_firewall, NULL, "allow or deny packets at the hook" },
	{ "echo", xf_cmd_echo, NULL, "send every byte of TCP connections back" },
	{ "forward", xf_cmd_forward, NULL,
	  "pass TCP connections on, chosen by their first packet" },
	{},
};

static void help(void)
{
	printf(
	    "Usage: xdpfun-load [COMMAND] [OPTIONS]\n\n"
	    "See and filter packets at XDP speed, next to the XDP programs that already run, and\n"
	    "pass TCP connections on inside the kernel.\n" XF_RECEIVED_ONLY "\nCommands:\n");
	xf_commands_help(commands);
	printf(
	    "\n'xdpfun-load COMMAND --help' shows a command's options. See also xdpfun-load(8).\n");
}

/* A closed standard descriptor would become the number of the next file that is opened, and lines
 * would go there. Open it in the wrong direction, so that using it is an error. */
static void fill_standard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd ? O_RDONLY : O_WRONLY);
}

int main(int argc, char **argv)
{
	const struct xf_command *command;

	fill_standard_descriptors();
	/* write() reports both of these too, and then programs are still detached. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	xf_attach_capture_logs();
	if (argc > 1 && !strcmp(argv[1], "--version")) {
		xf_print_version();
		return XF_EXIT_OK;
	}
	if (argc == 2 && xf_is_help(argv[1])) {
		help();
		return XF_EXIT_OK;
	}
	if (argc < 2 || argv[1][0] == '-')
		return xf_cmd_log(argc, argv);
	command = xf_commands_find(commands, "", argv[1]);
	return command ? command->run(argc - 1, argv + 1) : XF_EXIT_USAGE;
}
