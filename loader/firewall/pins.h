/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the maps of a rule set are pinned: a folder for each set in bpffs, which outlives every
 * process, and whose lock lets one process at a time change the set. */
#ifndef XF_FW_PINS_H
#define XF_FW_PINS_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "loader/firewall/folder.h"

#define XF_FW_NAME_MAX 32
#define XF_FW_MAPS_MAX 16

struct xf_ruleset_map;

struct xf_fw_pins {
	char name[XF_FW_NAME_MAX + 1]; /* of the set */
	char path[XF_FW_PATH_MAX];
	int fd; /* the folder, which is locked; -1: closed */
};

/* Whether a set may have this name. Returns 0, or -EINVAL after a message. */
int xf_fw_name_check(const char *name);

/* Only fill in the path of the folder that the set has, or would have. Returns 0 or -errno after a
 * message. */
int xf_fw_pins__path(struct xf_fw_pins *pins, const char *name);

/* Open and lock the folder of a set: shared for reading, else for this process alone; waits for
 * other processes, and says so when it takes long. Returns 0, -ENOENT without a message when there
 * is no such set, or another -errno after a message: -EPERM when another user has made it, or one
 * of the folders above it. */
int xf_fw_pins__open(struct xf_fw_pins *pins, const char *name, bool change);
void xf_fw_pins__close(struct xf_fw_pins *pins);

/* Make the folder of a set with these maps in it, all or nothing. Returns 0, also when another
 * process has made it meanwhile, or -errno after a message. */
int xf_fw_pins__make(const char *name, const struct xf_ruleset_map *maps, size_t n);

/* Descriptors of all maps there, to be closed by the caller. Returns their number, at most
 * XF_FW_MAPS_MAX, or -errno. The names belong to *@names. */
struct xf_fw_map_names {
	char at[XF_FW_MAPS_MAX][16];
};
int xf_fw_pins__maps(const struct xf_fw_pins *pins, struct xf_ruleset_map *maps,
		     struct xf_fw_map_names *names);

/* The id of the map that programs of this set have in common, or 0. */
__u32 xf_fw_pins__root_id(const struct xf_fw_pins *pins);

/* Take the folder and all pins away. The lock is held until the close. Returns 0 or -errno after a
 * message. */
int xf_fw_pins__remove(struct xf_fw_pins *pins);

/* Call @fn with the name of each set. Its non-zero ends it and is returned. Folders that another
 * user has made are no sets; when it is the one of all sets, returns -EPERM, without a message. */
int xf_fw_pins__each(int (*fn)(void *arg, const char *name), void *arg);

#endif
