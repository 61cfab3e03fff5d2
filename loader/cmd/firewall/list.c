// SPDX-License-Identifier: GPL-2.0-only
/* xdpfun-load firewall list: the rules of a set, the most specific first. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/time.h"
#include "loader/cmd/firewall/show.h"
#include "lib/msg.h"

static const char usage[] =
    "Usage: xdpfun-load firewall list [--set NAME] [--json]\n\n"
    "Print the rules of a set, the most specific first, as 'replace' and 'add -' read them. A rule with a\n"
    "ttl has what is left of it. With -v, what each has matched is behind it as a comment.\n";

struct list {
	struct ranked {
		uint64_t rank;
		struct xf_ruleset_rule entry;
	} * at;
	size_t n, space;
	bool deny;
};

static int add_entry(void *arg, const struct xf_ruleset_rule *entry)
{
	struct list *list = arg;

	if (list->n == list->space) {
		size_t space = list->space ? list->space * 2 : 64;
		struct ranked *more = reallocarray(list->at, space, sizeof(*more));

		if (!more)
			return -ENOMEM;
		list->at = more;
		list->space = space;
	}
	list->at[list->n++] = (struct ranked) { xf_rule_rank(&entry->rule), *entry };
	return 0;
}

/* The larger rank first; among equal ones always the same order. */
static int compare(const void *left, const void *right)
{
	const struct ranked *a = left, *b = right;
	const struct xf_rule *x = &a->entry.rule, *y = &b->entry.rule;
	int order;

	if (a->rank != b->rank)
		return a->rank < b->rank ? 1 : -1;
	order = memcmp(&x->has, &y->has, sizeof(x->has));
	if (!order)
		order = memcmp(&x->family, &y->family, sizeof(x->family));
	if (!order)
		order = memcmp(x->src.addr, y->src.addr, sizeof(x->src.addr));
	if (!order)
		order = memcmp(x->dst.addr, y->dst.addr, sizeof(x->dst.addr));
	if (!order)
		order = (x->dport_min > y->dport_min) - (x->dport_min < y->dport_min);
	if (!order)
		order = (x->sport_min > y->sport_min) - (x->sport_min < y->sport_min);
	if (!order)
		order = memcmp(x->mac, y->mac, sizeof(x->mac));
	return order ?: (x->proto > y->proto) - (x->proto < y->proto);
}

static int read_list(void *arg, const struct xf_fw_args *args, struct xf_named_set *set)
{
	struct list *list = arg;
	int err = xf_ruleset__each(set->ruleset, xf_now_ns(CLOCK_BOOTTIME), add_entry, list);

	list->deny = xf_ruleset__denies(set->ruleset);
	if (err)
		xf_err("cannot read the rules of the set '%s': %s", args->set, strerror(-err));
	return err;
}

static void sort_list(struct list *list)
{
	if (list->n)
		qsort(list->at, list->n, sizeof(*list->at), compare);
}

static void print_text(void *arg, const struct xf_fw_args *args)
{
	struct list *list = arg;
	char text[XF_RULE_TEXT_MAX];

	sort_list(list);
	for (size_t i = 0; i < list->n; i++) {
		const struct xf_ruleset_rule *entry = &list->at[i].entry;

		xf_print("%.*s", (int)xf_rule_format(&entry->rule, text), text);
		if (args->common.verbose)
			xf_print(" # %" PRIu64 " packets, %" PRIu64 " bytes", entry->packets,
				 entry->bytes);
		xf_print("\n");
	}
}

/* The words of a rule's text as members of an object. */
static void print_words(char *text)
{
	char *save = NULL, *word = strtok_r(text, " ", &save);

	printf(",\"action\":\"%s\"", word);
	while ((word = strtok_r(NULL, " ", &save)))
		if (!strcmp(word, "established"))
			printf(",\"established\":true");
		else
			printf(",\"%s\":\"%s\"", word, strtok_r(NULL, " ", &save));
}

static void print_entry(const struct xf_ruleset_rule *entry)
{
	struct xf_rule rule = entry->rule;
	char text[XF_RULE_TEXT_MAX];

	rule.ttl = 0;
	xf_rule_format(&rule, text);
	printf("{\"rule\":\"%s\"", text);
	print_words(text);
	if (entry->rule.ttl)
		printf(",\"ttl\":%" PRIu32, entry->rule.ttl);
	printf(",\"id\":%" PRIu32 ",\"packets\":%" PRIu64 ",\"bytes\":%" PRIu64 "}", entry->id,
	       entry->packets, entry->bytes);
}

/* json-c would want gigabytes for a million rules; nothing in a rule's text needs an escape. */
static void print_json(void *arg, const struct xf_fw_args *args)
{
	struct list *list = arg;

	sort_list(list);
	printf("{\"set\":\"%s\",\"policy\":\"%s\",\"rules\":[", args->set,
	       xf_fw_policies[list->deny]);
	for (size_t i = 0; i < list->n; i++) {
		if (i)
			putchar(',');
		print_entry(&list->at[i].entry);
	}
	puts("]}");
}

int xf_fw_list(int argc, char **argv)
{
	const struct xf_fw_show show = { "firewall list", usage, read_list, print_text,
					 print_json };
	struct list list = {};
	int status = xf_fw_show(argc, argv, &show, &list);

	free(list.at);
	return status;
}
