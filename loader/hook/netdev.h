/* SPDX-License-Identifier: GPL-2.0-only */
/* Network interfaces: names, and news about them from the kernel. */
#ifndef XF_NETDEV_H
#define XF_NETDEV_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

/* The index of an interface, or 0 after an error that lists the interfaces that are up. */
unsigned int xf_netdev_find(const char *name);

enum xf_netdev_event_kind {
	XF_NETDEV_CHANGED, /* anything, its name and what is attached to it among that */
	XF_NETDEV_DELETED,
	XF_NETDEV_MOVED,  /* into another network namespace, where it lives on with its program */
	XF_NETDEV_MISSED, /* there was more news than the socket could hold: look at everything */
};

struct xf_netdev_event {
	enum xf_netdev_event_kind kind;
	unsigned int ifindex;
	char name[IF_NAMESIZE]; /* for XF_NETDEV_CHANGED */
};

/* A socket that becomes readable when there is news. Returns its descriptor or -errno. */
int xf_netdev_watch(void);
/* Read what there is and call @fn for each piece of news. */
void xf_netdev_read(int fd, void (*fn)(void *ctx, const struct xf_netdev_event *event), void *ctx);

/* Warn about an offload that hides part of the packets from XDP. */
void xf_netdev_warn_offloads(const char *name);

#endif
