// SPDX-License-Identifier: GPL-2.0-only
/* Maps that are created and filled before the program is attached. */
#include "loader/log/preload.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "loader/hook/hints.h"
#include "lib/msg.h"

static const __u32 zero;

/* Create an array map with the one element @value. Returns its descriptor or -errno. */
static int array_of_one(const char *name, __u32 flags, const void *value, __u32 size)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = flags);
	int err, fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(zero), size, 1, &opts);

	if (fd < 0)
		return -errno;
	if (bpf_map_update_elem(fd, &zero, value, BPF_ANY)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

static int rings_create(const struct xf_reader *reader)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .inner_map_fd = reader->rings[0].fd);
	int err, fd = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, XF_RINGS_MAP, sizeof(zero),
				     sizeof(__u32), XF_MAX_CPUS, &opts);

	if (fd < 0)
		return -errno;
	err = xf_reader__install(reader, fd);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

int xf_preload__open(struct xf_preload *pre, const struct xf_reader *reader,
		     const struct xf_config *config, const struct xf_owner *owner)
{
	int err = 0;

	*pre = (struct xf_preload) { -1, -1, -1 };
	pre->rings_fd = rings_create(reader);
	pre->config_fd = array_of_one(XF_CONFIG_MAP, BPF_F_MMAPABLE, config, sizeof(*config));
	pre->owner_fd = array_of_one(XF_OWNER_MAP, 0, owner, sizeof(*owner));
	if (pre->rings_fd < 0)
		err = pre->rings_fd;
	else if (pre->config_fd < 0)
		err = pre->config_fd;
	else if (pre->owner_fd < 0)
		err = pre->owner_fd;
	if (err) {
		xf_err("cannot make the program's maps: %s", strerror(-err));
		if (err == -EPERM)
			xf_hint_locked_memory();
		xf_preload__close(pre);
	}
	return err;
}

void xf_preload__close(struct xf_preload *pre)
{
	int *fds[] = { &pre->rings_fd, &pre->config_fd, &pre->owner_fd };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}

void xf_preload__maps(const struct xf_preload *pre, struct xf_reuse maps[XF_PRELOAD_MAPS])
{
	maps[0] = (struct xf_reuse) { XF_RINGS_MAP, pre->rings_fd };
	maps[1] = (struct xf_reuse) { XF_CONFIG_MAP, pre->config_fd };
	maps[2] = (struct xf_reuse) { XF_OWNER_MAP, pre->owner_fd };
}
