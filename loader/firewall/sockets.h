/* SPDX-License-Identifier: GPL-2.0-only */
/* The sockets of this network namespace that anyone may send to: TCP listeners, UDP and raw
 * sockets that are not connected, UDP-Lite sockets, SCTP endpoints. */
#ifndef XF_FW_SOCKETS_H
#define XF_FW_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firewall/rule/rule.h"

#define XF_FW_COMM_MAX 15

struct xf_fw_socket {
	uint8_t proto;
	uint8_t family;	  /* 4, 6, or 0: it may be both */
	bool any_addr;	  /* it is bound to no address */
	uint8_t addr[16]; /* else this one; IPv4 in the first four bytes */
	uint16_t port;	  /* 0: a raw one, or of UDP-Lite */
	unsigned long inode;
	char owner[XF_FW_COMM_MAX +
		   1]; /* name of a process that has it, safe to print; "": not known */
};

struct xf_fw_sockets {
	struct xf_fw_socket *at;
	size_t n, space;
};

/* All that packets of others can reach: not those on the loopback addresses, nor those for what the
 * policy deny lets through. Begin with all zero. Returns 0 or -ENOMEM. */
int xf_fw_sockets__read(struct xf_fw_sockets *sockets);
void xf_fw_sockets__free(struct xf_fw_sockets *sockets);
/* Find their processes. */
void xf_fw_sockets__name(struct xf_fw_sockets *sockets);

/* Whether a rule is for this socket: it allows packets to it, and either from anywhere, or it
 * names its port or protocol. One that only names peers says nothing of what they may reach. */
bool xf_fw_rule_serves(const struct xf_rule *rule, const struct xf_fw_socket *socket);

#endif
