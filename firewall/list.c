// SPDX-License-Identifier: GPL-2.0-only
/* What is in a rule set: its rules, and how much of everything. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "firewall/table_impl.h"

#define NS_PER_S 1000000000ull

struct each {
	struct xf_region *region;
	uint64_t now;
	int (*fn)(void *arg, const struct xf_table_entry *entry);
	void *arg;
};

static int to_entry(struct xf_region *region, uint64_t now, uint32_t id,
		    const struct xf_fw_rule *line, struct xf_table_entry *entry)
{
	uint64_t expires = line->expires;
	int err = xf_rule_from_line(region, line, &entry->rule);

	if (err)
		return err;
	if (expires != XF_FW_FOREVER)
		entry->rule.ttl = (expires - now + NS_PER_S - 1) / NS_PER_S;
	entry->id = id;
	entry->packets = __atomic_load_n(&line->packets, __ATOMIC_RELAXED);
	entry->bytes = __atomic_load_n(&line->bytes, __ATOMIC_RELAXED);
	return 0;
}

static int each_line(void *arg, uint32_t id, struct xf_fw_rule *line)
{
	struct each *each = arg;
	struct xf_table_entry entry;
	int err;

	if (!xf_rule_line_holds(line, each->now))
		return 0;
	err = to_entry(each->region, each->now, id, line, &entry);
	return err ? err : each->fn(each->arg, &entry);
}

int xf_table__each(struct xf_table *table, uint64_t now,
		   int (*fn)(void *arg, const struct xf_table_entry *entry), void *arg)
{
	struct each each = { &table->region, now, fn, arg };

	xf_table__refresh(table, now);
	return xf_set__each(&table->region, each_line, &each);
}

int xf_table__by_id(struct xf_table *table, uint32_t id, uint64_t now, struct xf_table_entry *entry)
{
	const struct xf_fw_rule *line;

	xf_table__refresh(table, now);
	line = id <= XF_FW_ID_MASK ? xf_region__line(&table->region, id) : NULL;
	if (!line || !xf_rule_line_is_rule(line) || !xf_rule_line_holds(line, now))
		return -ENOENT;
	return to_entry(&table->region, now, id, line, entry) ? -ENOENT : 0;
}

static uint64_t pages(uint64_t bytes)
{
	uint64_t page = sysconf(_SC_PAGESIZE);

	return (bytes + page - 1) / page * page;
}

/* Of all regions, and of what is built in this process. */
static uint64_t tables_memory(struct xf_table *table)
{
	uint64_t sum = table->building ? xf_region__size(table->building) : 0;

	for (uint32_t slot = 0, id; slot < XF_FW_SLOTS; slot++) {
		struct bpf_map_info info = {};
		__u32 size = sizeof(info);
		int fd;

		if (bpf_map_lookup_elem(table->store.tables_fd, &slot, &id))
			continue;
		fd = bpf_map_get_fd_by_id(id);
		if (fd < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(fd, &info, &size))
			sum += pages((uint64_t)info.max_entries * XF_FW_LINE) + pages(1);
		close(fd);
	}
	return sum;
}

static void add_total(const struct xf_fw_total *from, uint64_t *packets, uint64_t *bytes)
{
	*packets += from->packets;
	*bytes += from->bytes;
}

static int sum_totals(struct xf_table *table, struct xf_table_stats *stats)
{
	int cpus = libbpf_num_possible_cpus();
	struct xf_fw_totals *each = cpus > 0 ? calloc(cpus, sizeof(*each)) : NULL;
	uint32_t zero = 0;
	int err = 0;

	if (!each)
		return cpus > 0 ? -ENOMEM : cpus;
	if (bpf_map_lookup_elem(table->store.totals_fd, &zero, each))
		err = -errno;
	for (int i = 0; i < cpus && !err; i++) {
		add_total(&each[i].allowed, &stats->allowed.packets, &stats->allowed.bytes);
		add_total(&each[i].denied, &stats->denied.packets, &stats->denied.bytes);
		add_total(&each[i].policy_allowed, &stats->policy_allowed.packets,
			  &stats->policy_allowed.bytes);
		add_total(&each[i].policy_denied, &stats->policy_denied.packets,
			  &stats->policy_denied.bytes);
		add_total(&each[i].exempt, &stats->exempt.packets, &stats->exempt.bytes);
	}
	stats->memory += cpus * sizeof(*each);
	free(each);
	return err;
}

struct expired {
	uint64_t now, rules, prefixes;
};

static int count_expired(void *arg, uint32_t id, struct xf_fw_rule *line)
{
	struct expired *expired = arg;

	(void)id;
	if (xf_rule_line_holds(line, expired->now))
		return 0;
	expired->rules++;
	expired->prefixes += line->tail.kind != XF_FW_OTHER;
	return 0;
}

int xf_table__stats(struct xf_table *table, uint64_t now, struct xf_table_stats *stats)
{
	struct expired expired = { .now = now };
	const struct xf_fw_keep *keep;

	xf_table__refresh(table, now);
	keep = &table->region.set->keep;
	if (keep->timed)
		xf_set__each(&table->region, count_expired, &expired);
	*stats = (struct xf_table_stats){
		.rules = keep->rules - expired.rules,
		.prefixes = keep->prefixes - expired.prefixes,
		.shapes = keep->shapes_n,
		.shapes_max = XF_FW_SHAPES,
		.rules_max = XF_SET_RULES_MAX,
		.memory = tables_memory(table) + pages(sizeof(struct xf_fw_set) * XF_FW_SETS) +
			  pages(sizeof(struct xf_fw_root)) + XF_FW_SLOTS * sizeof(void *),
	};
	return sum_totals(table, stats);
}
