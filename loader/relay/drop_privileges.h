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
	bool change; /* false: we are that user, and stay it */
};

/* Find out as whom to go on: @name, or when it is NULL nobody for root and ourselves for any other
 * user. Returns 0, or -errno after a message: there is no such user, or we cannot become it. */
int xf_user__find(struct xf_user *user, const char *name);

/* Set no_new_privs, become @user without supplementary groups, and keep of the capabilities that we
 * have only those in @keep (a mask of 1ULL << CAP_*): in the permitted and effective sets, with the
 * inheritable and ambient sets and, where we may, the bounding set empty. For a process of one
 * thread; those that it makes later are the same. Returns 0, or -errno after a message. */
int xf_drop_privileges(const struct xf_user *user, uint64_t keep);

/* The capabilities that we have, as far as they are permitted. */
uint64_t xf_caps_permitted(void);

/* "CAP_BPF, CAP_NET_ADMIN", or "none". Returns @out. */
#define XF_CAPS_TEXT 256
char *xf_caps_text(uint64_t caps, char out[XF_CAPS_TEXT]);

#endif
