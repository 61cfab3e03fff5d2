// SPDX-License-Identifier: GPL-2.0-only
/* From one set to another: rule by rule, or table by table. */
#include <errno.h>
#include <string.h>

#include "firewall/table/set.h"
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
	return xf_set__add_counted(copy->to, &rule, entry->expires,
				   entry->hits.packets + counted.packets,
				   entry->hits.bytes + counted.bytes);
}

int xf_set__copy_rules(struct xf_region *from, struct xf_region *to, uint64_t now)
{
	struct copy copy = { .from = from, .to = to, .now = now };
	int err = xf_store__counts(from->store, &copy.counts);

	return err ? err : xf_set__each(from, copy_rule, &copy);
}

static int copy_if_protects(void *arg, uint32_t id, struct xf_fw_rule *entry)
{
	return entry->rank & XF_FW_RANK_PROTECT ? copy_rule(arg, id, entry) : 0;
}

int xf_set__copy_protecting(struct xf_region *from, struct xf_region *to, uint64_t now)
{
	struct copy copy = { .from = from, .to = to, .now = now };
	int err;

	/* Else the other rules need not be looked through, of which there may be a million. */
	if (!xf_spaces__protect(from))
		return 0;
	err = xf_store__counts(from->store, &copy.counts);
	return err ? err : xf_set__each(from, copy_if_protects, &copy);
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

/* The first counters of the copy begin with the values of the original; its tables have the others.
 */
static int clone_counts(struct xf_region *from, struct xf_region *to)
{
	struct xf_fw_counts counts;
	int err = xf_store__counts(from->store, &counts);

	for (uint32_t id = 1; id < XF_FW_COUNTED_ENTRIES && !err; id++) {
		const struct xf_fw_total old = xf_region__counted(from, &counts, id);
		const struct xf_fw_total new = xf_region__counted(to, &counts, id);
		struct xf_fw_rule *entry = xf_region__entry(to, id);

		if (!entry || !xf_rule_entry_is_rule(entry))
			continue;
		entry->hits.packets += old.packets - new.packets;
		entry->hits.bytes += old.bytes - new.bytes;
	}
	return err;
}

int xf_set__clone(struct xf_region *from, struct xf_region *to)
{
	uint32_t slot = to->set->slot, moved = slot - from->set->slot;
	int err = 0;

	memcpy(to->set, from->set, sizeof(*to->set));
	to->set->slot = slot;
	to->set->index = XF_FW_INDEX((uint32_t)from->set->index + moved, from->set->index >> 32);
	for (int dir = 0; dir < 2; dir++)
		if (from->set->dir[dir])
			to->set->dir[dir] += moved;
	for (slot = 0; slot < XF_FW_REGION_TABLES && !err; slot++)
		err = clone_table(from, to, slot);
	return err ? err : clone_counts(from, to);
}
