/* SPDX-License-Identifier: GPL-2.0-only */
/* Signals of a process that runs until one ends it. All whose default is to end the process are
 * read from a descriptor, so that none of them ends it before it has cleaned up. */
#ifndef XF_SIGNALS_H
#define XF_SIGNALS_H

#include <stdbool.h>

enum xf_signal {
	XF_SIGNAL_NONE,	    /* none is pending */
	XF_SIGNAL_END,	    /* SIGINT, SIGTERM, and all others */
	XF_SIGNAL_HANGUP,   /* SIGHUP */
	XF_SIGNAL_COUNTERS, /* SIGUSR1 */
};

/* Block the signals in this thread and those that it makes, so that none is lost before they are
 * read. A fault of the process itself (SIGSEGV and the like) and abort() still end it. */
void xf_signals_block(void);
/* Open a non-blocking signalfd for them. Returns its descriptor or -errno. */
int xf_signals_open(void);
/* Whether a SIGHUP that asks for nothing else ends the process. It does not when it was ignored at
 * the start, as nohup does; a signal that is blocked is read all the same. */
bool xf_signals_hangup_ends(void);
/* Take the next one. A message names a signal that is an unusual way to end a process. */
enum xf_signal xf_signals_read(int fd);

#endif
