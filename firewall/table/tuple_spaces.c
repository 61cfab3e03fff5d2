// SPDX-License-Identifier: GPL-2.0-only
/* Packets go through a list that is sorted by what each shape could find. There are a few lists:
 * the next one is written while the others may still be read. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "firewall/table/index.h"
#include "firewall/table/tuple_spaces.h"

static bool same_shape(const struct xf_fw_shape_keep *keep, const struct xf_cut *cut)
{
	const struct xf_fw_shape *a = &keep->shape, *b = &cut->shape;

	return keep->used && keep->family == cut->piece.tail.detail[0] && a->best == b->best &&
	       !memcmp(a->addr, b->addr, sizeof(a->addr)) && a->l4 == b->l4 && a->mac == b->mac &&
	       a->needs == b->needs;
}

static struct xf_fw_shape_keep *find(struct xf_region *region, const struct xf_cut *cut)
{
	struct xf_fw_shape_keep *keep = region->set->keep.shape;

	for (unsigned int i = 0; i < XF_FW_SHAPES; i++)
		if (same_shape(&keep[i], cut))
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
	memset(keep->shape_left, 1, sizeof(keep->shape_left));
	return 0;
}

/* A number that nobody uses, in turn, so that one that has just been given up is not given again;
 * 0 when there is none. */
static unsigned int free_number(const struct xf_fw_keep *keep)
{
	for (unsigned int i = 0; i < XF_FW_SHAPES; i++) {
		unsigned int next = (keep->shape_last + i) % XF_FW_SHAPES;

		if (!keep->shape[next].used)
			return next + 1;
	}
	return 0;
}

static int take_new(struct xf_region *region, const struct xf_cut *cut,
		    struct xf_fw_shape_keep **taken)
{
	struct xf_fw_keep *keep = &region->set->keep;
	unsigned int number = free_number(keep);
	int err;

	if (!number)
		return xf_store__refuse(
		    region->store, -E2BIG,
		    "rules may differ in which fields, prefix lengths and sizes of "
		    "port ranges they name in %u ways, and this would be one more",
		    XF_FW_SHAPES);
	if (!keep->shape_left[number - 1]) {
		err = wait_for_readers(region);
		if (err)
			return err;
	}
	*taken = &keep->shape[number - 1];
	**taken = (struct xf_fw_shape_keep) { .shape = cut->shape,
					      .family = cut->piece.tail.detail[0],
					      .used = 1 };
	(*taken)->shape.number = number;
	keep->shape_last = number;
	keep->shapes_n++;
	return 0;
}

static int by_best(const void *a, const void *b)
{
	const struct xf_fw_shape *left = a, *right = b;

	return left->best < right->best ? 1 : left->best > right->best ? -1 : 0;
}

/* A shape of frames: no IP is needed to match it. */
static bool frame_shape(const struct xf_fw_shape *shape)
{
	return shape->mac && !shape->l4 && !shape->needs;
}

static void fill(struct xf_region *region, struct xf_fw_shapes *list)
{
	const struct xf_fw_shape_keep *keep = region->set->keep.shape;
	uint32_t n4 = 0, n6 = 0;

	list->frame = 0;
	for (unsigned int i = 0; i < XF_FW_SHAPES; i++) {
		if (!keep[i].used)
			continue;
		if (keep[i].family != 6)
			list->shape4[n4++] = keep[i].shape;
		if (keep[i].family != 4)
			list->shape6[n6++] = keep[i].shape;
		if (!keep[i].family && frame_shape(&keep[i].shape))
			list->frame = keep[i].shape.number;
	}
	qsort(list->shape4, n4, sizeof(*list->shape4), by_best);
	qsort(list->shape6, n6, sizeof(*list->shape6), by_best);
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
	fill(region, &region->set->shapes[next]);
	xf_publish(&region->set->current, next);
	return 0;
}

/* Those that no piece needs. */
static void forget_empty(struct xf_region *region)
{
	struct xf_fw_keep *keep = &region->set->keep;

	for (unsigned int i = 0; i < XF_FW_SHAPES; i++) {
		if (!keep->shape[i].used || keep->shape[i].pieces)
			continue;
		keep->shape[i].used = 0;
		keep->shape_left[i] = 0;
		keep->shapes_n--;
	}
}

int xf_shapes__tidy(struct xf_region *region)
{
	uint32_t before = region->set->keep.shapes_n;

	forget_empty(region);
	return before == region->set->keep.shapes_n ? 0 : publish(region);
}

int xf_shapes__number(struct xf_region *region, struct xf_cut *cuts, size_t n)
{
	uint32_t before = region->set->keep.shapes_n;
	int err = 0;

	for (size_t i = 0; i < n && !err; i++) {
		struct xf_fw_shape_keep *keep = find(region, &cuts[i]);

		if (!keep)
			err = take_new(region, &cuts[i], &keep);
		if (!err)
			cuts[i].piece.l4 |= (uint64_t)keep->shape.number << XF_FW_L4_SHAPE;
	}
	if (!err && before != region->set->keep.shapes_n)
		err = publish(region);
	if (err)
		forget_empty(region);
	return err;
}

bool xf_shapes__known(struct xf_region *region, struct xf_cut *cut)
{
	struct xf_fw_shape_keep *keep = find(region, cut);

	if (keep)
		cut->piece.l4 |= (uint64_t)keep->shape.number << XF_FW_L4_SHAPE;
	return keep;
}

void xf_shapes__count(struct xf_region *region, unsigned int number, int change)
{
	if (number && number <= XF_FW_SHAPES)
		region->set->keep.shape[number - 1].pieces += change;
}
