// SPDX-License-Identifier: GPL-2.0-only
/* The signals of a command that runs until it is ended. */
#include "lib/signals.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>

static sigset_t handled(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	return signals;
}

void xf_signals_block(void)
{
	sigset_t signals = handled();

	sigprocmask(SIG_BLOCK, &signals, NULL);
}

int xf_signals_open(void)
{
	sigset_t signals = handled();
	int fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);

	return fd < 0 ? -errno : fd;
}
