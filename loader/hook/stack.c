// SPDX-License-Identifier: GPL-2.0-only
/* Which interfaces are upon which, by what rtnetlink tells of each. */
#include "loader/hook/stack.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "loader/hook/links.h"

#define LEVELS 8 /* as many as the kernel allows */

/* Whether the interface is upon the one that it has as its link: that of a veth is its peer, and
 * that of a tunnel only the way of its packets. */
static bool is_upon_lower(const struct xf_link_info *link)
{
	static const char *const kinds[] = { "vlan",   "macvlan", "macvtap", "ipvlan",
					     "ipvtap", "macsec",  "vxlan",   "dsa" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (link->lower && !strcmp(link->kind, kinds[i]))
			return true;
	return false;
}

/* The interfaces to be sorted, and how many are below each. */
struct levels {
	const unsigned int *ifindexes;
	unsigned int *level;
	unsigned int n;
	bool changed;
};

static unsigned int *level_of(const struct levels *levels, unsigned int ifindex)
{
	for (unsigned int i = 0; ifindex && i < levels->n; i++)
		if (levels->ifindexes[i] == ifindex)
			return &levels->level[i];
	return NULL;
}

static void put_above(struct levels *levels, unsigned int lower, unsigned int upper)
{
	const unsigned int *below = level_of(levels, lower);
	unsigned int *above = below ? level_of(levels, upper) : NULL;

	if (!above || *above > *below || *below == LEVELS)
		return;
	*above = *below + 1;
	levels->changed = true;
}

static void see(void *arg, const struct xf_link_info *link)
{
	put_above(arg, link->ifindex, link->master);
	if (is_upon_lower(link))
		put_above(arg, link->lower, link->ifindex);
}

void xf_stack_order(const unsigned int *ifindexes, unsigned int n, unsigned int *order)
{
	struct levels levels = { .ifindexes = ifindexes, .n = n, .changed = n > 1 };
	unsigned int at = 0;

	levels.level = calloc(n ? n : 1, sizeof(*levels.level));
	while (levels.level && levels.changed) {
		levels.changed = false;
		if (xf_links_each(see, &levels))
			break;
	}
	for (unsigned int level = 0; at < n; level++)
		for (unsigned int i = 0; i < n; i++)
			if ((levels.level ? levels.level[i] : 0) == level)
				order[at++] = i;
	free(levels.level);
}

struct search {
	unsigned int ifindex, master;
	char *name;
	bool found;
};

static void find_master(void *arg, const struct xf_link_info *link)
{
	struct search *search = arg;

	if (link->ifindex == search->ifindex)
		search->master = link->master;
}

static void find_program(void *arg, const struct xf_link_info *link)
{
	struct search *search = arg;

	if (!link->has_program || search->found)
		return;
	search->found = link->ifindex == search->master ||
			(is_upon_lower(link) && link->lower == search->ifindex);
	if (search->found)
		memcpy(search->name, link->name, IF_NAMESIZE);
}

bool xf_stack_program_above(unsigned int ifindex, char name[IF_NAMESIZE])
{
	struct search search = { .ifindex = ifindex, .name = name };

	return !xf_links_each(find_master, &search) && !xf_links_each(find_program, &search) &&
	       search.found;
}
