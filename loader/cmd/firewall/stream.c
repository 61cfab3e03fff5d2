// SPDX-License-Identifier: GPL-2.0-only
/* Rules from standard input, each applied as it comes. The set is locked only while there is
 * something to do, so that a feed may stay open for days and other commands still get the set. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "lib/time.h"
#include "loader/cmd/firewall/change.h"
#include "lib/msg.h"

#define LINGER_MS 10		/* the set is unlocked after so long without a line */
#define TURN_NS (200 * XF_MSEC) /* how long we keep it while lines come */
#define PAUSE_NS XF_MSEC	/* between two turns, so that other commands can take it */
#define EXPIRE_NS (2000 * XF_MSEC)

struct stream {
	const struct xf_fw_args *args;
	enum xf_fw_change change;
	struct xf_fw_input input;
	struct xf_named_set set;
	bool open;
	bool opened_once;
	uint64_t turn_ends, expired_at;
	struct xf_ssh_warn warn;
	bool warned;
	uint64_t done, idle, refused; /* rules: changed, without effect, lines that were wrong */
};

static int open_set(struct stream *s)
{
	/* 'del' makes no set, and 'add' makes none again that was purged while it waited for lines.
	 */
	bool make = s->change == XF_FW_ADD && !s->opened_once;
	int err;

	if (s->open)
		return 0;
	err = xf_named_set__open(&s->set, s->args->set, make ? XF_FW_CREATE : XF_FW_CHANGE);
	if (err)
		return err;
	s->open = s->opened_once = true;
	s->turn_ends = xf_now_ns(CLOCK_BOOTTIME) + TURN_NS;
	return 0;
}

static void close_set(struct stream *s)
{
	if (s->open)
		xf_named_set__close(&s->set);
	s->open = false;
}

static void expire(struct stream *s, uint64_t now)
{
	if (now - s->expired_at < EXPIRE_NS)
		return;
	xf_ruleset__expire(s->set.ruleset, now);
	s->expired_at = now;
}

/* Unlock the set from time to time. Returns 0 or -errno after a message. */
static int take_turns(struct stream *s, uint64_t now)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };

	if (s->open && now > s->turn_ends) {
		expire(s, now);
		close_set(s);
		nanosleep(&pause, NULL);
	}
	return open_set(s);
}

/* Warn, before it is applied, about the first rule that concerns the SSH session. */
static void look_out(struct stream *s, const struct xf_rule *rule, uint64_t now)
{
	bool adding = s->change == XF_FW_ADD;

	if (!s->warned && xf_ssh_warn__concerns(&s->warn, rule, adding))
		s->warned =
		    xf_ssh_warn__before(&s->warn, s->set.ruleset, now, rule, adding, s->args->set);
}

static int refuse_unprotect(struct stream *s)
{
	s->refused++;
	xf_err("%s:%" PRIu64 ":1: 'firewall protect --remove' alone takes back what is protected",
	       s->input.lines.name, s->input.lines.number);
	return 0;
}

/* Returns 0 or -errno after a message: then it makes no sense to go on. */
static int apply(struct stream *s, const struct xf_rule *rule)
{
	uint64_t now = xf_now_ns(CLOCK_BOOTTIME);
	int err;

	if (s->change == XF_FW_DEL && rule->protect)
		return refuse_unprotect(s);
	err = take_turns(s, now);
	if (err)
		return err;
	look_out(s, rule, now);
	if (s->change == XF_FW_ADD)
		err = xf_ruleset__add(s->set.ruleset, rule, now);
	else
		err = xf_ruleset__del(s->set.ruleset, rule, now);
	switch (err) {
	case 0:
		s->done++;
		return 0;
	case -EEXIST:
	case -ENOENT:
		s->idle++;
		return 0;
	case -E2BIG:
		s->refused++;
		xf_err("%s:%" PRIu64 ":1: the rule is not added: %s", s->input.lines.name,
		       s->input.lines.number, xf_ruleset__why(s->set.ruleset));
		return 0;
	default:
		xf_named_set__explain(&s->set, "change", err);
		return err;
	}
}

/* Returns 0 at the end of the input, or -errno after a message. */
static int take_rules(struct stream *s)
{
	struct xf_rule rule;
	int err = 0;

	while (!err) {
		int ret = xf_fw_input__next(&s->input, s->open ? LINGER_MS : -1, &rule);

		if (ret == 1) {
			err = apply(s, &rule);
		} else if (ret == -EAGAIN) {
			expire(s, xf_now_ns(CLOCK_BOOTTIME));
			close_set(s);
		} else if (ret == -EINVAL) {
			s->refused++;
		} else {
			return ret;
		}
	}
	return err;
}

static void report(const struct stream *s)
{
	bool add = s->change == XF_FW_ADD;

	xf_info("set '%s': %" PRIu64 " rules %s, %" PRIu64 " %s, %" PRIu64 " lines refused",
		s->args->set, s->done, add ? "added" : "taken out", s->idle,
		add ? "were there already" : "were not there", s->refused);
}

int xf_fw_stream(const struct xf_fw_args *args, const struct xf_fw_source *source,
		 enum xf_fw_change change)
{
	struct stream s = { .args = args, .change = change };
	int err = xf_fw_input__open(&s.input, args, source);

	if (err)
		return XF_EXIT_FAILED;
	xf_ssh_warn__init(&s.warn);
	err = open_set(&s);
	if (!err) {
		err = take_rules(&s);
		close_set(&s);
		report(&s);
	}
	xf_fw_input__close(&s.input);
	return err || s.refused || (s.idle && !args->exist) ? XF_EXIT_FAILED : XF_EXIT_OK;
}
