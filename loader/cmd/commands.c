// SPDX-License-Identifier: GPL-2.0-only
/* Tables of commands. */
#include "loader/cmd/commands.h"

#include <stdio.h>
#include <string.h>

#include "lib/msg.h"
#include "lib/opt.h"
#include "lib/strbuf.h"

#define COMMANDS_MAX 32

/* Compute the widths of the two left columns. */
static void measure(const struct xf_command *commands, int *name, int *words)
{
	*name = *words = 0;
	for (; commands->name; commands++) {
		int name_len = strlen(commands->name);
		int words_len = commands->words ? strlen(commands->words) : 0;

		*name = name_len > *name ? name_len : *name;
		*words = words_len > *words ? words_len : *words;
	}
}

void xf_commands_help(const struct xf_command *commands)
{
	int name, words;

	measure(commands, &name, &words);
	for (; commands->name; commands++) {
		printf("  %-*s  ", name, commands->name);
		if (words)
			printf("%-*s  ", words, commands->words ?: "");
		puts(commands->help);
	}
}

static void hint_all(const char *const *names, const char *before)
{
	struct xf_strbuf list = XF_STRBUF(512);

	xf_strbuf__add_list(&list, names, ", ", " and ");
	xf_hint("the commands are %s; 'xdpfun-load %s--help' explains them", list.at, before);
}

static void say_unknown(const struct xf_command *commands, const char *before, const char *name)
{
	const char *names[COMMANDS_MAX + 1] = {}, *nearest;

	for (size_t i = 0; i < COMMANDS_MAX && commands[i].name; i++)
		names[i] = commands[i].name;
	nearest = xf_nearest(name, names);
	xf_err("there is no command '%s%s'", before, name);
	if (nearest)
		xf_hint("did you mean 'xdpfun-load %s%s'?", before, nearest);
	else
		hint_all(names, before);
}

const struct xf_command *xf_commands_find(const struct xf_command *commands, const char *before,
					  const char *name)
{
	for (const struct xf_command *command = commands; command->name; command++)
		if (!strcmp(command->name, name))
			return command;
	say_unknown(commands, before, name);
	return NULL;
}

bool xf_is_help(const char *word)
{
	return !strcmp(word, "-h") || !strcmp(word, "--help");
}
