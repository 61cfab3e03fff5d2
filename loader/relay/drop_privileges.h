/* SPDX-License-Identifier: GPL-2.0-only */
/* Give up privileges, for good. */
#ifndef XF_DROP_PRIVILEGES_H
#define XF_DROP_PRIVILEGES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct xf_user {
	char name[64]; /* for messages */
	uid_t uid;
	gid_t gid;
	bool drop_groups; /* there are supplementary groups, and they can be given up */
};

/* Look up the user to become: @name, "NAME" or "UID" and perhaps ":GROUP"; or, when that is NULL,
 * for root xdpfun where there is such a user, else nobody, and the same user for any other. Root
 * that cannot become it stays root, after a warning that says why. Returns 0, or -errno after a
 * message: there is no such user, or the process cannot become it. */
int xf_user__find(struct xf_user *user, const char *name);

/* Set no_new_privs, become @user, without supplementary groups where they can be given up, and drop
 * all capabilities but those in @keep (a mask of 1ULL << CAP_*). @keep stays permitted and
 * effective; the inheritable and ambient sets and, if the process may change it, the bounding set
 * become empty. For a process of one thread; later threads inherit all of it. Returns 0, or -errno
 * after a message. */
int xf_drop_privileges(const struct xf_user *user, uint64_t keep);

/* The permitted capabilities of this process. */
uint64_t xf_caps_permitted(void);

/* Write capabilities as "CAP_BPF, CAP_NET_ADMIN", or "none". Returns @out. */
#define XF_CAPS_TEXT 256
char *xf_caps_text(uint64_t caps, char out[XF_CAPS_TEXT]);

#endif
