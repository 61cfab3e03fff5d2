// SPDX-License-Identifier: GPL-2.0-only
/* Composite rules: an entry for the rule, and one for each of its tuples, which the index refers
 * to. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "firewall/table/composite.h"
#include "firewall/table/tuples.h"
#include "firewall/table/tuple_spaces.h"

static void composite_entry(const struct xf_rule *rule, struct xf_fw_rule *entry)
{
	memset(entry, 0, sizeof(*entry));
	entry->rank = xf_rule_rank(rule);
	entry->composite.sport_min = rule->sport_min;
	entry->composite.sport_max = rule->sport_max;
	entry->composite.dport_min = rule->dport_min;
	entry->composite.dport_max = rule->dport_max;
	memcpy(entry->composite.mac, rule->mac, sizeof(entry->composite.mac));
	entry->tail.kind = XF_FW_COMPOSITE;
	entry->tail.detail[0] = rule->has;
	entry->tail.detail[1] = rule->family;
	entry->tail.detail[2] = rule->proto;
}

int xf_rule_from_composite_entry(struct xf_region *region, const struct xf_fw_rule *entry,
				 struct xf_rule *rule)
{
	const struct xf_fw_tuple *tuple = xf_region__entry(region, entry->tuples);

	if (!tuple || tuple->tail.kind != XF_FW_TUPLE)
		return -EUCLEAN;
	memset(rule, 0, sizeof(*rule));
	rule->deny = entry->rank & XF_FW_RANK_DENY;
	rule->protect = entry->rank & XF_FW_RANK_PROTECT;
	rule->has = entry->tail.detail[0];
	rule->family = entry->tail.detail[1];
	rule->proto = entry->tail.detail[2];
	rule->src.len = entry->rank >> XF_FW_RANK_SRC & 0xff;
	rule->dst.len = entry->rank >> XF_FW_RANK_DST & 0xff;
	rule->sport_min = entry->composite.sport_min;
	rule->sport_max = entry->composite.sport_max;
	rule->dport_min = entry->composite.dport_min;
	rule->dport_max = entry->composite.dport_max;
	memcpy(rule->mac, entry->composite.mac, sizeof(rule->mac));
	xf_rule_uncut(tuple, rule);
	return 0;
}

static bool same_fields(const struct xf_fw_tuple *a, const struct xf_fw_tuple *b)
{
	return a->tail.kind == b->tail.kind && !memcmp(a->addr, b->addr, sizeof(a->addr)) &&
	       a->l4 == b->l4 && a->mac == b->mac;
}

/* The first tuple with these fields, its id in *id. Returns NULL and 0 in *id when there is none,
 * NULL and an id when other fields have the same hash. */
static struct xf_fw_tuple *first_tuple(struct xf_region *region, const struct xf_fw_tuple *want,
				       uint32_t *id)
{
	struct xf_fw_tuple *tuple;

	*id = xf_index__find(region, xf_index_key_tuple(region->gen, want));
	tuple = xf_region__entry(region, *id);
	return tuple && same_fields(tuple, want) ? tuple : NULL;
}

static unsigned int space_number(const struct xf_fw_tuple *tuple)
{
	return tuple->l4 >> XF_FW_L4_SPACE;
}

static struct xf_fw_rule *rule_of(struct xf_region *region, const struct xf_fw_tuple *tuple)
{
	return xf_region__entry(region, tuple->rule);
}

static bool same_rule(struct xf_region *region, const struct xf_fw_rule *entry,
		      const struct xf_rule *rule)
{
	struct xf_rule other;

	return entry && !xf_rule_from_composite_entry(region, entry, &other) &&
	       xf_rule_equal(&other, rule);
}

static int find_tuple(struct xf_region *region, const struct xf_rule *rule,
		      const struct xf_cut *cut, uint32_t *id)
{
	uint32_t at;
	struct xf_fw_tuple *tuple = first_tuple(region, &cut->tuple, &at);

	if (!tuple)
		return at ? -EAGAIN : -ENOENT;
	for (; tuple; tuple = xf_region__entry(region, tuple->next)) {
		*id = tuple->rule;
		if (same_rule(region, rule_of(region, tuple), rule))
			return 0;
	}
	return -ENOENT;
}

int xf_composite__find(struct xf_region *region, const struct xf_rule *rule, uint32_t *id)
{
	struct xf_cut *cuts = malloc(XF_CUTS_MAX * sizeof(*cuts));
	int err;

	if (!cuts)
		return -ENOMEM;
	xf_rule_cut(rule, cuts);
	err = xf_spaces__known(region, &cuts[0]) ? find_tuple(region, rule, &cuts[0], id) : -ENOENT;
	free(cuts);
	return err;
}

/* Every list of tuples with the same fields has room for one more, and no hash is taken by other
 * fields. */
static int check_room(struct xf_region *region, const struct xf_cut *cuts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t id;
		struct xf_fw_tuple *tuple = first_tuple(region, &cuts[i].tuple, &id);
		unsigned int length = 0;

		if (!tuple && id)
			return -EAGAIN;
		for (; tuple; tuple = xf_region__entry(region, tuple->next))
			length++;
		if (length >= XF_FW_TUPLES_MAX)
			return xf_store__refuse(region->store, -E2BIG,
						"%u rules already differ from this one only in how "
						"far their port ranges reach",
						XF_FW_TUPLES_MAX);
	}
	return 0;
}

/* Put a tuple behind those of a higher rank. */
static int link_tuple(struct xf_region *region, struct xf_fw_tuple *tuple, uint32_t id,
		      uint64_t rank)
{
	struct xf_index_key key = xf_index_key_tuple(region->gen, tuple);
	uint32_t head;
	struct xf_fw_tuple *at = first_tuple(region, tuple, &head), *next;

	if (!at)
		return xf_index__insert(region, key, id);
	if (rule_of(region, at)->rank < rank) {
		tuple->next = head;
		xf_index__set(region, key, id);
		return 0;
	}
	while (at->next) {
		next = xf_region__entry(region, at->next);
		if (rule_of(region, next)->rank < rank)
			break;
		at = next;
	}
	tuple->next = at->next;
	xf_publish(&at->next, id);
	return 0;
}

static void unlink_tuple(struct xf_region *region, struct xf_fw_tuple *tuple, uint32_t id)
{
	struct xf_index_key key = xf_index_key_tuple(region->gen, tuple);
	uint32_t head;
	struct xf_fw_tuple *at = first_tuple(region, tuple, &head);

	if (head == id) {
		if (tuple->next)
			xf_index__set(region, key, tuple->next);
		else
			xf_index__remove(region, key);
		return;
	}
	while (at && at->next != id)
		at = xf_region__entry(region, at->next);
	if (at)
		xf_publish(&at->next, tuple->next);
}

static void remove_tuples(struct xf_region *region, struct xf_fw_rule *entry)
{
	uint32_t id = entry->tuples, next;

	for (; id; id = next) {
		struct xf_fw_tuple *tuple = xf_region__entry(region, id);

		if (!tuple || tuple->tail.kind != XF_FW_TUPLE)
			return;
		next = tuple->tail.link;
		unlink_tuple(region, tuple, id);
		xf_spaces__count(region, space_number(tuple), -1);
		xf_region__free(region, id);
	}
}

static int insert_tuples(struct xf_region *region, struct xf_fw_rule *entry, uint32_t rule,
			 const struct xf_cut *cuts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct xf_fw_tuple *tuple;
		uint32_t id;
		int err = xf_region__alloc(region, &id);

		if (err)
			return err;
		tuple = xf_region__entry(region, id);
		*tuple = cuts[i].tuple;
		tuple->rule = rule;
		err = link_tuple(region, tuple, id, entry->rank);
		if (err) {
			xf_region__free(region, id);
			return err;
		}
		tuple->tail.link = entry->tuples;
		entry->tuples = id;
		xf_spaces__count(region, space_number(tuple), 1);
	}
	return 0;
}

static int insert_cuts(struct xf_region *region, const struct xf_rule *rule, struct xf_cut *cuts,
		       size_t n, uint32_t *id)
{
	struct xf_fw_rule *entry;
	int err = xf_spaces__number(region, cuts, n);

	if (err)
		return err;
	err = check_room(region, cuts, n);
	if (!err)
		err = xf_region__alloc(region, id);
	if (!err) {
		entry = xf_region__entry(region, *id);
		composite_entry(rule, entry);
		err = insert_tuples(region, entry, *id, cuts, n);
		if (err) {
			remove_tuples(region, entry);
			xf_region__free(region, *id);
		}
	}
	if (err)
		xf_spaces__tidy(region);
	return err;
}

int xf_composite__insert(struct xf_region *region, const struct xf_rule *rule, uint32_t *id)
{
	struct xf_cut *cuts = malloc(XF_CUTS_MAX * sizeof(*cuts));
	int err;

	if (!cuts)
		return -ENOMEM;
	err = insert_cuts(region, rule, cuts, xf_rule_cut(rule, cuts), id);
	free(cuts);
	return err;
}

void xf_composite__remove(struct xf_region *region, uint32_t id)
{
	struct xf_fw_rule *entry = xf_region__entry(region, id);

	remove_tuples(region, entry);
	xf_region__free(region, id);
	xf_spaces__tidy(region);
}
