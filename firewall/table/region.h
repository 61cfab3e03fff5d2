/* SPDX-License-Identifier: GPL-2.0-only */
/* The maps of a rule set in this process's memory: generations, their tables, and the entries in
 * these. Inside firewall/ only. */
#ifndef XF_REGION_H
#define XF_REGION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xdp-prog/fw_abi.h"

/* One store that packets see whole, after all that was stored before. */
#define xf_publish(at, value) __atomic_store_n(at, value, __ATOMIC_RELEASE)
/* One load of a word that another process may publish, before all that is loaded later. */
#define xf_observe(at) __atomic_load_n(at, __ATOMIC_ACQUIRE)

/* The maps that all generations share. */
struct xf_store {
	int root_fd, generations_fd, tables_fd, counts_fd;
	uint32_t cpus, sharing; /* xf_cpu_numbers(), XF_FW_SHARING */
	struct xf_fw_root *root;
	struct xf_fw_generation *generations;
	int grace_fd;  /* a map for xf_store__grace(), or -1 */
	char why[160]; /* xf_ruleset__why() */
};

/* Map the root and the generations. Returns 0 or -errno. */
int xf_store__map(struct xf_store *store);
void xf_store__unmap(struct xf_store *store);
/* A table in no slot. Returns its descriptor or -errno. */
int xf_store__make_table(size_t entries);
/* Wait until no packet reads entries, tables or generations that were taken away before. Returns 0
 * or -errno. */
int xf_store__grace(struct xf_store *store);

/* A slot that changes: to the table fd, or to nothing when that is negative. */
struct xf_slot_change {
	uint32_t slot;
	int fd;
};
/* Returns 0 or -errno. */
int xf_store__change_slot(struct xf_store *store, const struct xf_slot_change *change);
/* Make them all; the kernel's grace periods, one for each, are waited for side by side. Returns 0
 * or -errno of one that failed. */
int xf_store__change_slots(struct xf_store *store, const struct xf_slot_change *changes, size_t n);
/* Empty the slots of a region. */
int xf_store__clear(struct xf_store *store, uint32_t slot);
/* The table in a slot. Returns a descriptor, with its entries in *entries, or -errno. */
int xf_store__table(const struct xf_store *store, uint32_t slot, size_t *entries);
/* The sum of the xf_fw_counts of all CPUs. Returns 0 or -errno. */
int xf_store__counts(const struct xf_store *store, struct xf_fw_counts *sum);
/* Set why, and return err. */
int xf_store__refuse(struct xf_store *store, int err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* One generation and its tables. Tables are mapped when they are needed first. */
struct xf_region {
	struct xf_store *store;
	struct xf_fw_generation *gen;
	bool live;  /* packets may read it; else its tables are in no slots yet */
	bool whole; /* xf_region__map() has mapped all there were, and others are this process's */
	uint32_t seen; /* xf_fw_root.tables when the tables were mapped */
	void *table[XF_FW_REGION_SLOTS];
	int fd[XF_FW_REGION_SLOTS]; /* not live: of the table, where there is one */
	size_t entries[XF_FW_REGION_SLOTS];
};

/* Tables of generations[number]. */
void xf_region__attach(struct xf_region *region, struct xf_store *store, uint32_t number,
		       bool live);
/* Unmap them all; the maps stay. */
void xf_region__detach(struct xf_region *region);
/* Map all tables of a region that is live; afterwards a table that is not mapped does not exist.
 * Returns 0 or -errno. */
int xf_region__map(struct xf_region *region);
/* Slots are counted from the region's first one. A table, or NULL when there is none, or it cannot
 * be mapped now and was not before. */
void *xf_region__table(struct xf_region *region, uint32_t slot);
/* Put the tables of a region that is not live into their slots. Returns 0 or -errno. */
int xf_region__install(struct xf_region *region);
/* Bytes of all tables that this process has mapped. */
uint64_t xf_region__size(const struct xf_region *region);
/* Make an empty table in place of the one in the slot. Returns 0 or -errno. */
int xf_region__make(struct xf_region *region, uint32_t slot, size_t entries);
void xf_region__drop(struct xf_region *region, uint32_t slot);

/* The entry of an id, or NULL. */
void *xf_region__entry(struct xf_region *region, uint32_t id);
/* An empty entry in *id. Returns 0, -E2BIG or another -errno. */
int xf_region__alloc(struct xf_region *region, uint32_t *id);
/* The entry is used again when no packet can read it any more. */
void xf_region__free(struct xf_region *region, uint32_t id);

/* One more than the highest number that a CPU can have here, or -errno. */
int xf_cpu_numbers(void);
/* How many entries of a chunk ids name, and the size of its table, in entries, with the counters of
 * all groups of CPUs but the first behind them. */
size_t xf_chunk_entries(uint32_t chunk);
size_t xf_chunk_size(uint32_t chunk, uint32_t cpus, uint32_t sharing);
/* The hits of an entry that are not in it, since its region was made; counts is the sum over all
 * CPUs. */
struct xf_fw_total xf_region__counted(struct xf_region *region, const struct xf_fw_counts *counts,
				      uint32_t id);

/* A counter by CPU for the rule with this id, or 0. Of those that are left a rule that is not wide
 * gets none once half of all are taken. */
uint32_t xf_region__take_counter(struct xf_region *region, uint32_t id, bool wide);
/* The rule does not hold any more; or no packet knows of it. */
void xf_region__leave_counter(struct xf_region *region, uint32_t nth);
/* No packet counts any more where one was left. */
void xf_region__free_counters(struct xf_region *region);

#endif
