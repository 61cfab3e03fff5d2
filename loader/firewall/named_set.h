/* SPDX-License-Identifier: GPL-2.0-only */
/* A rule set, locked and ready to be read or changed. */
#ifndef XF_NAMED_SET_H
#define XF_NAMED_SET_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/time.h"
#include "firewall/table/ruleset.h"
#include "loader/firewall/pins.h"

enum xf_fw_use {
	XF_FW_READ,
	XF_FW_CHANGE,
	XF_FW_CREATE, /* change it, after making it if there is none */
	XF_FW_ATTACH, /* the same, and it will hold again if it was on hold */
};

struct xf_named_set {
	struct xf_fw_pins pins;
	struct xf_ruleset *ruleset;
	bool created;
};

/* Returns 0, or -errno after a message, -ENOENT when there is no such set. */
int xf_named_set__open(struct xf_named_set *set, const char *name, enum xf_fw_use use);
void xf_named_set__close(struct xf_named_set *set);
/* Let other processes change it from here on. Functions that need no lock still work. */
void xf_named_set__unlock(struct xf_named_set *set);

/* Print why a change of the table failed, -E2BIG or the like, in one line. */
void xf_named_set__explain(const struct xf_named_set *set, const char *what, int err);

/* There is no set of this name: say which there are. */
void xf_named_set__missing(const char *name);

#endif
