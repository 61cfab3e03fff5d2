/* SPDX-License-Identifier: GPL-2.0-only */
/* How the interfaces of this network namespace hang together. */
#ifndef XF_LINKS_H
#define XF_LINKS_H

#include <net/if.h>
#include <stdbool.h>

#define XF_LINK_KIND 16

struct xf_link_info {
	unsigned int ifindex;
	char name[IF_NAMESIZE];
	unsigned int lower;	       /* the one that is its link below, in this namespace, or 0 */
	unsigned int master;	       /* the one of which it is a port or slave, or 0 */
	char kind[XF_LINK_KIND];       /* "vlan", "bridge", or "" */
	char slave_kind[XF_LINK_KIND]; /* its master's kind, or "" */
	bool has_program;	       /* of XDP */
};

/* Call @fn for each. Returns 0 or -errno. */
int xf_links_each(void (*fn)(void *arg, const struct xf_link_info *link), void *arg);

#endif
