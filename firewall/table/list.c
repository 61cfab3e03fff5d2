// SPDX-License-Identifier: GPL-2.0-only
/* The contents of a rule set: its rules, and how much of everything. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "lib/time.h"
#include "firewall/table/prefixes.h"
#include "firewall/table/ruleset_impl.h"
#include "firewall/table/words.h"

struct each {
	struct xf_region *region;
	const struct xf_fw_counts *counts;
	const struct xf_addr_words *about; /* NULL: all */
	uint64_t now;
	int (*fn)(void *arg, const struct xf_ruleset_rule *rule);
	void *arg;
};

static uint32_t ttl_of(const struct xf_fw_rule *entry, uint64_t now)
{
	uint64_t expires = entry->expires;

	return expires == XF_FW_FOREVER ? 0 : (expires - now + XF_NSEC - 1) / XF_NSEC;
}

static int to_listed(struct xf_region *region, const struct xf_fw_counts *counts, uint64_t now,
		     uint32_t id, const struct xf_fw_rule *entry, struct xf_ruleset_rule *listed)
{
	const struct xf_fw_total counted = xf_region__counted(region, counts, id);
	int err = xf_rule_from_entry(region, entry, &listed->rule);

	if (err)
		return err;
	listed->rule.ttl = ttl_of(entry, now);
	listed->gen = XF_FW_MARK(region->gen);
	listed->id = id;
	listed->packets = xf_observe(&entry->hits.packets) + counted.packets;
	listed->bytes = xf_observe(&entry->hits.bytes) + counted.bytes;
	return 0;
}

static int each_entry(void *arg, uint32_t id, struct xf_fw_rule *entry)
{
	struct each *each = arg;
	struct xf_ruleset_rule listed;
	int err;

	if (!xf_rule_entry_holds(entry, each->now))
		return 0;
	if (each->about && entry->tail.kind != XF_FW_COMPOSITE &&
	    !xf_prefix_entry_covers(entry, each->about))
		return 0;
	err = to_listed(each->region, each->counts, each->now, id, entry, &listed);
	return err ? err : each->fn(each->arg, &listed);
}

static int walk(struct xf_ruleset *ruleset, struct each *each)
{
	struct xf_fw_counts counts;
	int err = xf_store__counts(&ruleset->store, &counts);

	if (err)
		return err;
	xf_ruleset__refresh(ruleset, each->now);
	err = xf_region__map(&ruleset->region);
	if (err)
		return err;
	each->region = &ruleset->region;
	each->counts = &counts;
	return xf_generation__each(&ruleset->region, each_entry, each);
}

int xf_ruleset__each(struct xf_ruleset *ruleset, uint64_t now,
		     int (*fn)(void *arg, const struct xf_ruleset_rule *rule), void *arg)
{
	struct each each = { .now = now, .fn = fn, .arg = arg };

	return walk(ruleset, &each);
}

static void to_words(const uint8_t *addr, uint8_t family, uint64_t words[2])
{
	words[0] = xf_from_bytes(addr, family == 6 ? 8 : 4);
	words[1] = family == 6 ? xf_from_bytes(addr + 8, 8) : 0;
}

int xf_ruleset__each_about(struct xf_ruleset *ruleset, uint64_t now, uint8_t family,
			   const uint8_t src[16], const uint8_t dst[16],
			   int (*fn)(void *arg, const struct xf_ruleset_rule *rule), void *arg)
{
	struct xf_addr_words about = { .family = family };
	struct each each = { .about = &about, .now = now, .fn = fn, .arg = arg };

	to_words(src, family, about.addr[XF_FW_SRC]);
	to_words(dst, family, about.addr[XF_FW_DST]);
	return walk(ruleset, &each);
}

int xf_ruleset__ttl(struct xf_ruleset *ruleset, const struct xf_rule *rule, uint64_t now,
		    uint32_t *ttl)
{
	const struct xf_fw_rule *entry;
	int err;

	xf_ruleset__refresh(ruleset, now);
	err = xf_region__map(&ruleset->region);
	if (err)
		return err;
	err = xf_generation__find(&ruleset->region, rule, now, &entry);
	if (!err)
		*ttl = ttl_of(entry, now);
	return err;
}

int xf_ruleset__by_id(struct xf_ruleset *ruleset, uint32_t gen, uint32_t id, uint64_t now,
		      struct xf_rule *rule)
{
	const struct xf_fw_rule *entry;

	xf_ruleset__refresh(ruleset, now);
	entry = id <= XF_FW_ID_MASK ? xf_region__entry(&ruleset->region, id) : NULL;
	if (!entry || !xf_rule_entry_holds(entry, now) || !xf_rule_entry_is_rule(entry) ||
	    xf_rule_from_entry(&ruleset->region, entry, rule))
		return -ENOENT;
	/* An entry is taken apart only after its rule has ceased to hold, and a generation and its
	 * tables only after another one holds: if both still hold, all of this was whole. */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (!xf_rule_entry_holds(entry, now) ||
	    xf_ruleset__number(ruleset, now) != ruleset->number ||
	    XF_FW_MARK(ruleset->region.gen) != gen)
		return -ENOENT;
	return 0;
}

static uint64_t pages(uint64_t bytes)
{
	uint64_t page = sysconf(_SC_PAGESIZE);

	return (bytes + page - 1) / page * page;
}

/* Bytes of the tables of all regions, and of the generation that this process builds. */
static uint64_t tables_memory(struct xf_ruleset *ruleset)
{
	uint64_t sum = ruleset->building ? xf_region__size(ruleset->building) : 0;

	for (uint32_t slot = 0; slot < XF_FW_SLOTS; slot++) {
		size_t entries;
		int fd = xf_store__table(&ruleset->store, slot, &entries);

		if (fd < 0)
			continue;
		sum += pages(entries * XF_FW_ENTRY_SIZE) + pages(1);
		close(fd);
	}
	return sum;
}

struct expired {
	uint64_t now, rules, prefixes;
};

static int count_expired(void *arg, uint32_t id, struct xf_fw_rule *entry)
{
	struct expired *expired = arg;

	(void)id;
	if (xf_rule_entry_holds(entry, expired->now))
		return 0;
	expired->rules++;
	expired->prefixes += entry->tail.kind != XF_FW_COMPOSITE;
	return 0;
}

_Static_assert(sizeof(struct xf_ruleset_stats) - offsetof(struct xf_ruleset_stats, allowed) ==
		   sizeof(struct xf_fw_totals),
	       "the totals have one order");

int xf_ruleset__stats(struct xf_ruleset *ruleset, uint64_t now, struct xf_ruleset_stats *stats)
{
	struct expired expired = { .now = now };
	const struct xf_fw_writer *writer;
	struct xf_fw_counts counts;
	int err;

	xf_ruleset__refresh(ruleset, now);
	err = xf_region__map(&ruleset->region);
	if (err)
		return err;
	writer = &ruleset->region.gen->writer;
	if (writer->timed)
		xf_generation__each(&ruleset->region, count_expired, &expired);
	*stats = (struct xf_ruleset_stats) {
		.rules = writer->rules - expired.rules,
		.prefixes = writer->prefixes - expired.prefixes,
		.spaces = writer->spaces_n,
		.spaces_max = XF_FW_SPACES,
		.rules_max = XF_SET_RULES_MAX,
		.memory = tables_memory(ruleset) +
			  pages(sizeof(struct xf_fw_generation) * XF_FW_GENERATIONS) +
			  pages(sizeof(struct xf_fw_root)) + XF_FW_SLOTS * sizeof(void *),
	};
	stats->memory += libbpf_num_possible_cpus() * sizeof(counts);
	err = xf_store__counts(&ruleset->store, &counts);
	memcpy(&stats->allowed, &counts.totals, sizeof(counts.totals));
	return err;
}
