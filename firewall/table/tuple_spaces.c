// SPDX-License-Identifier: GPL-2.0-only
/* Packets go through a list that is sorted by the best rank that each tuple space could have. There
 * are a few lists: the next one is written while the others may still be read. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "firewall/table/index.h"
#include "firewall/table/tuple_spaces.h"

static bool same_space(const struct xf_fw_known_space *known, const struct xf_cut *cut)
{
	const struct xf_fw_space *a = &known->space, *b = &cut->space;

	return known->used && known->family == cut->tuple.tail.detail[0] && a->best == b->best &&
	       !memcmp(a->addr, b->addr, sizeof(a->addr)) && a->l4 == b->l4 && a->mac == b->mac &&
	       a->needs == b->needs;
}

static struct xf_fw_known_space *find(struct xf_region *region, const struct xf_cut *cut)
{
	struct xf_fw_known_space *known = region->gen->writer.space;

	for (unsigned int i = 0; i < XF_FW_SPACES; i++)
		if (same_space(&known[i], cut))
			return &known[i];
	return NULL;
}

/* From here on no packet reads a list but the current one, nor a number that is not in use. */
static int wait_for_readers(struct xf_region *region)
{
	struct xf_fw_writer *writer = &region->gen->writer;
	int err = region->live ? xf_store__grace(region->store) : 0;

	if (err)
		return err;
	writer->lists_left = XF_FW_LISTS - 1;
	memset(writer->space_left, 1, sizeof(writer->space_left));
	return 0;
}

/* A number that is not in use, in turn, so that one that has just been given up is not given again;
 * 0 when there is none. */
static unsigned int free_number(const struct xf_fw_writer *writer)
{
	for (unsigned int i = 0; i < XF_FW_SPACES; i++) {
		unsigned int next = (writer->space_last + i) % XF_FW_SPACES;

		if (!writer->space[next].used)
			return next + 1;
	}
	return 0;
}

static int take_new(struct xf_region *region, const struct xf_cut *cut,
		    struct xf_fw_known_space **taken)
{
	struct xf_fw_writer *writer = &region->gen->writer;
	unsigned int number = free_number(writer);
	int err;

	if (!number)
		return xf_store__refuse(
		    region->store, -E2BIG,
		    "rules may differ in which fields, prefix lengths and sizes of "
		    "port ranges they name in %u ways, and this would be one more",
		    XF_FW_SPACES);
	if (!writer->space_left[number - 1]) {
		err = wait_for_readers(region);
		if (err)
			return err;
	}
	*taken = &writer->space[number - 1];
	**taken = (struct xf_fw_known_space) { .space = cut->space,
					       .family = cut->tuple.tail.detail[0],
					       .used = 1 };
	(*taken)->space.number = number;
	writer->space_last = number;
	writer->spaces_n++;
	return 0;
}

static int by_best(const void *a, const void *b)
{
	const struct xf_fw_space *left = a, *right = b;

	return left->best < right->best ? 1 : left->best > right->best ? -1 : 0;
}

/* A tuple space of frames: no IP is needed to match it. */
static bool is_frame_space(const struct xf_fw_space *space)
{
	return space->mac && !space->l4 && !space->needs;
}

static void fill(struct xf_region *region, struct xf_fw_spaces *list)
{
	const struct xf_fw_known_space *known = region->gen->writer.space;
	uint32_t n4 = 0, n6 = 0;

	list->frame = 0;
	for (unsigned int i = 0; i < XF_FW_SPACES; i++) {
		if (!known[i].used)
			continue;
		if (known[i].family != 6)
			list->space4[n4++] = known[i].space;
		if (known[i].family != 4)
			list->space6[n6++] = known[i].space;
		if (!known[i].family && is_frame_space(&known[i].space))
			list->frame = known[i].space.number;
	}
	qsort(list->space4, n4, sizeof(*list->space4), by_best);
	qsort(list->space6, n6, sizeof(*list->space6), by_best);
	list->n4 = n4;
	list->n6 = n6;
}

static int publish(struct xf_region *region)
{
	struct xf_fw_writer *writer = &region->gen->writer;
	uint32_t next = (region->gen->current + 1) % XF_FW_LISTS;
	int err = writer->lists_left ? 0 : wait_for_readers(region);

	if (err)
		return err;
	writer->lists_left--;
	fill(region, &region->gen->spaces[next]);
	xf_publish(&region->gen->current, next);
	return 0;
}

/* Give up the tuple spaces without tuples. */
static void forget_empty(struct xf_region *region)
{
	struct xf_fw_writer *writer = &region->gen->writer;

	for (unsigned int i = 0; i < XF_FW_SPACES; i++) {
		if (!writer->space[i].used || writer->space[i].tuples)
			continue;
		writer->space[i].used = 0;
		writer->space_left[i] = 0;
		writer->spaces_n--;
	}
}

int xf_spaces__tidy(struct xf_region *region)
{
	uint32_t before = region->gen->writer.spaces_n;

	forget_empty(region);
	return before == region->gen->writer.spaces_n ? 0 : publish(region);
}

int xf_spaces__number(struct xf_region *region, struct xf_cut *cuts, size_t n)
{
	uint32_t before = region->gen->writer.spaces_n;
	int err = 0;

	for (size_t i = 0; i < n && !err; i++) {
		struct xf_fw_known_space *known = find(region, &cuts[i]);

		if (!known)
			err = take_new(region, &cuts[i], &known);
		if (!err)
			cuts[i].tuple.l4 |= (uint64_t)known->space.number << XF_FW_L4_SPACE;
	}
	if (!err && before != region->gen->writer.spaces_n)
		err = publish(region);
	if (err)
		forget_empty(region);
	return err;
}

bool xf_spaces__known(struct xf_region *region, struct xf_cut *cut)
{
	struct xf_fw_known_space *known = find(region, cut);

	if (known)
		cut->tuple.l4 |= (uint64_t)known->space.number << XF_FW_L4_SPACE;
	return known;
}

void xf_spaces__count(struct xf_region *region, unsigned int number, int change)
{
	if (number && number <= XF_FW_SPACES)
		region->gen->writer.space[number - 1].tuples += change;
}

bool xf_spaces__protect(const struct xf_region *region)
{
	const struct xf_fw_known_space *known = region->gen->writer.space;

	for (unsigned int i = 0; i < XF_FW_SPACES; i++)
		if (known[i].used && known[i].space.best & XF_FW_RANK_PROTECT)
			return true;
	return false;
}
