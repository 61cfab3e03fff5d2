// SPDX-License-Identifier: GPL-2.0-only
/* All rules at once: a second generation is filled, then it holds and the first one goes. */
#include <errno.h>
#include <stdlib.h>

#include "lib/time.h"
#include "firewall/table/ruleset_impl.h"

struct xf_build {
	struct xf_ruleset *ruleset;
	struct xf_region region;
};

/* Empty but for the rules that protect, which stay whatever comes. */
static int begin_set(struct xf_build *build, size_t expected_rules)
{
	struct xf_ruleset *ruleset = build->ruleset;
	int err = -EAGAIN;

	for (int i = 0; err == -EAGAIN && i < XF_SEED_TRIES; i++) {
		err = xf_ruleset__new_generation(ruleset, ruleset->region.gen->deny, expected_rules,
						 &build->region);
		if (err)
			return err;
		err = xf_generation__copy_protecting(&ruleset->region, &build->region,
						     xf_now_ns(CLOCK_BOOTTIME));
		if (err)
			xf_region__detach(&build->region);
	}
	return err;
}

int xf_build__begin(struct xf_build **out, struct xf_ruleset *ruleset, size_t expected_rules)
{
	struct xf_build *build;
	int err = xf_ruleset__settle(ruleset, xf_now_ns(CLOCK_BOOTTIME));

	if (err)
		return err;
	if (ruleset->building)
		return -EBUSY;
	build = calloc(1, sizeof(*build));
	if (!build)
		return -ENOMEM;
	build->ruleset = ruleset;
	err = begin_set(build, expected_rules);
	if (err) {
		free(build);
		return err;
	}
	ruleset->building = &build->region;
	*out = build;
	return 0;
}

/* With other seeds from the start. */
static int restart(struct xf_build *build)
{
	struct xf_region region;
	int err = xf_ruleset__new_generation(build->ruleset, build->region.gen->deny,
					     build->region.gen->writer.refs, &region);

	if (err)
		return err;
	err = xf_generation__copy_rules(&build->region, &region, 0);
	if (err) {
		xf_region__detach(&region);
		return err;
	}
	xf_region__detach(&build->region);
	build->region = region;
	return 0;
}

int xf_build__add(struct xf_build *build, const struct xf_rule *rule, uint64_t now)
{
	int err = xf_generation__add(&build->region, rule, now);

	for (int i = 0; err == -EAGAIN && i < XF_SEED_TRIES; i++) {
		err = restart(build);
		if (!err)
			err = xf_generation__add(&build->region, rule, now);
	}
	return err;
}

/* Let it hold, for good without a deadline. */
static int finish(struct xf_build *build, uint64_t deadline)
{
	struct xf_ruleset *ruleset = build->ruleset;
	int err = xf_ruleset__settle(ruleset, xf_now_ns(CLOCK_BOOTTIME));

	if (!err && deadline && XF_FW_STATE_DEADLINE(ruleset->store.root->state))
		err = -EBUSY;
	if (err) {
		xf_build__abort(build);
		return err;
	}
	build->region.gen->deny = ruleset->region.gen->deny;
	err = deadline ? xf_ruleset__switch_on_trial(ruleset, &build->region, deadline)
		       : xf_ruleset__switch(ruleset, &build->region);
	ruleset->building = NULL;
	free(build);
	return err;
}

int xf_build__commit(struct xf_build *build)
{
	return finish(build, 0);
}

int xf_build__try(struct xf_build *build, uint64_t deadline)
{
	return finish(build, deadline);
}

void xf_build__abort(struct xf_build *build)
{
	build->ruleset->building = NULL;
	xf_region__detach(&build->region);
	free(build);
}

int xf_ruleset__flush(struct xf_ruleset *ruleset)
{
	struct xf_build *build;
	int err = xf_build__begin(&build, ruleset, 0);

	return err ? err : xf_build__commit(build);
}
