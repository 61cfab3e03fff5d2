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

/* How a program shows from which of our objects it came: a section with a struct xf_abi. */
struct xf_abi_mark {
	const char *map;
	__u32 magic, version; /* ours */
};
extern const struct xf_abi_mark xf_abi_logger, xf_abi_firewall;

/* Whether the map is that section; and then in which version of the ABI. */
bool xf_maps__is_abi(int fd, const struct bpf_map_info *info, const struct xf_abi_mark *mark,
		     __u32 *version);

#endif
