// SPDX-License-Identifier: GPL-2.0-only
/* xdpfun-load firewall stats: totals, sizes, and where a set is attached. */
#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/time.h"
#include "loader/cmd/firewall/show.h"
#include "loader/firewall/programs.h"
#include "loader/log/leftover.h"
#include "loader/cmd/json.h"
#include "lib/msg.h"

static const char usage[] =
    "Usage: xdpfun-load firewall stats [--set NAME] [--json]\n\n"
    "Print what a set's rules and policy have done with packets, how large it is, and on which interfaces\n"
    "of this network namespace it is.\n";

struct figures {
	bool deny;
	uint64_t trial_s; /* seconds that are left, 0: none is running */
	bool held;
	struct xf_ruleset_stats stats;
	struct xf_fw_place *places;
	struct xf_leftover *left; /* in each place, by a reader that died */
	int places_n;
};

/* The totals, in the order in which both formats show them. */
static const struct {
	const char *key, *text;
	size_t offset;
} counter_fields[] = {
	{ "allowed", "allowed by rules", offsetof(struct xf_ruleset_stats, allowed) },
	{ "denied", "denied by rules", offsetof(struct xf_ruleset_stats, denied) },
	{ "policy_allowed", "allowed by the policy",
	  offsetof(struct xf_ruleset_stats, policy_allowed) },
	{ "policy_denied", "denied by the policy",
	  offsetof(struct xf_ruleset_stats, policy_denied) },
	{ "exempt", "exempt from the policy", offsetof(struct xf_ruleset_stats, exempt) },
};
#define COUNTER_FIELDS (sizeof(counter_fields) / sizeof(counter_fields[0]))

/* Packets, then bytes. */
static const uint64_t *counter(const struct xf_ruleset_stats *stats, size_t i)
{
	return (const uint64_t *)((const char *)stats + counter_fields[i].offset);
}

/* Returns 0, or -errno after a message. */
static int release_leftovers(struct figures *figures)
{
	struct xf_locks locks = { .fd = -1 };
	struct xf_program program;
	int err = xf_locks__open(&locks);

	figures->left = calloc(figures->places_n + 1, sizeof(*figures->left));
	if (!err && !figures->left)
		err = -ENOMEM;
	for (int i = 0; !err && i < figures->places_n; i++) {
		const struct xf_fw_place *place = &figures->places[i];

		/* It may just have gone. */
		if (!xf_program__open(&program, &xf_abi_firewall, place->prog_id))
			err = xf_leftover_look(&locks, &program, true, &figures->left[i]);
		xf_program__close(&program);
		if (err)
			xf_err("%s: cannot look at the rings of program %u: %s", place->ifname,
			       place->prog_id, strerror(-err));
	}
	xf_locks__close(&locks);
	return err;
}

static int read_figures(void *arg, const struct xf_fw_args *args, struct xf_named_set *set)
{
	uint64_t now = xf_now_ns(CLOCK_BOOTTIME), ends = xf_ruleset__trial(set->ruleset, now);
	struct figures *figures = arg;
	struct xf_strs all = {};
	int err;

	figures->deny = xf_ruleset__denies(set->ruleset);
	figures->trial_s = ends > now ? (ends - now + XF_NSEC - 1) / XF_NSEC : 0;
	figures->held = xf_ruleset__held(set->ruleset, now);
	err = xf_ruleset__stats(set->ruleset, now, &figures->stats);
	if (err) {
		xf_err("cannot read the counters of the set '%s': %s", args->set, strerror(-err));
		return err;
	}
	figures->places_n = xf_fw_places(&figures->places, &all, xf_fw_pins__root_id(&set->pins));
	return figures->places_n < 0 ? figures->places_n : release_leftovers(figures);
}

static json_object *places_json(const struct figures *figures)
{
	json_object *list = json_object_new_array();

	for (int i = 0; i < figures->places_n; i++) {
		const struct xf_fw_place *place = &figures->places[i];
		const struct xf_leftover *left = &figures->left[i];
		json_object *obj = json_object_new_object();

		json_object_object_add(obj, "iface", xf_json_iface(place->ifname));
		json_object_object_add(obj, "mode",
				       json_object_new_string(xf_mode_name(place->mode)));
		json_object_object_add(obj, "id", json_object_new_int64(place->prog_id));
		if (left->bytes) {
			json_object_object_add(obj, "left_records",
					       json_object_new_uint64(left->records));
			json_object_object_add(obj, "left_bytes",
					       json_object_new_uint64(left->bytes));
		}
		json_object_array_add(list, obj);
	}
	return list;
}

static json_object *counters_json(const struct xf_ruleset_stats *stats)
{
	json_object *obj = json_object_new_object();

	for (size_t i = 0; i < COUNTER_FIELDS; i++) {
		json_object *one = json_object_new_object();
		const uint64_t *values = counter(stats, i);

		json_object_object_add(one, "packets", json_object_new_uint64(values[0]));
		json_object_object_add(one, "bytes", json_object_new_uint64(values[1]));
		json_object_object_add(obj, counter_fields[i].key, one);
	}
	return obj;
}

static void print_json(void *arg, const struct xf_fw_args *args)
{
	const struct figures *figures = arg;
	const struct xf_ruleset_stats *stats = &figures->stats;
	const struct {
		const char *key;
		uint64_t value;
	} sizes[] = {
		{ "rules", stats->rules },	     { "prefixes", stats->prefixes },
		{ "rules_max", stats->rules_max },   { "shapes", stats->spaces },
		{ "shapes_max", stats->spaces_max }, { "memory", stats->memory },
	};
	json_object *root = json_object_new_object();

	json_object_object_add(root, "set", json_object_new_string(args->set));
	json_object_object_add(root, "policy",
			       json_object_new_string(xf_fw_policies[figures->deny]));
	json_object_object_add(root, "trial_seconds",
			       figures->trial_s ? json_object_new_uint64(figures->trial_s) : NULL);
	json_object_object_add(root, "held", json_object_new_boolean(figures->held));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		json_object_object_add(root, sizes[i].key, json_object_new_uint64(sizes[i].value));
	json_object_object_add(root, "interfaces", places_json(figures));
	json_object_object_add(root, "counters", counters_json(stats));
	xf_json_print(root);
}

static void print_text(void *arg, const struct xf_fw_args *args)
{
	const struct figures *figures = arg;
	const struct xf_ruleset_stats *stats = &figures->stats;

	xf_print("set %s, policy %s", args->set, xf_fw_policies[figures->deny]);
	if (figures->trial_s)
		xf_print(", on trial for %" PRIu64 " more seconds", figures->trial_s);
	if (figures->held)
		xf_print(", on hold: the trial was not confirmed and every packet passes until the "
			 "next 'attach'");
	xf_print("\nattached to");
	for (int i = 0; i < figures->places_n; i++)
		xf_print("%s %s (program %u, %s mode)", i ? "," : "", figures->places[i].ifname,
			 figures->places[i].prog_id, xf_mode_name(figures->places[i].mode));
	xf_print("%s\n", figures->places_n ? "" : " no interface here");
	xf_print("rules %" PRIu64 " of at most %" PRIu64 ", %" PRIu64 " of them a single prefix\n",
		 stats->rules, stats->rules_max, stats->prefixes);
	xf_print("tuple spaces of the others %" PRIu64 " of at most %" PRIu64 "\n", stats->spaces,
		 stats->spaces_max);
	xf_print("kernel memory %.1f MiB\n", stats->memory / 1048576.0);
	for (int i = 0; i < figures->places_n; i++)
		if (figures->left[i].bytes)
			xf_print("a reader on %s died and left %" PRIu64 " records in %.1f MiB of "
				 "rings, which are released now\n",
				 figures->places[i].ifname, figures->left[i].records,
				 figures->left[i].bytes / 1048576.0);
	for (size_t i = 0; i < COUNTER_FIELDS; i++) {
		const uint64_t *values = counter(stats, i);

		xf_print("%-22s  %12" PRIu64 " packets  %15" PRIu64 " bytes\n",
			 counter_fields[i].text, values[0], values[1]);
	}
}

int xf_fw_stats(int argc, char **argv)
{
	const struct xf_fw_show show = { "firewall stats", usage, read_figures, print_text,
					 print_json };
	struct figures figures = {};
	int status = xf_fw_show(argc, argv, &show, &figures);

	free(figures.places);
	free(figures.left);
	return status;
}
