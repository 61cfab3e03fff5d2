/* SPDX-License-Identifier: GPL-2.0-only */
/* The tables of sockets in /proc/PID/net, which need no module of the kernel as sock_diag(7) does.
 */
#ifndef XF_FW_PROC_NET_H
#define XF_FW_PROC_NET_H

#include <stdint.h>
#include <stdio.h>

/* The kernel's numbers, which a socket of any protocol has. */
enum xf_proc_state {
	XF_PROC_ESTABLISHED = 1, /* for UDP: connected */
	XF_PROC_CLOSED = 7,	 /* for UDP and raw sockets: not connected */
	XF_PROC_LISTEN = 10,
};

/* IPv4 in the first four bytes, also where an IPv6 socket has it. */
struct xf_proc_end {
	uint8_t family; /* 4 or 6 */
	uint8_t addr[16];
	uint16_t port; /* of a raw socket the protocol */
};

struct xf_proc_socket {
	struct xf_proc_end local, remote;
	unsigned int state; /* enum xf_proc_state, or another one */
	unsigned long inode;
};

/* An address that an IPv6 socket has: IPv4 where it is mapped into IPv6. */
void xf_proc_take_addr(const uint8_t addr[16], struct xf_proc_end *end);

/* Open a file of a process in /proc. Returns NULL when it cannot be read. */
FILE *xf_proc_open(int pid, const char *name);

/* Call @fn for each socket in a table of the network namespace in which a process is, like "tcp6".
 * Its non-zero ends it and is returned. A table that is not there has none. */
int xf_proc_net_each(int pid, const char *table,
		     int (*fn)(void *arg, const struct xf_proc_socket *socket), void *arg);
/* The same for each local address of each endpoint in net/sctp/eps, which has a form of its own;
 * @file may be NULL. They have no remote end. */
int xf_proc_sctp_each(FILE *file, int (*fn)(void *arg, const struct xf_proc_socket *socket),
		      void *arg);

#endif
