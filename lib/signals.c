// SPDX-License-Identifier: GPL-2.0-only
/* Signals of a process that runs until one ends it. */
#include "lib/signals.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lib/msg.h"

/* All but those that stop or continue the process, and those that are ignored: by default, or
 * because a write reports the same as an error. */
static sigset_t handled(void)
{
	static const int others[] = { SIGTSTP, SIGTTIN,	 SIGTTOU, SIGCONT, SIGCHLD,
				      SIGURG,  SIGWINCH, SIGPIPE, SIGXFSZ };
	sigset_t signals;

	sigfillset(&signals);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		sigdelset(&signals, others[i]);
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

bool xf_signals_hangup_ends(void)
{
	struct sigaction action;

	return sigaction(SIGHUP, NULL, &action) || action.sa_handler != SIG_IGN;
}

enum xf_signal xf_signals_read(int fd)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != sizeof(info))
		return XF_SIGNAL_NONE;
	switch (info.ssi_signo) {
	case SIGHUP:
		return XF_SIGNAL_HANGUP;
	case SIGUSR1:
		return XF_SIGNAL_COUNTERS;
	case SIGINT:
	case SIGTERM:
		return XF_SIGNAL_END;
	default:
		xf_info("ending because of signal %u (%s)", info.ssi_signo,
			strsignal(info.ssi_signo));
		return XF_SIGNAL_END;
	}
}
