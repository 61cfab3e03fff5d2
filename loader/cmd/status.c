// SPDX-License-Identifier: GPL-2.0-only
/* xdpfun-load status: the XDP programs on each interface, and the counters of ours. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/hook/actions.h"
#include "loader/hook/bpffs.h"
#include "loader/cmd/caps.h"
#include "loader/cmd/cmd.h"
#include "loader/cmd/inventory.h"
#include "loader/cmd/json.h"
#include "lib/msg.h"

struct status_args {
	struct xf_strs interfaces;
	bool json;
	struct xf_common_args common;
};

static const char usage[] =
    "Usage: xdpfun-load status [-i IFACE]... [--json]\n\n"
    "Show the XDP programs on each IFACE (default: all interfaces) in the order in which they run, and the\n"
    "counters of those that are xdpfun's. XDP sees received packets only, not what this machine sends.\n";

static const struct xf_opt options[] = {
	{ .name = "interface",
	  .short_name = 'i',
	  .type = XF_OPT_LIST,
	  .arg = "IFACE",
	  .offset = offsetof(struct status_args, interfaces),
	  .help = "interface to show; may be repeated (default: all)" },
	{ .name = "json",
	  .type = XF_OPT_FLAG,
	  .offset = offsetof(struct status_args, json),
	  .help = "print one JSON object" },
	{ .type = XF_OPT_TABLE,
	  .table = xf_common_options_status,
	  .offset = offsetof(struct status_args, common) },
	{ .type = XF_OPT_END },
};

/* The counters in the order in which both formats show them. */
static const struct {
	const char *key;
	size_t offset;
} counter_fields[] = {
	{ "submitted", offsetof(struct xf_counters, submitted) },
	{ "filtered", offsetof(struct xf_counters, filtered) },
	{ "sampled_out", offsetof(struct xf_counters, sampled_out) },
	{ "rate_limited", offsetof(struct xf_counters, rate_limited) },
	{ "lost", offsetof(struct xf_counters, lost) },
	{ "unread", offsetof(struct xf_counters, unread) },
};
#define COUNTER_FIELDS (sizeof(counter_fields) / sizeof(counter_fields[0]))

static uint64_t counter(const struct xf_counters *counters, size_t i)
{
	return *(const __u64 *)((const char *)counters + counter_fields[i].offset);
}

static uint64_t seen(const struct xf_counters *counters)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < COUNTER_FIELDS; i++)
		sum += counter(counters, i);
	return sum;
}

static json_object *counters_json(const struct xf_counters *counters)
{
	json_object *obj = json_object_new_object();

	json_object_object_add(obj, "seen", json_object_new_uint64(seen(counters)));
	for (size_t i = 0; i < COUNTER_FIELDS; i++)
		json_object_object_add(obj, counter_fields[i].key,
				       json_object_new_uint64(counter(counters, i)));
	return obj;
}

static json_object *actions_json(unsigned int actions)
{
	json_object *list = json_object_new_array();

	for (int i = 0; i < XF_ACTIONS; i++)
		if (actions & 1u << i)
			json_object_array_add(list, json_object_new_string(xf_action_names[i]));
	return list;
}

static json_object *owner_json(const struct xf_inventory_prog *ours)
{
	json_object *obj;

	if (ours->kind != XF_INVENTORY_LOGGER || ours->owner_state == XF_OWNER_NONE)
		return NULL; /* null */
	obj = json_object_new_object();
	json_object_object_add(obj, "pid", json_object_new_int64(ours->owner.pid));
	json_object_object_add(obj, "alive",
			       json_object_new_boolean(ours->owner_state == XF_OWNER_ALIVE));
	return obj;
}

static json_object *prog_json(const struct xf_chain_prog *prog,
			      const struct xf_inventory_prog *ours)
{
	json_object *obj = json_object_new_object();

	json_object_object_add(obj, "name", json_object_new_string(prog->name));
	json_object_object_add(obj, "id", json_object_new_int64(prog->id));
	json_object_object_add(obj, "prio",
			       prog->has_prio ? json_object_new_int64(prog->prio) : NULL);
	json_object_object_add(obj, "chain_actions", actions_json(prog->actions));
	json_object_object_add(obj, "ours",
			       json_object_new_boolean(ours->kind != XF_INVENTORY_FOREIGN));
	json_object_object_add(obj, "owner", owner_json(ours));
	if (ours->kind != XF_INVENTORY_FOREIGN)
		json_object_object_add(obj, "abi", json_object_new_int64(ours->abi_version));
	if (ours->set[0]) {
		json_object_object_add(obj, "set", json_object_new_string(ours->set));
		json_object_object_add(obj, "held", json_object_new_boolean(ours->held));
	}
	if (ours->blind)
		json_object_object_add(obj, "blind", json_object_new_boolean(true));
	if (ours->left.bytes) {
		json_object_object_add(obj, "left_records",
				       json_object_new_uint64(ours->left.records));
		json_object_object_add(obj, "left_bytes", json_object_new_uint64(ours->left.bytes));
	}
	if (ours->reader > 0)
		json_object_object_add(obj, "reader", json_object_new_int64(ours->reader));
	if (ours->readable)
		json_object_object_add(obj, "counters", counters_json(&ours->counters));
	return obj;
}

static json_object *iface_json(const struct xf_inventory *inv)
{
	bool used = inv->chain.kind != XF_CHAIN_EMPTY;
	bool dispatcher = used && inv->chain.kind != XF_CHAIN_BARE;
	json_object *obj = json_object_new_object(), *progs = json_object_new_array();

	json_object_object_add(obj, "iface", xf_json_iface(inv->ifname));
	json_object_object_add(obj, "mode",
			       used ? json_object_new_string(xf_mode_name(inv->chain.mode)) : NULL);
	json_object_object_add(obj, "dispatcher", json_object_new_boolean(dispatcher));
	if (inv->chain.version)
		json_object_object_add(obj, "dispatcher_version",
				       json_object_new_int(inv->chain.version));
	for (unsigned int i = 0; i < inv->chain.n; i++)
		json_object_array_add(progs, prog_json(&inv->chain.prog[i], &inv->prog[i]));
	json_object_object_add(obj, "programs", progs);
	return obj;
}

static void print_json(const struct xf_inventory *invs, int n)
{
	json_object *root = json_object_new_object(), *list = json_object_new_array();

	for (int i = 0; i < n; i++)
		json_object_array_add(list, iface_json(&invs[i]));
	json_object_object_add(root, "interfaces", list);
	xf_json_print(root);
}

static const char *dispatcher_text(const struct xf_chain *chain)
{
	switch (chain->kind) {
	case XF_CHAIN_EMPTY:
		return "-";
	case XF_CHAIN_BARE:
		return "no";
	case XF_CHAIN_DISPATCHER:
		return "yes";
	case XF_CHAIN_VERSION:
		return "other version";
	case XF_CHAIN_PINS:
		return "pins not seen";
	}
	return "?";
}

static const char *owner_text(const struct xf_inventory_prog *ours, char *out, size_t size)
{
	if (ours->set[0])
		snprintf(out, size, "set %s%s", ours->set,
			 ours->held ? ", on hold: every packet passes" : "");
	else if (ours->kind == XF_INVENTORY_FOREIGN)
		return "-";
	else if (ours->kind == XF_INVENTORY_FIREWALL)
		return "none";
	else if (ours->owner_state == XF_OWNER_NONE && ours->reader > 0)
		snprintf(out, size, "none, read by %d", ours->reader);
	else if (ours->owner_state == XF_OWNER_NONE)
		return "none";
	else
		snprintf(out, size, "%u (%s)", ours->owner.pid,
			 ours->owner_state == XF_OWNER_ALIVE ? "alive" : "dead: orphan");
	return out;
}

static void print_counters(const struct xf_inventory_prog *ours)
{
	if (!ours->readable) {
		xf_print("%-15s    ABI version %u, which this xdpfun-load does not read\n", "",
			 ours->abi_version);
		return;
	}
	xf_print("%-15s    seen %" PRIu64, "", seen(&ours->counters));
	for (size_t c = 0; c < COUNTER_FIELDS; c++) {
		char name[32];

		strcpy(name, counter_fields[c].key);
		for (char *p = name; *p; p++)
			*p = *p == '_' ? ' ' : *p;
		xf_print(", %s %" PRIu64, name, counter(&ours->counters, c));
	}
	xf_print("\n");
}

static void print_prog(const char *ifname, const struct xf_inventory *inv, unsigned int i)
{
	const struct xf_chain_prog *prog = &inv->chain.prog[i];
	const struct xf_inventory_prog *ours = &inv->prog[i];
	char prio[16] = "-", actions[80], owner[80];

	if (prog->has_prio)
		snprintf(prio, sizeof(prio), "%u", prog->prio);
	xf_print("%-15s  %-6s  %-13s  %5s  %-15s  %6u  %-22s  %s\n", ifname,
		 i ? "" : xf_mode_name(inv->chain.mode), i ? "" : dispatcher_text(&inv->chain),
		 prio, prog->name, prog->id,
		 xf_actions_text(actions, sizeof(actions), prog->actions),
		 owner_text(ours, owner, sizeof(owner)));
	if (ours->blind)
		xf_print("%-15s    reads nothing here: it was loaded for another kind of "
			 "interface\n",
			 "");
	if (ours->left.bytes)
		xf_print("%-15s    a reader died and left %" PRIu64 " records in %.1f MiB of "
			 "rings%s\n",
			 "", ours->left.records, ours->left.bytes / 1048576.0,
			 ours->owner_state == XF_OWNER_DEAD ? ", which the next 'log' reads"
							    : ", which are released now");
	if (ours->kind == XF_INVENTORY_LOGGER)
		print_counters(ours);
}

static void print_table(const struct xf_inventory *invs, int n)
{
	xf_print("%-15s  %-6s  %-13s  %5s  %-15s  %6s  %-22s  %s\n", "INTERFACE", "MODE",
		 "DISPATCHER", "PRIO", "PROGRAM", "ID", "CHAIN ACTIONS", "OWNER");
	for (int i = 0; i < n; i++) {
		if (!invs[i].chain.n)
			xf_print("%-15s  -\n", invs[i].ifname);
		for (unsigned int p = 0; p < invs[i].chain.n; p++)
			print_prog(p ? "" : invs[i].ifname, &invs[i], p);
	}
}

static int show(const struct status_args *args)
{
	struct xf_locks locks = { .fd = -1 };
	struct xf_inventory *invs = NULL;
	int n;

	if (xf_caps_check("status") || xf_locks__open(&locks))
		return XF_EXIT_FAILED;
	xf_bpffs_prepare();
	n = xf_inventory_read(&invs, &args->interfaces, &locks);
	if (n >= 0 && args->json)
		print_json(invs, n);
	else if (n >= 0)
		print_table(invs, n);
	free(invs);
	xf_locks__close(&locks);
	return xf_cmd_end_output(n < 0 ? XF_EXIT_FAILED : XF_EXIT_OK);
}

int xf_cmd_status(int argc, char **argv)
{
	struct status_args args = {};
	int status = xf_cmd_parse(options, usage, argc, argv, &args, &args.common);

	return status >= 0 ? status : show(&args);
}
