// SPDX-License-Identifier: GPL-2.0-only
/* Packets go through a list that is sorted by what each tuple space could find. There are a few
 * lists: the next one is written while the others may still be read. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "firewall/table/index.h"
#include "firewall/table/tuple_spaces.h"

static bool same_space(const struct xf_fw_space_keep *keep, const struct xf_cut *cut)
{
	const struct xf_fw_space *a = &keep->space, *b = &cut->space;

	return keep->used && keep->family == cut->tuple.tail.detail[0] && a->best == b->best &&
	       !memcmp(a->addr, b->addr, sizeof(a->addr)) && a->l4 == b->l4 && a->mac == b->mac &&
	       a->needs == b->needs;
}

static struct xf_fw_space_keep *find(struct xf_region *region, const struct xf_cut *cut)
{
	struct xf_fw_space_keep *keep = region->set->keep.space;

	for (unsigned int i = 0; i < XF_FW_SPACES; i++)
		if (same_space(&keep[i], cut))
			return &keep[i];
	return NULL;
}

/* From here on no packet reads a list but the current one, nor a number that is not in use. */
static int wait_for_readers(struct xf_region *region)
{
	struct xf_fw_keep *keep = &region->set->keep;
	int err = region->live ? xf_store__grace(region->store) : 0;

	if (err)
		return err;
	keep->lists_left = XF_FW_LISTS - 1;
	memset(keep->space_left, 1, sizeof(keep->space_left));
	return 0;
}

/* A number that nobody uses, in turn, so that one that has just been given up is not given again;
 * 0 when there is none. */
static unsigned int free_number(const struct xf_fw_keep *keep)
{
	for (unsigned int i = 0; i < XF_FW_SPACES; i++) {
		unsigned int next = (keep->space_last + i) % XF_FW_SPACES;

		if (!keep->space[next].used)
			return next + 1;
	}
	return 0;
}

static int take_new(struct xf_region *region, const struct xf_cut *cut,
		    struct xf_fw_space_keep **taken)
{
	struct xf_fw_keep *keep = &region->set->keep;
	unsigned int number = free_number(keep);
	int err;

	if (!number)
		return xf_store__refuse(
		    region->store, -E2BIG,
		    "rules may differ in which fields, prefix lengths and sizes of "
		    "port ranges they name in %u ways, and this would be one more",
		    XF_FW_SPACES);
	if (!keep->space_left[number - 1]) {
		err = wait_for_readers(region);
		if (err)
			return err;
	}
	*taken = &keep->space[number - 1];
	**taken = (struct xf_fw_space_keep) { .space = cut->space,
					      .family = cut->tuple.tail.detail[0],
					      .used = 1 };
	(*taken)->space.number = number;
	keep->space_last = number;
	keep->spaces_n++;
	return 0;
}

static int by_best(const void *a, const void *b)
{
	const struct xf_fw_space *left = a, *right = b;

	return left->best < right->best ? 1 : left->best > right->best ? -1 : 0;
}

/* A tuple space of frames: no IP is needed to match it. */
static bool frame_shape(const struct xf_fw_space *space)
{
	return space->mac && !space->l4 && !space->needs;
}

static void fill(struct xf_region *region, struct xf_fw_spaces *list)
{
	const struct xf_fw_space_keep *keep = region->set->keep.space;
	uint32_t n4 = 0, n6 = 0;

	list->frame = 0;
	for (unsigned int i = 0; i < XF_FW_SPACES; i++) {
		if (!keep[i].used)
			continue;
		if (keep[i].family != 6)
			list->space4[n4++] = keep[i].space;
		if (keep[i].family != 4)
			list->space6[n6++] = keep[i].space;
		if (!keep[i].family && frame_shape(&keep[i].space))
			list->frame = keep[i].space.number;
	}
	qsort(list->space4, n4, sizeof(*list->space4), by_best);
	qsort(list->space6, n6, sizeof(*list->space6), by_best);
	list->n4 = n4;
	list->n6 = n6;
}

static int publish(struct xf_region *region)
{
	struct xf_fw_keep *keep = &region->set->keep;
	uint32_t next = (region->set->current + 1) % XF_FW_LISTS;
	int err = keep->lists_left ? 0 : wait_for_readers(region);

	if (err)
		return err;
	keep->lists_left--;
	fill(region, &region->set->spaces[next]);
	xf_publish(&region->set->current, next);
	return 0;
}

/* Those that no tuple needs. */
static void forget_empty(struct xf_region *region)
{
	struct xf_fw_keep *keep = &region->set->keep;

	for (unsigned int i = 0; i < XF_FW_SPACES; i++) {
		if (!keep->space[i].used || keep->space[i].tuples)
			continue;
		keep->space[i].used = 0;
		keep->space_left[i] = 0;
		keep->spaces_n--;
	}
}

int xf_spaces__tidy(struct xf_region *region)
{
	uint32_t before = region->set->keep.spaces_n;

	forget_empty(region);
	return before == region->set->keep.spaces_n ? 0 : publish(region);
}

int xf_spaces__number(struct xf_region *region, struct xf_cut *cuts, size_t n)
{
	uint32_t before = region->set->keep.spaces_n;
	int err = 0;

	for (size_t i = 0; i < n && !err; i++) {
		struct xf_fw_space_keep *keep = find(region, &cuts[i]);

		if (!keep)
			err = take_new(region, &cuts[i], &keep);
		if (!err)
			cuts[i].tuple.l4 |= (uint64_t)keep->space.number << XF_FW_L4_SPACE;
	}
	if (!err && before != region->set->keep.spaces_n)
		err = publish(region);
	if (err)
		forget_empty(region);
	return err;
}

bool xf_spaces__known(struct xf_region *region, struct xf_cut *cut)
{
	struct xf_fw_space_keep *keep = find(region, cut);

	if (keep)
		cut->tuple.l4 |= (uint64_t)keep->space.number << XF_FW_L4_SPACE;
	return keep;
}

void xf_spaces__count(struct xf_region *region, unsigned int number, int change)
{
	if (number && number <= XF_FW_SPACES)
		region->set->keep.space[number - 1].tuples += change;
}
