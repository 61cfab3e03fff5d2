// SPDX-License-Identifier: GPL-2.0-only
/* Changes many slots of a map of maps. */
#include "loader/hook/slots.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>

#include "lib/parallel.h"

struct change {
	int map_fd;
	const int *fds; /* NULL: empty the slots */
};

static int change_slot(void *arg, size_t i)
{
	const struct change *change = arg;
	__u32 slot = i;

	if (change->fds)
		return bpf_map_update_elem(change->map_fd, &slot, &change->fds[i], BPF_ANY) ? -errno
											    : 0;
	bpf_map_delete_elem(change->map_fd, &slot); /* ENOENT: empty already */
	return 0;
}

int xf_slots_fill(int map_fd, const int *fds, unsigned int n)
{
	__u32 count = n, *keys = calloc(n ? n : 1, sizeof(*keys));
	struct change change = { map_fd, fds };
	int err;

	if (!keys)
		return -ENOMEM;
	for (unsigned int i = 0; i < n; i++)
		keys[i] = i;
	/* Kernels before 5.13 have no batches for these maps. */
	err = bpf_map_update_batch(map_fd, keys, fds, &count, NULL);
	free(keys);
	/* Before 6.8 a batch does not wait for running programs; a single change always does. */
	return xf_parallel(err ? n : n > 0, change_slot, &change);
}

void xf_slots_empty(int map_fd, unsigned int n)
{
	struct change change = { map_fd, NULL };

	xf_parallel(n, change_slot, &change);
}
