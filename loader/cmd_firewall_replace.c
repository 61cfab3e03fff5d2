// SPDX-License-Identifier: GPL-2.0-only
/* xdpfun-load firewall replace: all rules of a set by those in a file, at once. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "caps.h"
#include "fw_change.h"
#include "lib/msg.h"

#define LINE_GUESS 24 /* bytes of a line, to know how many rules to expect */

static const char usage[] =
	"Usage: xdpfun-load firewall replace [--set NAME] FILE\n\n"
	"Replace all rules of a set, which is made if there is none, by those in FILE (one a line; '-' is\n"
	"standard input). Packets meet either all old rules or all new ones. With a mistake in FILE nothing\n"
	"changes. The policy stays.\n";

static const struct xf_opt options[] = { XF_FW_OPTIONS, { .type = XF_OPT_END } };

struct replacement {
	const struct xf_fw_args *args;
	struct xf_fw_set *set;
	struct xf_build *build;
	struct xf_lines lines;
	struct xf_fw_warn warn;
	uint64_t rules, twice;
};

static int take_rule(struct replacement *r, const struct xf_rule *rule)
{
	int err = xf_build__add(r->build, rule, xf_fw_now());

	if (err == -EEXIST) {
		r->twice++;
		return 0;
	}
	if (err == -E2BIG || err == -ENOSPC)
		xf_err("%s:%" PRIu64 ": too much for a set: %s", r->lines.name, r->lines.number,
		       xf_table__why(r->set->table));
	else if (err)
		xf_fw_set__explain(r->set, "replace the rules of", err);
	if (err)
		return err;
	r->rules++;
	xf_fw_warn__see(&r->warn, rule);
	return 0;
}

/* Returns 0, or -errno after a message. */
static int take_file(struct replacement *r)
{
	struct xf_rule_error error;
	struct xf_rule rule;
	const char *line;
	size_t len;
	int ret, err;

	while ((ret = xf_lines__next(&r->lines, -1, &line, &len)) == 1) {
		err = xf_rule_parse(line, len, &rule, &error);
		if (err < 0)
			xf_fw_bad_line(&r->lines, &error);
		else if (err > 0)
			err = take_rule(r, &rule);
		if (err)
			return err;
	}
	if (ret)
		xf_fw_unread_line(&r->lines, ret);
	return ret;
}

static int build(struct replacement *r)
{
	int err = xf_build__begin(&r->build, r->set->table,
				  xf_lines__size(&r->lines) / LINE_GUESS);

	if (err) {
		xf_fw_set__explain(r->set, "replace the rules of", err);
		return err;
	}
	xf_fw_warn__init(&r->warn);
	err = take_file(r);
	if (err) {
		xf_build__abort(r->build);
		return err;
	}
	xf_fw_warn__say(&r->warn, xf_table__denies(r->set->table), r->args->set);
	err = xf_build__commit(r->build);
	if (err)
		xf_fw_set__explain(r->set, "replace the rules of", err);
	return err;
}

static int replace(const struct xf_fw_args *args, const char *path)
{
	struct xf_fw_set set;
	struct replacement r = { .args = args, .set = &set };
	int err;

	if (xf_caps_check("firewall replace") || xf_lines__open(&r.lines, path))
		return XF_EXIT_FAILED;
	err = xf_fw_begin("firewall replace") ?:
	      xf_fw_set__open(&set, args->set, XF_FW_CREATE);
	if (!err) {
		err = build(&r);
		if (err && set.created)
			xf_fw_pins__remove(&set.pins);
		else if (err)
			xf_hint("nothing has changed, the rules of the set '%s' are the old ones",
				args->set);
		xf_fw_set__close(&set);
	}
	xf_lines__close(&r.lines);
	if (!err && r.twice)
		xf_info("set '%s': %" PRIu64 " rules, %" PRIu64 " lines were repetitions",
			args->set, r.rules, r.twice);
	else if (!err)
		xf_info("set '%s': %" PRIu64 " rules", args->set, r.rules);
	return err ? XF_EXIT_FAILED : XF_EXIT_OK;
}

int xf_fw_replace(int argc, char **argv)
{
	struct xf_fw_args args = {};
	struct xf_rest words;
	int status = xf_fw_args__parse(&args, options, usage, argc, argv, &words);

	if (status >= 0)
		return status;
	if (words.n != 1) {
		xf_err(words.n ? "expected one FILE, got %d" : "the file with the rules is missing",
		       words.n);
		xf_hint("'xdpfun-load firewall replace FILE', or '-' for standard input");
		return XF_EXIT_USAGE;
	}
	return replace(&args, words.at[0]);
}
