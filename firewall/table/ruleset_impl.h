/* SPDX-License-Identifier: GPL-2.0-only */
/* An open rule set, for the files that implement ruleset.h. */
#ifndef XF_RULESET_IMPL_H
#define XF_RULESET_IMPL_H

#include "lib/time.h"
#include "firewall/table/generation_rules.h"
#include "firewall/table/ruleset.h"

/* Two references of an index with one hash need other seeds: of ten million sets of a million rules
 * one has such. */
#define XF_SEED_TRIES 3

struct xf_ruleset {
	struct xf_store store;
	struct xf_ruleset_map maps[4];
	struct xf_region region;    /* of the generation that holds */
	uint32_t number;	    /* its number */
	struct xf_region *building; /* one that is being built, or NULL */
};

/* The number of the generation that packets met at that time. */
uint32_t xf_ruleset__number(const struct xf_ruleset *ruleset, uint64_t now);
/* Look again at which generation holds and at its tables: another process may have changed them. */
void xf_ruleset__refresh(struct xf_ruleset *ruleset, uint64_t now);

/* Take back a trial that is over and any change that a writer left unfinished when it died. Returns
 * 0 or -errno. */
int xf_ruleset__settle(struct xf_ruleset *ruleset, uint64_t now);
/* Around each change of rules. Begin settles, gives a generation on trial tables of its own, and
 * marks in the root that a change is under way. Returns 0 or -errno. */
int xf_ruleset__begin(struct xf_ruleset *ruleset, uint64_t now);
void xf_ruleset__end(struct xf_ruleset *ruleset);

/* An empty generation beside the one that holds, attached to region. Until it holds nothing of it
 * is left when the process ends; xf_region__detach() lets it go. Returns 0 or -errno. */
int xf_ruleset__new_generation(struct xf_ruleset *ruleset, bool deny, uint64_t expected_rules,
			       struct xf_region *region);
/* Let that generation hold in place of the present one, whose tables go unless a trial needs them.
 * Detaches region. Returns 0 or -errno, and then the old one holds. */
int xf_ruleset__switch(struct xf_ruleset *ruleset, struct xf_region *region);
/* The same until the deadline only, with the present one to come back: no trial is running. */
int xf_ruleset__switch_on_trial(struct xf_ruleset *ruleset, struct xf_region *region,
				uint64_t deadline);
/* The same rules in tables of their own, with other seeds. Returns 0 or -errno. */
int xf_ruleset__rebuild(struct xf_ruleset *ruleset, uint64_t now);

#endif
