/* SPDX-License-Identifier: GPL-2.0-only */
/* The signals of a command that runs until it is ended: SIGINT, SIGTERM and SIGHUP. */
#ifndef XF_SIGNALS_H
#define XF_SIGNALS_H

/* Block them in this thread and those that it makes, so that none is lost before they are read. */
void xf_signals_block(void);
/* Open a non-blocking signalfd for them. Returns its descriptor or -errno. */
int xf_signals_open(void);

#endif
