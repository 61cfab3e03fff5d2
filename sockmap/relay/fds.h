/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptors made while connections run. When none is left, a connection can only be refused with
 * one that was kept for this, the spare. It is given up for a moment, and no other thread may take
 * it then: so all that are made while connections run are made here. Safe in any thread. */
#ifndef XF_FDS_H
#define XF_FDS_H

#include <sys/socket.h>

/* As accept4(2), socket(2) and pipe2(2), non-blocking and closed on exec. Return the descriptor (0
 * for a pipe), or -errno. */
int xf_fds__accept(int listen_fd, struct sockaddr *peer, socklen_t *len);
int xf_fds__socket(int family, int protocol);
int xf_fds__pipe(int fd[2]);

/* A spare. Returns it, or -errno. */
int xf_fds__spare(void);
/* Turn keepalive on: after @idle seconds without a byte, then every @interval seconds, until @count
 * have not been answered. Accepted sockets inherit it. Returns 0 or -errno. */
int xf_fds__keep_alive(int fd, int idle, int interval, int count);
/* Accept a connection of @listen_fd in place of *@spare, and reset it. *@spare is a spare again, or
 * -1 when another process took the machine's last descriptor (ENFILE). Returns 0, or -errno:
 * -EAGAIN when no connection is waiting. */
int xf_fds__refuse(int listen_fd, int *spare);
/* Close with a reset: nothing was sent that it could cut off, and no state stays in the kernel. */
void xf_reset(int fd);

#endif
