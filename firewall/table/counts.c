// SPDX-License-Identifier: GPL-2.0-only
/* The counters of all CPUs. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "firewall/table/region.h"

#define WORDS (sizeof(struct xf_fw_counts) / sizeof(uint64_t))

int xf_store__counts(const struct xf_store *store, struct xf_fw_counts *sum)
{
	int cpus = libbpf_num_possible_cpus(), err = 0;
	struct xf_fw_counts *each = cpus > 0 ? malloc(cpus * sizeof(*each)) : NULL;
	uint32_t zero = 0;

	if (!each)
		return cpus > 0 ? -ENOMEM : cpus;
	memset(sum, 0, sizeof(*sum));
	if (bpf_map_lookup_elem(store->counts_fd, &zero, each))
		err = -errno;
	for (int cpu = 0; cpu < cpus && !err; cpu++)
		for (size_t i = 0; i < WORDS; i++)
			((uint64_t *)sum)[i] += ((const uint64_t *)&each[cpu])[i];
	free(each);
	return err;
}

const struct xf_fw_total *xf_region__counted(const struct xf_region *region,
					     const struct xf_fw_counts *counts, uint32_t id)
{
	if (id >= XF_FW_COUNTED_ENTRIES)
		return NULL;
	return &counts->entry[region->set->slot / XF_FW_REGION_SLOTS][id];
}
