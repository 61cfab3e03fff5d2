// SPDX-License-Identifier: GPL-2.0-only
/* Trials of a set, as the user meets them. */
#include "loader/firewall/trial.h"

#include <errno.h>

#include "lib/msg.h"
#include "lib/time.h"

static unsigned long long seconds_left(const struct xf_named_set *set, uint64_t now)
{
	return (xf_ruleset__trial(set->ruleset, now) - now) / XF_NSEC + 1;
}

void xf_fw_trial__explain(const struct xf_named_set *set, int err)
{
	const char *name = set->pins.name;

	if (err != -EBUSY) {
		xf_named_set__explain(set, "begin a trial of", err);
		return;
	}
	xf_err("the set '%s' is on trial already, for %llu more seconds", name,
	       seconds_left(set, xf_now_ns(CLOCK_BOOTTIME)));
	xf_hint("'xdpfun-load firewall confirm --set %s' first, or wait", name);
}

int xf_fw_trial__check(const struct xf_named_set *set)
{
	uint64_t now = xf_now_ns(CLOCK_BOOTTIME);
	const char *name = set->pins.name;

	if (xf_ruleset__trial(set->ruleset, now)) {
		xf_fw_trial__explain(set, -EBUSY);
		return -EBUSY;
	}
	if (!xf_ruleset__held(set->ruleset, now))
		return 0;
	xf_err("cannot try a change of the set '%s': it is on hold, and no packet meets it", name);
	xf_hint("change it without --confirm, then 'xdpfun-load firewall attach --set %s -i IFACE "
		"--confirm SECONDS' tries it",
		name);
	return -EBUSY;
}

void xf_fw_trial__announce(const struct xf_named_set *set, uint64_t confirm_ns)
{
	xf_ruleset__put_off(set->ruleset, xf_now_ns(CLOCK_BOOTTIME) + confirm_ns);
	xf_info("on trial: without 'xdpfun-load firewall confirm --set %s' within %g seconds "
		"packets meet what held before",
		set->pins.name, (double)confirm_ns / XF_NSEC);
}

void xf_fw_trial__remind(const struct xf_named_set *set)
{
	uint64_t now = xf_now_ns(CLOCK_BOOTTIME);

	if (xf_ruleset__trial(set->ruleset, now))
		xf_info("the set '%s' is on trial, for %llu more seconds: 'xdpfun-load firewall "
			"confirm --set %s' makes it permanent",
			set->pins.name, seconds_left(set, now), set->pins.name);
}

int xf_fw_trial__confirm(const struct xf_named_set *set)
{
	const char *name = set->pins.name;
	int err = xf_ruleset__confirm(set->ruleset, xf_now_ns(CLOCK_BOOTTIME));

	if (!err)
		xf_info("the set '%s' holds for good now", name);
	else if (err == -ENOENT)
		xf_err("the set '%s' is not on trial", name);
	else if (err == -ETIME)
		xf_err("the trial of the set '%s' is over: %s", name,
		       xf_ruleset__held(set->ruleset, xf_now_ns(CLOCK_BOOTTIME))
			   ? "every packet passes until 'firewall attach' comes again"
			   : "what held before it holds again");
	else
		xf_named_set__explain(set, "confirm", err);
	return err;
}
