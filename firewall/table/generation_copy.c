// SPDX-License-Identifier: GPL-2.0-only
/* From one generation to another: rule by rule, or table by table. */
#include <errno.h>
#include <string.h>

#include "firewall/table/generation_rules.h"
#include "firewall/table/tuple_spaces.h"

struct copy {
	struct xf_region *from, *to;
	struct xf_fw_counts counts;
	uint64_t now;
};

static int copy_rule(void *arg, uint32_t id, struct xf_fw_rule *entry)
{
	struct copy *copy = arg;
	struct xf_fw_total counted;
	struct xf_rule rule;
	int err;

	if (!xf_rule_entry_holds(entry, copy->now))
		return 0;
	err = xf_rule_from_entry(copy->from, entry, &rule);
	if (err)
		return err;
	counted = xf_region__counted(copy->from, &copy->counts, id);
	return xf_generation__add_counted(copy->to, &rule, entry->expires,
					  entry->hits.packets + counted.packets,
					  entry->hits.bytes + counted.bytes);
}

int xf_generation__copy_rules(struct xf_region *from, struct xf_region *to, uint64_t now)
{
	struct copy copy = { .from = from, .to = to, .now = now };
	int err = xf_store__counts(from->store, &copy.counts);

	return err ? err : xf_generation__each(from, copy_rule, &copy);
}

static int copy_if_protects(void *arg, uint32_t id, struct xf_fw_rule *entry)
{
	return entry->rank & XF_FW_RANK_PROTECT ? copy_rule(arg, id, entry) : 0;
}

int xf_generation__copy_protecting(struct xf_region *from, struct xf_region *to, uint64_t now)
{
	struct copy copy = { .from = from, .to = to, .now = now };
	int err;

	/* Else the other rules need not be looked through, of which there may be a million. */
	if (!xf_spaces__protect(from))
		return 0;
	err = xf_store__counts(from->store, &copy.counts);
	return err ? err : xf_generation__each(from, copy_if_protects, &copy);
}

static int clone_table(struct xf_region *from, struct xf_region *to, uint32_t slot)
{
	void *table = xf_region__table(from, slot);
	int err;

	if (!table)
		return 0;
	err = xf_region__make(to, slot, from->entries[slot]);
	if (!err)
		memcpy(xf_region__table(to, slot), table, from->entries[slot] * XF_FW_ENTRY_SIZE);
	return err;
}

/* The counters by CPU of the copy begin with the values of the original; its tables have the
 * others.
 */
static int clone_counts(struct xf_region *from, struct xf_region *to)
{
	const uint32_t old = from->gen->slot / XF_FW_REGION_SLOTS,
		       new = to->gen->slot / XF_FW_REGION_SLOTS;
	struct xf_fw_counts counts;
	int err = xf_store__counts(from->store, &counts);

	xf_region__free_counters(to);
	for (uint32_t nth = 1; nth < XF_FW_COUNTERS && !err; nth++) {
		struct xf_fw_rule *entry = xf_region__entry(to, to->gen->writer.counter[nth]);

		if (!entry)
			continue;
		entry->hits.packets +=
		    counts.rule[old][nth].packets - counts.rule[new][nth].packets;
		entry->hits.bytes += counts.rule[old][nth].bytes - counts.rule[new][nth].bytes;
	}
	return err;
}

int xf_generation__clone(struct xf_region *from, struct xf_region *to)
{
	uint32_t slot = to->gen->slot, moved = slot - from->gen->slot;
	int err = 0;

	memcpy(to->gen, from->gen, sizeof(*to->gen));
	to->gen->slot = slot;
	to->gen->index = XF_FW_INDEX((uint32_t)from->gen->index + moved, from->gen->index >> 32);
	for (int dir = 0; dir < 2; dir++)
		if (from->gen->dir[dir])
			to->gen->dir[dir] += moved;
	for (slot = 0; slot < XF_FW_REGION_TABLES && !err; slot++)
		err = clone_table(from, to, slot);
	return err ? err : clone_counts(from, to);
}
