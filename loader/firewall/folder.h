/* SPDX-License-Identifier: GPL-2.0-only */
/* The folder in bpffs in which all rule sets are. Where any user may make folders (a bpffs that was
 * mounted without mode=0700) another user could have made it first, to hide sets, hold their locks
 * or own their rules: it, and each folder in it, is used only if it is root's or this user's, and
 * no other user may write to it. */
#ifndef XF_FW_FOLDER_H
#define XF_FW_FOLDER_H

#include <stdbool.h>
#include <sys/stat.h>

#define XF_FW_PATH_MAX 512

/* Where it is, or would be. Returns 0, or -ENODEV after a message. */
int xf_fw_folder_path(char path[XF_FW_PATH_MAX]);
/* Open it. Returns a descriptor, or -errno without a message: -EPERM when the folder in @path, this
 * one or the one above it, must not be used. */
int xf_fw_folder_open(char path[XF_FW_PATH_MAX]);
/* Make it if need be, and lock it: for making and removing sets. Returns a descriptor, or -errno
 * after a message. */
int xf_fw_folder_lock(void);

/* Whether a folder with this owner and mode may be used. */
bool xf_fw_folder_is_safe(const struct stat *st);
/* Open a folder. The check is made on the descriptor, which cannot be exchanged any more. Returns a
 * descriptor, or -errno without a message: -EPERM when the folder must not be used. */
int xf_fw_folder_open_safe(int parent_fd, const char *name, int flags);
/* Say that it is not used, and why. Returns -EPERM. */
int xf_fw_folder_refuse(const char *path);

#endif
