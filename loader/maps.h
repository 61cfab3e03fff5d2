/* SPDX-License-Identifier: GPL-2.0-only */
/* The maps of a loaded program. */
#ifndef XF_MAPS_H
#define XF_MAPS_H

#include <linux/bpf.h>
#include <stdbool.h>

/* Call @fn with a descriptor of each map of the program and what the kernel says about it. When it
 * returns true the descriptor is its own, else it is closed. Returns 0, or -errno when not all maps
 * could be looked at. */
int xf_maps__each(int prog_fd, bool (*fn)(void *arg, int fd, const struct bpf_map_info *info),
		  void *arg);

/* Whether the map is the section of this name, with this magic number, that says from which object
 * a program came; and then in which version of the ABI. */
bool xf_maps__is_abi(int fd, const struct bpf_map_info *info, const char *name, __u32 magic,
		     __u32 *version);

#endif
