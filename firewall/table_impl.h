/* SPDX-License-Identifier: GPL-2.0-only */
/* An open rule set, for the files that implement table.h. */
#ifndef XF_TABLE_IMPL_H
#define XF_TABLE_IMPL_H

#include "firewall/set.h"
#include "firewall/table.h"

#define XF_NO_SET UINT32_MAX

struct xf_table {
	struct xf_store store;
	struct xf_table_map maps[4];
	struct xf_region region; /* of the set that holds */
	uint32_t number;	 /* its number */
	uint32_t building;	 /* number of the one that is being built, or XF_NO_SET */
};

uint64_t xf_boot_time(void);

/* Look again at which set holds and at its tables: others may have changed them. */
void xf_table__refresh(struct xf_table *table, uint64_t now);

/* Take back a trial that is over and whatever a writer left unfinished that died. Returns 0 or
 * -errno. */
int xf_table__settle(struct xf_table *table, uint64_t now);
/* Around each change of rules. Begin settles, sees to it that the rules are no fallback's, and says
 * for whoever comes that a change is under way. Returns 0 or -errno. */
int xf_table__begin(struct xf_table *table, uint64_t now);
void xf_table__end(struct xf_table *table);

/* A set of its own beside the one that holds, empty and attached to region. Returns 0 or -errno. */
int xf_table__new_set(struct xf_table *table, bool deny, uint64_t expected_rules,
		      struct xf_region *region, uint32_t *number);
/* Let the set hold in place of the present one, whose tables go unless a trial needs them. */
int xf_table__switch(struct xf_table *table, uint32_t number);
/* Let it go. */
void xf_table__drop_set(struct xf_table *table, struct xf_region *region);
/* The same rules in tables of their own, with other seeds. Returns 0 or -errno. */
int xf_table__rebuild(struct xf_table *table, uint64_t now);

#endif
