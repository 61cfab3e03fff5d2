/* SPDX-License-Identifier: GPL-2.0-only */
/* The shapes of a set: which there are, and the lists of them that packets go through. Inside
 * firewall/ only. */
#ifndef XF_SHAPES_H
#define XF_SHAPES_H

#include "firewall/table/tuples.h"
#include "firewall/table/region.h"

/* Give the shapes of these cuts numbers, of shapes that exist or new ones, and write them into the
 * pieces. Returns 0, -E2BIG (nothing changed) or another -errno. */
int xf_shapes__number(struct xf_region *region, struct xf_cut *cuts, size_t n);
/* The same for one cut whose shape exists, else false. */
bool xf_shapes__known(struct xf_region *region, struct xf_cut *cut);
/* A piece of a shape came or went. Neither changes the lists. */
void xf_shapes__count(struct xf_region *region, unsigned int number, int change);
/* Take shapes without pieces out of the lists. */
int xf_shapes__tidy(struct xf_region *region);

#endif
