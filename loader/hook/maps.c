// SPDX-License-Identifier: GPL-2.0-only
/* The maps of a loaded program. */
#include "loader/hook/maps.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "xdp-prog/fw_abi.h"

#define MAPS_MAX 64 /* of one program; the kernel's own limit */

const struct xf_abi_mark xf_abi_logger = { XF_ABI_MAP, XF_ABI_MAGIC, XF_ABI_VERSION };
const struct xf_abi_mark xf_abi_firewall = { XF_FW_ABI_MAP, XF_FW_ABI_MAGIC, XF_FW_ABI_VERSION };

int xf_maps__each(int prog_fd, bool (*fn)(void *arg, int fd, const struct bpf_map_info *info),
		  void *arg)
{
	__u32 ids[MAPS_MAX], len = sizeof(struct bpf_prog_info);
	struct bpf_prog_info info = { .nr_map_ids = MAPS_MAX,
				      .map_ids = (__u64)(unsigned long)ids };

	if (bpf_obj_get_info_by_fd(prog_fd, &info, &len))
		return -errno;
	for (__u32 i = 0; i < info.nr_map_ids && i < MAPS_MAX; i++) {
		struct bpf_map_info map = {};
		__u32 map_len = sizeof(map);
		int fd = bpf_map_get_fd_by_id(ids[i]);

		if (fd < 0)
			return -errno;
		if (bpf_obj_get_info_by_fd(fd, &map, &map_len) || !fn(arg, fd, &map))
			close(fd);
	}
	return 0;
}

bool xf_maps__is_abi(int fd, const struct bpf_map_info *info, const struct xf_abi_mark *mark,
		     __u32 *version)
{
	static const __u32 zero;
	struct xf_abi abi;
	bool is = false;
	char *value;

	if (strcmp(info->name, mark->map) || info->value_size < sizeof(abi))
		return false;
	value = calloc(1, info->value_size);
	if (value && !bpf_map_lookup_elem(fd, &zero, value)) {
		memcpy(&abi, value, sizeof(abi));
		is = abi.magic == mark->magic;
		*version = abi.version;
	}
	free(value);
	return is;
}
