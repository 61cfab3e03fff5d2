/* SPDX-License-Identifier: GPL-2.0-only */
/* The tuple spaces of a generation, and the lists of them that packets go through. Inside firewall/
 * only.
 */
#ifndef XF_TUPLE_SPACES_H
#define XF_TUPLE_SPACES_H

#include "firewall/table/tuples.h"
#include "firewall/table/region.h"

/* Give the tuple spaces of these cuts numbers, of tuple spaces that exist or new ones, and write
 * them into the tuples. Returns 0, -E2BIG (nothing changed) or another -errno. */
int xf_spaces__number(struct xf_region *region, struct xf_cut *cuts, size_t n);
/* The same for one cut whose tuple space exists, else false. */
bool xf_spaces__known(struct xf_region *region, struct xf_cut *cut);
/* A tuple of a tuple space came or went. Neither changes the lists. */
void xf_spaces__count(struct xf_region *region, unsigned int number, int change);
/* Whether a tuple space is one of rules that protect. */
bool xf_spaces__protect(const struct xf_region *region);
/* Take tuple spaces without tuples out of the lists. */
int xf_spaces__tidy(struct xf_region *region);

#endif
