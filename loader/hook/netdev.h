/* SPDX-License-Identifier: GPL-2.0-only */
/* Network interfaces: their names, and netlink notifications about them. */
#ifndef XF_NETDEV_H
#define XF_NETDEV_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

struct xf_netdev {
	unsigned int ifindex;
	char name[IF_NAMESIZE]; /* the kernel's, also when it was found by an alternative name */
};

/* Find an interface by its name or an alternative name of any length. Returns 0, or -errno without
 * a message: -ENODEV when there is none. */
int xf_netdev_lookup(const char *name, struct xf_netdev *dev);
/* The same, with an error message that lists the interfaces that are up. */
int xf_netdev_find(const char *name, struct xf_netdev *dev);

/* The header with which the frames of an interface begin: an enum xf_link; -EPROTONOSUPPORT with
 * the kernel's number for its kind (ARPHRD_*) in *@type when it is neither; -EOPNOTSUPP for a
 * tunnel before Linux 5.14, and -EADDRNOTAVAIL for GRE without a fixed remote end, of which XDP
 * sees the outer header; or another -errno. */
int xf_netdev_frames(const char *name, unsigned int *type);

enum xf_netdev_event_kind {
	XF_NETDEV_CHANGED, /* any property, among them its name and its XDP program */
	XF_NETDEV_DELETED,
	XF_NETDEV_MOVED,  /* into another network namespace, where it lives on with its program */
	XF_NETDEV_MISSED, /* the socket overflowed: any interface may have changed */
};

struct xf_netdev_event {
	enum xf_netdev_event_kind kind;
	unsigned int ifindex;
	char name[IF_NAMESIZE]; /* for XF_NETDEV_CHANGED */
	bool up;		/* for XF_NETDEV_CHANGED */
};

/* Open a netlink socket, which becomes readable when an interface changes. Returns its descriptor
 * or -errno. */
int xf_netdev_watch(void);
/* Read all pending notifications and call @fn for each. */
void xf_netdev_read(int fd, void (*fn)(void *ctx, const struct xf_netdev_event *event), void *ctx);

/* Call @fn with XF_NETDEV_CHANGED for each interface that there is. Returns 0 or -errno. */
int xf_netdev_each(void (*fn)(void *ctx, const struct xf_netdev_event *event), void *ctx);

/* Warn about an offload that hides part of the packets from XDP. */
void xf_netdev_warn_offloads(const char *name);

#endif
