// SPDX-License-Identifier: GPL-2.0-only
/* Add and delete in one generation. A rule holds from the moment at which its expiry time is set
 * until that becomes 0: no verdict depends on the steps before and after. */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "lib/time.h"
#include "firewall/table/index.h"
#include "firewall/table/composite.h"
#include "firewall/table/prefixes.h"
#include "firewall/table/generation_rules.h"

#define SWEEP_RULES 64 /* along with each change */

int xf_generation__init(struct xf_region *region, uint32_t slot, bool deny, uint64_t expected_rules)
{
	struct xf_fw_generation *gen = region->gen;

	memset(gen, 0, sizeof(*gen));
	gen->slot = slot;
	gen->deny = deny;
	gen->sharing = region->store->sharing;
	if (getrandom(gen->seed, sizeof(gen->seed), 0) != sizeof(gen->seed))
		return -errno;
	for (int i = 0; i < XF_FW_SEEDS; i++)
		gen->seed[i] |= 1;
	return xf_index__make(region, expected_rules);
}

bool xf_rule_entry_holds(const struct xf_fw_rule *entry, uint64_t now)
{
	return xf_observe(&entry->expires) > now;
}

int xf_rule_from_entry(struct xf_region *region, const struct xf_fw_rule *entry,
		       struct xf_rule *rule)
{
	if (entry->tail.kind == XF_FW_COMPOSITE)
		return xf_rule_from_composite_entry(region, entry, rule);
	xf_rule_from_prefix_entry(entry, rule);
	return 0;
}

static uint64_t expiry(const struct xf_rule *rule, uint64_t now)
{
	return rule->ttl ? now + rule->ttl * XF_NSEC : XF_FW_FOREVER;
}

static void set_expiry(struct xf_region *region, struct xf_fw_rule *entry, uint64_t expires)
{
	struct xf_fw_writer *writer = &region->gen->writer;

	if (entry->expires && entry->expires != XF_FW_FOREVER)
		writer->timed--;
	if (expires && expires != XF_FW_FOREVER)
		writer->timed++;
	xf_publish(&entry->expires, expires);
}

static int find(struct xf_region *region, const struct xf_rule *rule, uint32_t *id)
{
	return xf_is_single_prefix(rule) ? xf_prefix__find(region, rule, id)
					 : xf_composite__find(region, rule, id);
}

static void count(struct xf_region *region, uint8_t kind, int change)
{
	region->gen->writer.rules += change;
	if (kind != XF_FW_COMPOSITE)
		region->gen->writer.prefixes += change;
}

static void take_out(struct xf_region *region, uint32_t id, struct xf_fw_rule *entry)
{
	uint8_t kind = entry->tail.kind;

	set_expiry(region, entry, 0);
	xf_region__leave_counter(region, entry->tail.counter);
	count(region, kind, -1);
	if (kind == XF_FW_COMPOSITE)
		xf_composite__remove(region, id);
	else
		xf_prefix__remove(region, id);
}

static int insert(struct xf_region *region, const struct xf_rule *rule, uint32_t *id)
{
	int err;

	if (region->gen->writer.rules >= XF_SET_RULES_MAX)
		return xf_store__refuse(region->store, -E2BIG, "a rule set has at most %u rules",
					XF_SET_RULES_MAX);
	err = xf_is_single_prefix(rule) ? xf_prefix__insert(region, rule, id)
					: xf_composite__insert(region, rule, id);
	if (!err)
		count(region, xf_is_single_prefix(rule) ? XF_FW_PREFIX4 : XF_FW_COMPOSITE, 1);
	return err;
}

/* Whether packets of many flows, and so on many CPUs, are likely to meet the rule. */
static bool is_wide(const struct xf_rule *rule)
{
	const struct xf_prefix *prefix = rule->has == XF_RULE_SRC ? &rule->src : &rule->dst;

	return !xf_is_single_prefix(rule) || prefix->len <= (rule->family == 6 ? 48 : 24);
}

/* Let the counters of a rule that does not hold begin at 0. */
static int reset_counters(struct xf_region *region, const struct xf_rule *rule, uint32_t id,
			  struct xf_fw_rule *entry)
{
	struct xf_fw_total counted;
	struct xf_fw_counts counts;
	int err = 0;

	if (!entry->tail.counter)
		entry->tail.counter = xf_region__take_counter(region, id, is_wide(rule));
	if (entry->tail.counter)
		err = xf_store__counts(region->store, &counts);
	if (err)
		return err;
	counted = xf_region__counted(region, &counts, id);
	entry->hits.packets = -counted.packets;
	entry->hits.bytes = -counted.bytes;
	return 0;
}

/* The rule's entry in *entry, a new one if need be. Returns 0, -EEXIST or another -errno. */
static int find_or_insert(struct xf_region *region, const struct xf_rule *rule, uint64_t now,
			  struct xf_fw_rule **entry)
{
	uint32_t id;
	int err = find(region, rule, &id);

	if (err == -ENOENT)
		err = insert(region, rule, &id);
	if (err)
		return err;
	*entry = xf_region__entry(region, id);
	if (xf_rule_entry_holds(*entry, now))
		return -EEXIST;
	return reset_counters(region, rule, id, *entry);
}

int xf_generation__add(struct xf_region *region, const struct xf_rule *rule, uint64_t now)
{
	struct xf_fw_rule *entry;
	int err;

	if (!rule->has)
		return -EINVAL;
	xf_generation__expire(region, now, SWEEP_RULES);
	err = find_or_insert(region, rule, now, &entry);
	/* A feed that blocks an address for an hour does not end a block for good. */
	if (!err || (err == -EEXIST && entry->expires < expiry(rule, now)))
		set_expiry(region, entry, expiry(rule, now));
	return err;
}

int xf_generation__find(struct xf_region *region, const struct xf_rule *rule, uint64_t now,
			const struct xf_fw_rule **entry)
{
	uint32_t id;
	int err = find(region, rule, &id);

	if (err)
		return err == -EAGAIN ? -ENOENT : err;
	*entry = xf_region__entry(region, id);
	return xf_rule_entry_holds(*entry, now) ? 0 : -ENOENT;
}

int xf_generation__add_counted(struct xf_region *region, const struct xf_rule *rule,
			       uint64_t expires, uint64_t packets, uint64_t bytes)
{
	struct xf_fw_rule *added;
	int err = find_or_insert(region, rule, 0, &added);

	if (err)
		return err;
	added->hits.packets += packets;
	added->hits.bytes += bytes;
	set_expiry(region, added, expires);
	return 0;
}

int xf_generation__del(struct xf_region *region, const struct xf_rule *rule, uint64_t now)
{
	struct xf_fw_rule *entry;
	bool held;
	uint32_t id;
	int err;

	xf_generation__expire(region, now, SWEEP_RULES);
	err = find(region, rule, &id);
	if (err)
		return err == -EAGAIN ? -ENOENT : err;
	entry = xf_region__entry(region, id);
	held = xf_rule_entry_holds(entry, now);
	take_out(region, id, entry);
	return held ? 0 : -ENOENT;
}

bool xf_rule_entry_is_rule(const struct xf_fw_rule *entry)
{
	return entry->tail.kind == XF_FW_PREFIX4 || entry->tail.kind == XF_FW_PREFIX6 ||
	       entry->tail.kind == XF_FW_COMPOSITE;
}

/* The next id after this one for which there is an entry, or 0 at the end. */
static uint32_t next_id(struct xf_region *region, uint32_t id)
{
	id++;
	if (xf_region__entry(region, id))
		return id < region->gen->writer.fresh ? id : 0;
	id = ((id - 1) | 0xffff) + 1;
	return id < region->gen->writer.fresh && xf_region__entry(region, id) ? id : 0;
}

size_t xf_generation__expire(struct xf_region *region, uint64_t now, uint64_t entries)
{
	struct xf_fw_writer *writer = &region->gen->writer;
	size_t n = 0;

	if (!writer->timed)
		return 0;
	while (entries--) {
		struct xf_fw_rule *entry;

		writer->swept = next_id(region, writer->swept);
		entry = xf_region__entry(region, writer->swept);
		if (!entry || !xf_rule_entry_is_rule(entry) || xf_rule_entry_holds(entry, now))
			continue;
		take_out(region, writer->swept, entry);
		n++;
	}
	return n;
}

int xf_generation__each(struct xf_region *region,
			int (*fn)(void *arg, uint32_t id, struct xf_fw_rule *entry), void *arg)
{
	int err = 0;

	for (uint32_t id = next_id(region, 0); id && !err; id = next_id(region, id)) {
		struct xf_fw_rule *entry = xf_region__entry(region, id);

		if (xf_rule_entry_is_rule(entry))
			err = fn(arg, id, entry);
	}
	return err;
}
