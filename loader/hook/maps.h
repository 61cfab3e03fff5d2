/* SPDX-License-Identifier: GPL-2.0-only */
/* The maps of a loaded program. */
#ifndef XF_MAPS_H
#define XF_MAPS_H

#include <linux/bpf.h>
#include <stdbool.h>

/* Call @fn with a descriptor of each map of the program and the kernel's information about it. @fn
 * returns true to keep the descriptor, else it is closed. Returns 0, or -errno when a map could not
 * be opened. */
int xf_maps__each(int prog_fd, bool (*fn)(void *arg, int fd, const struct bpf_map_info *info),
		  void *arg);

/* The mark of a program from one of our objects: a read-only section with a struct xf_abi. */
struct xf_abi_mark {
	const char *map;
	__u32 magic, version; /* ours */
};
extern const struct xf_abi_mark xf_abi_logger, xf_abi_firewall;

/* Whether the map is that section; *@version is then the ABI version in it. */
bool xf_maps__is_abi(int fd, const struct bpf_map_info *info, const struct xf_abi_mark *mark,
		     __u32 *version);

#endif
