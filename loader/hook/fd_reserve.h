/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptors that are kept back for attaching and detaching, so that a process that has run out of
 * descriptors can still detach its programs. A process has one reserve, as it has one limit. */
#ifndef XF_FD_RESERVE_H
#define XF_FD_RESERVE_H

/* libxdp opens a few for each of the ten programs of a chain, and some thirty besides. */
#define XF_FD_RESERVE 96

/* Open the reserve. Returns 0, or -errno after a message. */
int xf_fd_reserve__open(void);
void xf_fd_reserve__close(void);

/* Close its descriptors until xf_fd_reserve__take_back(). Does nothing without a reserve. */
void xf_fd_reserve__lend(void);
/* Open them again, as many as possible. Returns 0, or -errno when not all could be opened. */
int xf_fd_reserve__take_back(void);

#endif
