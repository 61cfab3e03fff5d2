// SPDX-License-Identifier: GPL-2.0-only
/* The generation that holds: new ones beside it, the switch from one to the other, trials, and the
 * recovery from a writer that died. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "lib/time.h"
#include "firewall/table/index.h"
#include "firewall/table/ruleset_impl.h"

#define DEADLINE_OVER 1 /* ns since boot; 0 is no deadline */

static uint64_t state(const struct xf_ruleset *ruleset)
{
	return xf_observe(&ruleset->store.root->state);
}

static uint32_t active(const struct xf_ruleset *ruleset)
{
	return XF_FW_STATE_GENERATION(state(ruleset));
}

/* The generation that comes back after the trial, or XF_FW_NO_GENERATION. */
static uint32_t fallback(const struct xf_ruleset *ruleset)
{
	return XF_FW_STATE_FALLBACK(state(ruleset));
}

/* The deadline of a trial that runs or is over, or 0. */
static uint64_t deadline_of(const struct xf_ruleset *ruleset)
{
	return XF_FW_STATE_DEADLINE(state(ruleset));
}

/* A generation holds; with a deadline for that time only. */
static void publish(struct xf_ruleset *ruleset, uint64_t deadline, uint32_t fallback,
		    uint32_t number)
{
	/* The lowest byte is not the deadline's: no trial is shorter than it was meant to be. */
	uint64_t rounded = (deadline + 0xff) & ~0xffull;

	xf_publish(&ruleset->store.root->state, XF_FW_STATE(rounded, fallback, number));
}

/* A generation holds for good. */
static void publish_for_good(struct xf_ruleset *ruleset, uint32_t number)
{
	publish(ruleset, 0, XF_FW_NO_GENERATION, number);
}

static bool is_over(uint64_t state, uint64_t now)
{
	uint64_t deadline = XF_FW_STATE_DEADLINE(state);

	return deadline && now > deadline;
}

/* A first trial that is over: it has no fallback, so its generation stays, on hold. */
static bool is_held(uint64_t state, uint64_t now)
{
	return is_over(state, now) && XF_FW_STATE_FALLBACK(state) == XF_FW_NO_GENERATION;
}

/* Any other trial that is over. */
static bool falls_back(uint64_t state, uint64_t now)
{
	return is_over(state, now) && XF_FW_STATE_FALLBACK(state) != XF_FW_NO_GENERATION;
}

static uint32_t number_of(const struct xf_ruleset *ruleset, const struct xf_region *region)
{
	return region->gen - ruleset->store.generations;
}

static bool generation_in_use(const struct xf_ruleset *ruleset, uint32_t number)
{
	if (ruleset->building && number == number_of(ruleset, ruleset->building))
		return true;
	return number == active(ruleset) || number == fallback(ruleset);
}

static bool slot_in_use(const struct xf_ruleset *ruleset, uint32_t slot)
{
	for (uint32_t i = 0; i < XF_FW_GENERATIONS; i++)
		if (generation_in_use(ruleset, i) && ruleset->store.generations[i].slot == slot)
			return true;
	return false;
}

static uint32_t free_generation(const struct xf_ruleset *ruleset)
{
	uint32_t number = 0;

	while (generation_in_use(ruleset, number))
		number++;
	return number;
}

/* Two generations at most hold or come back, and one is built: a region is always free. */
static uint32_t free_slot(const struct xf_ruleset *ruleset)
{
	uint32_t slot = 0;

	while (slot_in_use(ruleset, slot))
		slot += XF_FW_REGION_SLOTS;
	return slot;
}

static void mark(struct xf_ruleset *ruleset, uint32_t bits)
{
	xf_publish(&ruleset->store.root->writing, ruleset->store.root->writing | bits);
}

static void unmark(struct xf_ruleset *ruleset, uint32_t bits)
{
	xf_publish(&ruleset->store.root->writing, ruleset->store.root->writing & ~bits);
}

int xf_ruleset__new_generation(struct xf_ruleset *ruleset, bool deny, uint64_t expected_rules,
			       struct xf_region *region)
{
	uint32_t slot = free_slot(ruleset);
	int err;

	xf_region__attach(region, &ruleset->store, free_generation(ruleset), false);
	err = xf_generation__init(region, slot, deny, expected_rules);
	if (err)
		xf_region__detach(region);
	return err;
}

static void attach_active(struct xf_ruleset *ruleset)
{
	xf_region__detach(&ruleset->region);
	ruleset->number = active(ruleset);
	xf_region__attach(&ruleset->region, &ruleset->store, ruleset->number, true);
}

/* Wait until no packet reads a generation that neither holds nor comes back any more; then drop its
 * tables, if it alone has them. */
static int release(struct xf_ruleset *ruleset, uint32_t slot)
{
	int err = xf_store__grace(&ruleset->store);

	if (!err && !slot_in_use(ruleset, slot))
		err = xf_store__clear(&ruleset->store, slot);
	ruleset->region.seen = ruleset->store.root->tables;
	if (!err)
		unmark(ruleset, XF_FW_WRITING_TABLES);
	return err;
}

/* Put the generation's tables where packets find them, once it holds. Returns 0 or -errno, and then
 * the generation is gone. Detaches region. */
static int install(struct xf_ruleset *ruleset, struct xf_region *region)
{
	uint32_t slot = region->gen->slot;
	int err;

	mark(ruleset, XF_FW_WRITING_TABLES);
	err = xf_region__install(region);
	xf_region__detach(region);
	if (err)
		xf_store__clear(&ruleset->store, slot);
	return err;
}

int xf_ruleset__switch(struct xf_ruleset *ruleset, struct xf_region *region)
{
	uint32_t number = number_of(ruleset, region),
		 old = ruleset->store.generations[active(ruleset)].slot;
	int err = install(ruleset, region);

	if (err)
		return err;
	publish(ruleset, deadline_of(ruleset), fallback(ruleset), number);
	attach_active(ruleset);
	return release(ruleset, old);
}

int xf_ruleset__switch_on_trial(struct xf_ruleset *ruleset, struct xf_region *region,
				uint64_t deadline)
{
	uint32_t number = number_of(ruleset, region);
	int err = install(ruleset, region);

	if (err)
		return err;
	publish(ruleset, deadline, active(ruleset), number);
	attach_active(ruleset);
	ruleset->region.seen = ruleset->store.root->tables;
	unmark(ruleset, XF_FW_WRITING_TABLES);
	return 0;
}

int xf_ruleset__rebuild(struct xf_ruleset *ruleset, uint64_t now)
{
	struct xf_region region;
	int err = -EAGAIN;

	for (int i = 0; err == -EAGAIN && i < XF_SEED_TRIES; i++) {
		err = xf_ruleset__new_generation(ruleset, ruleset->region.gen->deny,
						 ruleset->region.gen->writer.refs, &region);
		if (err)
			return err;
		err = xf_generation__copy_rules(&ruleset->region, &region, now);
		if (err)
			xf_region__detach(&region);
	}
	return err ? err : xf_ruleset__switch(ruleset, &region);
}

/* Tables of its own for the generation on trial, so that the fallback's stay as they are. */
static int unshare(struct xf_ruleset *ruleset)
{
	uint32_t back = fallback(ruleset), number;
	struct xf_region region;
	int err;

	if (back == XF_FW_NO_GENERATION ||
	    ruleset->store.generations[back].slot != ruleset->region.gen->slot)
		return 0;
	err = xf_region__map(&ruleset->region);
	if (err)
		return err;
	number = free_generation(ruleset);
	ruleset->store.generations[number].slot = free_slot(ruleset);
	xf_region__attach(&region, &ruleset->store, number, false);
	err = xf_generation__clone(&ruleset->region, &region);
	if (err) {
		xf_region__detach(&region);
		return err;
	}
	return xf_ruleset__switch(ruleset, &region);
}

/* The fallback has held since the deadline; write it down for good. */
static int end_trial(struct xf_ruleset *ruleset)
{
	uint32_t tried = ruleset->store.generations[active(ruleset)].slot, back = fallback(ruleset);

	mark(ruleset, XF_FW_WRITING_TABLES);
	publish_for_good(ruleset, back);
	attach_active(ruleset);
	return release(ruleset, tried);
}

/* Drop the tables that no generation refers to: a writer died while it put them into slots or took
 * them out. */
static void sweep_tables(struct xf_ruleset *ruleset)
{
	for (uint32_t i = 0; i < XF_FW_REGIONS; i++)
		if (!slot_in_use(ruleset, i * XF_FW_REGION_SLOTS))
			xf_store__clear(&ruleset->store, i * XF_FW_REGION_SLOTS);
	unmark(ruleset, XF_FW_WRITING_TABLES);
}

static int recover(struct xf_ruleset *ruleset, uint64_t now)
{
	uint32_t left = ruleset->store.root->writing;
	int err = 0;

	if (left & XF_FW_WRITING_TABLES)
		sweep_tables(ruleset);
	if (left & XF_FW_WRITING_RULES)
		err = xf_ruleset__rebuild(ruleset, now);
	if (!err)
		unmark(ruleset, XF_FW_WRITING_RULES);
	return err;
}

uint32_t xf_ruleset__number(const struct xf_ruleset *ruleset, uint64_t now)
{
	uint64_t then = state(ruleset);

	return falls_back(then, now) ? XF_FW_STATE_FALLBACK(then) : XF_FW_STATE_GENERATION(then);
}

void xf_ruleset__refresh(struct xf_ruleset *ruleset, uint64_t now)
{
	uint32_t number = xf_ruleset__number(ruleset, now);

	if (ruleset->number == number &&
	    ruleset->region.seen == xf_observe(&ruleset->store.root->tables))
		return;
	xf_region__detach(&ruleset->region);
	ruleset->number = number;
	xf_region__attach(&ruleset->region, &ruleset->store, number, true);
}

int xf_ruleset__settle(struct xf_ruleset *ruleset, uint64_t now)
{
	int err = 0;

	xf_ruleset__refresh(ruleset, now);
	ruleset->store.why[0] = 0;
	if (falls_back(state(ruleset), now))
		err = end_trial(ruleset);
	/* A table that cannot be mapped must not look like one that does not exist. */
	if (!err)
		err = xf_region__map(&ruleset->region);
	if (!err && ruleset->store.root->writing)
		err = recover(ruleset, now);
	return err;
}

int xf_ruleset__begin(struct xf_ruleset *ruleset, uint64_t now)
{
	int err = xf_ruleset__settle(ruleset, now);

	if (!err)
		err = unshare(ruleset);
	if (!err)
		err = xf_region__map(&ruleset->region);
	if (!err)
		mark(ruleset, XF_FW_WRITING_RULES);
	return err;
}

void xf_ruleset__end(struct xf_ruleset *ruleset)
{
	unmark(ruleset, XF_FW_WRITING_RULES);
}

int xf_ruleset__try(struct xf_ruleset *ruleset, bool deny, uint64_t deadline)
{
	uint32_t number;
	int err = xf_ruleset__settle(ruleset, xf_now_ns(CLOCK_BOOTTIME));

	if (err)
		return err;
	if (deadline_of(ruleset))
		return -EBUSY;
	number = free_generation(ruleset);
	memcpy(&ruleset->store.generations[number], ruleset->region.gen,
	       sizeof(struct xf_fw_generation));
	/* If it were set after the switch, the deadline could have passed, and the policy would be
	 * the fallback's. */
	ruleset->store.generations[number].deny = deny;
	publish(ruleset, deadline, active(ruleset), number);
	attach_active(ruleset);
	/* Now, since copying many rules takes longer than a change should. If it cannot be done the
	 * first change tries again, and says so. */
	(void)unshare(ruleset);
	return 0;
}

int xf_ruleset__try_first(struct xf_ruleset *ruleset, uint64_t deadline)
{
	uint64_t now = xf_now_ns(CLOCK_BOOTTIME);
	int err = xf_ruleset__settle(ruleset, now);

	if (err)
		return err;
	if (deadline_of(ruleset) && !xf_ruleset__held(ruleset, now))
		return -EBUSY;
	publish(ruleset, deadline, XF_FW_NO_GENERATION, active(ruleset));
	return 0;
}

void xf_ruleset__put_off(struct xf_ruleset *ruleset, uint64_t deadline)
{
	if (deadline_of(ruleset))
		publish(ruleset, deadline, fallback(ruleset), active(ruleset));
}

void xf_ruleset__end_trial(struct xf_ruleset *ruleset)
{
	xf_ruleset__put_off(ruleset, DEADLINE_OVER);
}

int xf_ruleset__hold(struct xf_ruleset *ruleset)
{
	return xf_ruleset__try_first(ruleset, DEADLINE_OVER);
}

bool xf_ruleset__held(const struct xf_ruleset *ruleset, uint64_t now)
{
	return is_held(state(ruleset), now);
}

bool xf_ruleset_root_held(const struct xf_fw_root *root, uint64_t now)
{
	return root->magic == XF_FW_ABI_MAGIC && root->version == XF_FW_ABI_VERSION &&
	       is_held(root->state, now);
}

void xf_ruleset__resume(struct xf_ruleset *ruleset)
{
	publish_for_good(ruleset, active(ruleset));
}

int xf_ruleset__confirm(struct xf_ruleset *ruleset, uint64_t now)
{
	uint32_t back = fallback(ruleset);
	int err;

	if (!deadline_of(ruleset))
		return -ENOENT;
	if (is_over(state(ruleset), now)) {
		err = xf_ruleset__settle(ruleset, now);
		return err ? err : -ETIME;
	}
	if (back == XF_FW_NO_GENERATION) {
		xf_ruleset__resume(ruleset);
		return 0;
	}
	mark(ruleset, XF_FW_WRITING_TABLES);
	publish_for_good(ruleset, active(ruleset));
	return release(ruleset, ruleset->store.generations[back].slot);
}

uint64_t xf_ruleset__trial(const struct xf_ruleset *ruleset, uint64_t now)
{
	uint64_t then = state(ruleset);

	return is_over(then, now) ? 0 : XF_FW_STATE_DEADLINE(then);
}
