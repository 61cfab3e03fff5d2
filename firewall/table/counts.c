// SPDX-License-Identifier: GPL-2.0-only
/* The counters of all CPUs, and where those of a rule are. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firewall/table/region.h"

#define WORDS (sizeof(struct xf_fw_counts) / sizeof(uint64_t))
#define POSSIBLE "/sys/devices/system/cpu/possible"

/* "0-3,8-11": numbers may be left out, so the last one counts. */
int xf_cpu_numbers(void)
{
	FILE *file = fopen(POSSIBLE, "re");
	unsigned int last = 0;
	int err = file ? 0 : -errno;

	if (file && fscanf(file, "%u", &last) != 1)
		err = -EIO;
	while (!err && fscanf(file, "%*[-,]%u", &last) == 1)
		;
	if (file)
		fclose(file);
	return err ? err : (int)last + 1;
}

size_t xf_chunk_entries(uint32_t chunk)
{
	return 1ul << XF_FW_CHUNK_SHIFT(chunk);
}

static size_t lines_of(uint32_t chunk)
{
	return xf_chunk_entries(chunk) / XF_FW_LINE_TOTALS;
}

size_t xf_chunk_size(uint32_t chunk, uint32_t cpus, uint32_t sharing)
{
	return xf_chunk_entries(chunk) + ((cpus - 1) >> sharing) * lines_of(chunk);
}

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

struct xf_fw_total xf_region__counted(struct xf_region *region, const struct xf_fw_counts *counts,
				      uint32_t id)
{
	uint32_t chunk = id >> 16, nth = id & 0xffff;
	size_t at = xf_chunk_entries(chunk) + nth / XF_FW_LINE_TOTALS;
	const struct xf_fw_entry *table = xf_region__table(region, chunk);
	const struct xf_fw_rule *rule = xf_region__entry(region, id);
	struct xf_fw_total sum = { 0 };

	if (rule && rule->tail.counter && rule->tail.counter < XF_FW_COUNTERS)
		sum = counts->rule[region->gen->slot / XF_FW_REGION_SLOTS][rule->tail.counter];
	for (; table && at < region->entries[chunk]; at += lines_of(chunk)) {
		const struct xf_fw_total *line = (const struct xf_fw_total *)&table[at];
		const struct xf_fw_total *total = &line[nth % XF_FW_LINE_TOTALS];

		sum.packets += __atomic_load_n(&total->packets, __ATOMIC_RELAXED);
		sum.bytes += __atomic_load_n(&total->bytes, __ATOMIC_RELAXED);
	}
	return sum;
}

uint32_t xf_region__take_counter(struct xf_region *region, uint32_t id, bool wide)
{
	struct xf_fw_writer *writer = &region->gen->writer;

	if (writer->counters_n >= (wide ? XF_FW_COUNTERS - 1 : XF_FW_COUNTERS / 2))
		return 0;
	for (uint32_t nth = 1; nth < XF_FW_COUNTERS; nth++) {
		if (writer->counter[nth])
			continue;
		writer->counter[nth] = id;
		writer->counters_n++;
		return nth;
	}
	return 0;
}

static void give_up(struct xf_fw_writer *writer, uint32_t nth)
{
	writer->counter[nth] = 0;
	writer->counters_n--;
}

void xf_region__leave_counter(struct xf_region *region, uint32_t nth)
{
	if (!nth || nth >= XF_FW_COUNTERS)
		return;
	if (region->live)
		region->gen->writer.counter[nth] = XF_FW_COUNTER_LEFT;
	else
		give_up(&region->gen->writer, nth);
}

void xf_region__free_counters(struct xf_region *region)
{
	struct xf_fw_writer *writer = &region->gen->writer;

	for (uint32_t nth = 1; nth < XF_FW_COUNTERS; nth++)
		if (writer->counter[nth] == XF_FW_COUNTER_LEFT)
			give_up(writer, nth);
}
