// SPDX-License-Identifier: GPL-2.0-only
/* The set that holds: new ones beside it, the switch from one to the other, trials, and the
 * recovery from a writer that died. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "lib/time.h"
#include "firewall/table/index.h"
#include "firewall/table/table_impl.h"

#define DEADLINE_OVER 1 /* ns since boot; 0 is no deadline */

static uint64_t state(const struct xf_table *table)
{
	return xf_observe(&table->store.root->state);
}

static uint32_t active(const struct xf_table *table)
{
	return XF_FW_STATE_SET(state(table));
}

/* The set that comes back after the trial, or XF_FW_NO_SET. */
static uint32_t fallback(const struct xf_table *table)
{
	return XF_FW_STATE_FALLBACK(state(table));
}

/* The deadline of a trial that runs or is over, or 0. */
static uint64_t deadline_of(const struct xf_table *table)
{
	return XF_FW_STATE_DEADLINE(state(table));
}

/* A set holds; with a deadline for that time only. */
static void publish(struct xf_table *table, uint64_t deadline, uint32_t fallback, uint32_t number)
{
	/* The lowest byte is not the deadline's: no trial is shorter than it was meant to be. */
	uint64_t rounded = (deadline + 0xff) & ~0xffull;

	xf_publish(&table->store.root->state, XF_FW_STATE(rounded, fallback, number));
}

/* A set holds for good. */
static void publish_for_good(struct xf_table *table, uint32_t number)
{
	publish(table, 0, XF_FW_NO_SET, number);
}

static bool is_over(uint64_t state, uint64_t now)
{
	uint64_t deadline = XF_FW_STATE_DEADLINE(state);

	return deadline && now > deadline;
}

/* A first trial that is over: it has no fallback, so its set stays, on hold. */
static bool is_held(uint64_t state, uint64_t now)
{
	return is_over(state, now) && XF_FW_STATE_FALLBACK(state) == XF_FW_NO_SET;
}

/* Any other trial that is over. */
static bool falls_back(uint64_t state, uint64_t now)
{
	return is_over(state, now) && XF_FW_STATE_FALLBACK(state) != XF_FW_NO_SET;
}

static uint32_t number_of(const struct xf_table *table, const struct xf_region *region)
{
	return region->set - table->store.sets;
}

static bool set_in_use(const struct xf_table *table, uint32_t number)
{
	if (table->building && number == number_of(table, table->building))
		return true;
	return number == active(table) || number == fallback(table);
}

static bool slot_in_use(const struct xf_table *table, uint32_t slot)
{
	for (uint32_t i = 0; i < XF_FW_SETS; i++)
		if (set_in_use(table, i) && table->store.sets[i].slot == slot)
			return true;
	return false;
}

static uint32_t free_set(const struct xf_table *table)
{
	uint32_t number = 0;

	while (set_in_use(table, number))
		number++;
	return number;
}

/* Two sets at most hold or come back, and one is built: a region is always free. */
static uint32_t free_slot(const struct xf_table *table)
{
	uint32_t slot = 0;

	while (slot_in_use(table, slot))
		slot += XF_FW_REGION_SLOTS;
	return slot;
}

static void mark(struct xf_table *table, uint32_t bits)
{
	xf_publish(&table->store.root->writing, table->store.root->writing | bits);
}

static void unmark(struct xf_table *table, uint32_t bits)
{
	xf_publish(&table->store.root->writing, table->store.root->writing & ~bits);
}

int xf_table__new_set(struct xf_table *table, bool deny, uint64_t expected_rules,
		      struct xf_region *region)
{
	uint32_t slot = free_slot(table);
	int err;

	xf_region__attach(region, &table->store, free_set(table), false);
	err = xf_set__init(region, slot, deny, expected_rules);
	if (err)
		xf_region__detach(region);
	return err;
}

static void attach_active(struct xf_table *table)
{
	xf_region__detach(&table->region);
	table->number = active(table);
	xf_region__attach(&table->region, &table->store, table->number, true);
}

/* Wait until no packet reads a set that neither holds nor comes back any more; then drop its
 * tables, if it alone has them. */
static int release(struct xf_table *table, uint32_t slot)
{
	int err = xf_store__grace(&table->store);

	if (!err && !slot_in_use(table, slot))
		err = xf_store__clear(&table->store, slot);
	table->region.seen = table->store.root->tables;
	if (!err)
		unmark(table, XF_FW_WRITING_TABLES);
	return err;
}

/* Put the set's tables where packets find them, once it holds. Returns 0 or -errno, and then the
 * set is gone. Detaches region. */
static int install(struct xf_table *table, struct xf_region *region)
{
	uint32_t slot = region->set->slot;
	int err;

	mark(table, XF_FW_WRITING_TABLES);
	err = xf_region__install(region);
	xf_region__detach(region);
	if (err)
		xf_store__clear(&table->store, slot);
	return err;
}

int xf_table__switch(struct xf_table *table, struct xf_region *region)
{
	uint32_t number = number_of(table, region), old = table->store.sets[active(table)].slot;
	int err = install(table, region);

	if (err)
		return err;
	publish(table, deadline_of(table), fallback(table), number);
	attach_active(table);
	return release(table, old);
}

int xf_table__switch_on_trial(struct xf_table *table, struct xf_region *region, uint64_t deadline)
{
	uint32_t number = number_of(table, region);
	int err = install(table, region);

	if (err)
		return err;
	publish(table, deadline, active(table), number);
	attach_active(table);
	table->region.seen = table->store.root->tables;
	unmark(table, XF_FW_WRITING_TABLES);
	return 0;
}

int xf_table__rebuild(struct xf_table *table, uint64_t now)
{
	struct xf_region region;
	int err = -EAGAIN;

	for (int i = 0; err == -EAGAIN && i < XF_SEED_TRIES; i++) {
		err = xf_table__new_set(table, table->region.set->deny,
					table->region.set->writer.refs, &region);
		if (err)
			return err;
		err = xf_set__copy_rules(&table->region, &region, now);
		if (err)
			xf_region__detach(&region);
	}
	return err ? err : xf_table__switch(table, &region);
}

/* Tables of its own for the set on trial, so that the fallback's stay as they are. */
static int unshare(struct xf_table *table)
{
	uint32_t back = fallback(table), number;
	struct xf_region region;
	int err;

	if (back == XF_FW_NO_SET || table->store.sets[back].slot != table->region.set->slot)
		return 0;
	err = xf_region__map(&table->region);
	if (err)
		return err;
	number = free_set(table);
	table->store.sets[number].slot = free_slot(table);
	xf_region__attach(&region, &table->store, number, false);
	err = xf_set__clone(&table->region, &region);
	if (err) {
		xf_region__detach(&region);
		return err;
	}
	return xf_table__switch(table, &region);
}

/* The fallback has held since the deadline; write it down for good. */
static int end_trial(struct xf_table *table)
{
	uint32_t tried = table->store.sets[active(table)].slot, back = fallback(table);

	mark(table, XF_FW_WRITING_TABLES);
	publish_for_good(table, back);
	attach_active(table);
	return release(table, tried);
}

/* Drop the tables that no set refers to: a writer died while it put them into slots or took them
 * out. */
static void sweep_tables(struct xf_table *table)
{
	for (uint32_t i = 0; i < XF_FW_REGIONS; i++)
		if (!slot_in_use(table, i * XF_FW_REGION_SLOTS))
			xf_store__clear(&table->store, i * XF_FW_REGION_SLOTS);
	unmark(table, XF_FW_WRITING_TABLES);
}

static int recover(struct xf_table *table, uint64_t now)
{
	uint32_t left = table->store.root->writing;
	int err = 0;

	if (left & XF_FW_WRITING_TABLES)
		sweep_tables(table);
	if (left & XF_FW_WRITING_RULES)
		err = xf_table__rebuild(table, now);
	if (!err)
		unmark(table, XF_FW_WRITING_RULES);
	return err;
}

uint32_t xf_table__number(const struct xf_table *table, uint64_t now)
{
	uint64_t then = state(table);

	return falls_back(then, now) ? XF_FW_STATE_FALLBACK(then) : XF_FW_STATE_SET(then);
}

void xf_table__refresh(struct xf_table *table, uint64_t now)
{
	uint32_t number = xf_table__number(table, now);

	if (table->number == number && table->region.seen == xf_observe(&table->store.root->tables))
		return;
	xf_region__detach(&table->region);
	table->number = number;
	xf_region__attach(&table->region, &table->store, number, true);
}

int xf_table__settle(struct xf_table *table, uint64_t now)
{
	int err = 0;

	xf_table__refresh(table, now);
	table->store.why[0] = 0;
	if (falls_back(state(table), now))
		err = end_trial(table);
	/* A table that cannot be mapped must not look like one that does not exist. */
	if (!err)
		err = xf_region__map(&table->region);
	if (!err && table->store.root->writing)
		err = recover(table, now);
	return err;
}

int xf_table__begin(struct xf_table *table, uint64_t now)
{
	int err = xf_table__settle(table, now);

	if (!err)
		err = unshare(table);
	if (!err)
		err = xf_region__map(&table->region);
	if (!err)
		mark(table, XF_FW_WRITING_RULES);
	return err;
}

void xf_table__end(struct xf_table *table)
{
	unmark(table, XF_FW_WRITING_RULES);
}

int xf_table__try(struct xf_table *table, bool deny, uint64_t deadline)
{
	uint32_t number;
	int err = xf_table__settle(table, xf_now_ns(CLOCK_BOOTTIME));

	if (err)
		return err;
	if (deadline_of(table))
		return -EBUSY;
	number = free_set(table);
	memcpy(&table->store.sets[number], table->region.set, sizeof(struct xf_fw_set));
	/* If it were set after the switch, the deadline could have passed, and the policy would be
	 * the fallback's. */
	table->store.sets[number].deny = deny;
	publish(table, deadline, active(table), number);
	attach_active(table);
	/* Now, since copying many rules takes longer than a change should. If it cannot be done the
	 * first change tries again, and says so. */
	(void)unshare(table);
	return 0;
}

int xf_table__try_first(struct xf_table *table, uint64_t deadline)
{
	uint64_t now = xf_now_ns(CLOCK_BOOTTIME);
	int err = xf_table__settle(table, now);

	if (err)
		return err;
	if (deadline_of(table) && !xf_table__held(table, now))
		return -EBUSY;
	publish(table, deadline, XF_FW_NO_SET, active(table));
	return 0;
}

void xf_table__put_off(struct xf_table *table, uint64_t deadline)
{
	if (deadline_of(table))
		publish(table, deadline, fallback(table), active(table));
}

void xf_table__end_trial(struct xf_table *table)
{
	xf_table__put_off(table, DEADLINE_OVER);
}

int xf_table__hold(struct xf_table *table)
{
	return xf_table__try_first(table, DEADLINE_OVER);
}

bool xf_table__held(const struct xf_table *table, uint64_t now)
{
	return is_held(state(table), now);
}

bool xf_table_root_held(const struct xf_fw_root *root, uint64_t now)
{
	return root->magic == XF_FW_ABI_MAGIC && root->version == XF_FW_ABI_VERSION &&
	       is_held(root->state, now);
}

void xf_table__resume(struct xf_table *table)
{
	publish_for_good(table, active(table));
}

int xf_table__confirm(struct xf_table *table, uint64_t now)
{
	uint32_t back = fallback(table);
	int err;

	if (!deadline_of(table))
		return -ENOENT;
	if (is_over(state(table), now)) {
		err = xf_table__settle(table, now);
		return err ? err : -ETIME;
	}
	if (back == XF_FW_NO_SET) {
		xf_table__resume(table);
		return 0;
	}
	mark(table, XF_FW_WRITING_TABLES);
	publish_for_good(table, active(table));
	return release(table, table->store.sets[back].slot);
}

uint64_t xf_table__trial(const struct xf_table *table, uint64_t now)
{
	uint64_t then = state(table);

	return is_over(then, now) ? 0 : XF_FW_STATE_DEADLINE(then);
}
