// SPDX-License-Identifier: GPL-2.0-only
/* The command table. */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "loader/cmd/cmd.h"
#include "lib/msg.h"
#include "lib/opt.h"
#include "loader/hook/attach.h"

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{ "log", xf_cmd_log, "attach the packet logger and print its log (the default)" },
	{ "follow", xf_cmd_follow, "print the log of an xdpfun.o that something else loaded" },
	{ "status", xf_cmd_status, "show what is attached where, and our counters" },
	{ "unload", xf_cmd_unload, "remove xdpfun programs that nobody owns any more" },
	{ "firewall", xf_cmd_firewall, "allow or deny packets at the hook" },
	{ "echo", xf_cmd_echo, "send every byte of TCP connections back" },
	{ "forward", xf_cmd_forward, "pass TCP connections on, chosen by their first packet" },
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void help(void)
{
	printf(
	    "Usage: xdpfun-load [COMMAND] [OPTIONS]\n\n"
	    "See and filter packets at XDP speed, next to the XDP programs that already run, and\n"
	    "pass TCP connections on inside the kernel.\n\nCommands:\n");
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  %-8s  %s\n", commands[i].name, commands[i].help);
	printf(
	    "\n'xdpfun-load COMMAND --help' shows a command's options. See also xdpfun-load(8).\n");
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static int unknown(const char *word)
{
	const char *names[COMMANDS + 1] = {};
	const char *nearest;

	for (size_t i = 0; i < COMMANDS; i++)
		names[i] = commands[i].name;
	nearest = xf_nearest(word, names);
	xf_err("there is no command '%s'", word);
	if (nearest)
		xf_hint("did you mean 'xdpfun-load %s'?", nearest);
	else
		xf_hint("the commands are log, follow, status, unload, firewall, echo and "
			"forward; "
			"'xdpfun-load --help' explains them");
	return XF_EXIT_USAGE;
}

static bool is_help(int argc, char **argv)
{
	return argc == 2 && (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"));
}

/* A descriptor that is closed would be given to the next file that we open, and our lines would go
 * there. Open it the wrong way round, so that using it is an error. */
static void fill_standard_descriptors(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", fd ? O_RDONLY : O_WRONLY);
}

int main(int argc, char **argv)
{
	const struct command *command;

	fill_standard_descriptors();
	/* A write says both of these too, and then we can still detach. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	xf_attach_capture_logs();
	if (argc > 1 && !strcmp(argv[1], "--version")) {
		printf("xdpfun-load %s\n", XF_VERSION);
		return XF_EXIT_OK;
	}
	if (is_help(argc, argv)) {
		help();
		return XF_EXIT_OK;
	}
	if (argc < 2 || argv[1][0] == '-')
		return xf_cmd_log(argc, argv);
	command = find(argv[1]);
	return command ? command->run(argc - 1, argv + 1) : unknown(argv[1]);
}
