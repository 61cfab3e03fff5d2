// SPDX-License-Identifier: GPL-2.0-only
/* The firewall and the reference matcher agree on random packets under random rules, after every
 * kind of change. */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firewall/rule/match.h"
#include "tests/prog/firewall/fw.h"
#include "tests/prog/harness.h"
#include "tests/prog/logger/ref_parse.h"
#include "tests/prog/worker.h"

#define SETS 1000
#define PACKETS 1000
#define WORKERS 10 /* most of the time goes by in the kernel's grace periods */
#define RULES_MAX 12000

/* The rules that the generation should have. */
static struct xf_rule rules[RULES_MAX];
static size_t n_rules;
static uint64_t refused, spaces_full;
static bool expired; /* there may be rules that have expired */

static ssize_t known(const struct xf_rule *rule)
{
	for (size_t i = 0; i < n_rules; i++)
		if (xf_rule_equal(&rules[i], rule))
			return i;
	return -1;
}

static void add_rule(struct xf_ruleset *ruleset, struct xf_build *build, const struct xf_rule *rule,
		     uint64_t now)
{
	int err = build ? xf_build__add(build, rule, now) : xf_ruleset__add(ruleset, rule, now);

	if (err ==
	    -E2BIG) { /* more tuple spaces than there may be, or too many ranges of one port */
		refused++;
		return;
	}
	assert_int_equal(err, known(rule) >= 0 ? -EEXIST : 0);
	if (!err)
		rules[n_rules++] = *rule;
}

static void remove_rule(struct xf_ruleset *ruleset, size_t i, uint64_t now)
{
	assert_int_equal(xf_ruleset__del(ruleset, &rules[i], now), 0);
	assert_int_equal(xf_ruleset__del(ruleset, &rules[i], now), -ENOENT);
	rules[i] = rules[--n_rules];
}

static void add_expired(struct xf_ruleset *ruleset)
{
	struct xf_rule rule;

	xf_fw_random_rule(&rule);
	if (known(&rule) >= 0)
		return;
	xf_fw_add_expired(ruleset, &rule);
	expired = true;
}

/* A rule that has expired still counts as one that could match unread fields, until it is swept. */
static bool by_expired_rule(const uint8_t *bytes, size_t len, int got)
{
	struct xf_record rec;

	return expired && got == XF_FATE_POLICY_DENIED && xf_ref_parse_fw(bytes, len, &rec);
}

static void check_packets(const struct xf_fw *fw, unsigned int n, const char *what)
{
	bool deny = xf_ruleset__denies(fw->ruleset);

	for (unsigned int i = 0; i < n; i++) {
		uint8_t bytes[XF_FW_PACKET_MAX];
		size_t len = xf_fw_random_packet(bytes);
		int got = xf_fw_fate(fw, bytes, len);
		int want = xf_ref_fate(rules, n_rules, deny, bytes, len);

		if (got == want || by_expired_rule(bytes, len, got))
			continue;
		xf_print_packet(bytes, len);
		fail_msg("%s, %zu rules, packet %u: fate %d instead of %d", what, n_rules, i, got,
			 want);
	}
}

static int count_entry(void *arg, const struct xf_ruleset_rule *entry)
{
	assert_true(known(&entry->rule) >= 0);
	++*(size_t *)arg;
	return 0;
}

struct about {
	struct xf_match_packet packet;
	size_t n;
};

static bool names_one_prefix(const struct xf_rule *rule)
{
	return !rule->protect && (rule->has == XF_RULE_SRC || rule->has == XF_RULE_DST);
}

static int about_entry(void *arg, const struct xf_ruleset_rule *entry)
{
	struct about *about = arg;

	assert_true(!names_one_prefix(&entry->rule) ||
		    xf_rule_matches(&entry->rule, &about->packet));
	about->n++;
	return 0;
}

/* The list about a pair of addresses has the prefix rules for them, and all other rules. */
static void check_list_about(const struct xf_fw *fw, uint64_t now)
{
	const struct xf_rule *one = &rules[xf_fw_random(n_rules)];
	const struct xf_rule *two = &rules[xf_fw_random(n_rules)];
	struct about about = { .packet.family = one->family ?: 4 };
	size_t want = 0;

	memcpy(about.packet.src, one->src.addr, sizeof(one->src.addr));
	memcpy(about.packet.dst, two->dst.addr, sizeof(two->dst.addr));
	about.packet.src[3] ^= xf_fw_random(4);
	about.packet.dst[15] ^= xf_fw_random(4);
	for (size_t i = 0; i < n_rules; i++)
		want += !names_one_prefix(&rules[i]) || xf_rule_matches(&rules[i], &about.packet);
	assert_int_equal(xf_ruleset__each_about(fw->ruleset, now, about.packet.family,
						about.packet.src, about.packet.dst, about_entry,
						&about),
			 0);
	assert_int_equal(about.n, want);
}

static void check_list(const struct xf_fw *fw, uint64_t now)
{
	struct xf_ruleset_stats stats;
	size_t n = 0;

	assert_int_equal(xf_ruleset__each(fw->ruleset, now, count_entry, &n), 0);
	assert_int_equal(n, n_rules);
	assert_int_equal(xf_ruleset__stats(fw->ruleset, now, &stats), 0);
	assert_int_equal(stats.rules, n_rules);
	for (int i = 0; i < 20 && n_rules; i++)
		check_list_about(fw, now);
	spaces_full += stats.spaces == stats.spaces_max;
}

/* Rules that protect stay when all others are replaced. Few do, or no packet would meet the others.
 */
static void keep_protecting(struct xf_ruleset *ruleset, uint64_t now)
{
	size_t kept = 0;

	for (size_t i = 0; i < n_rules;)
		if (rules[i].protect && xf_fw_random(4))
			remove_rule(ruleset, i, now);
		else
			i++;
	for (size_t i = 0; i < n_rules; i++)
		if (rules[i].protect)
			rules[kept++] = rules[i];
	n_rules = kept;
}

static void new_rules(const struct xf_fw *fw, size_t n, bool in_place, uint64_t now)
{
	struct xf_build *build = NULL;
	struct xf_rule rule;

	keep_protecting(fw->ruleset, now);
	expired = false;
	if (in_place)
		assert_int_equal(xf_ruleset__flush(fw->ruleset), 0);
	else
		assert_int_equal(xf_build__begin(&build, fw->ruleset, n), 0);
	while (n--) {
		xf_fw_random_rule(&rule);
		add_rule(fw->ruleset, build, &rule, now);
	}
	if (build)
		assert_int_equal(xf_build__commit(build), 0);
}

static void fresh_sets(struct xf_fw *fw, unsigned int worker)
{
	for (unsigned int set = worker; set < SETS; set += WORKERS) {
		xf_fw_random_seed(set);
		assert_int_equal(xf_ruleset__set_policy(fw->ruleset, set & 1), 0);
		new_rules(fw, 1 + xf_fw_random(60), false, xf_boot_ns());
		check_packets(fw, PACKETS, "new set");
		if (set % 100 < WORKERS)
			check_list(fw, xf_boot_ns());
	}
}

/* Rules come, go and expire, one at a time. */
static void changed_sets(struct xf_fw *fw, unsigned int worker)
{
	for (unsigned int set = worker; set < SETS / 10; set += WORKERS) {
		uint64_t now = xf_boot_ns();

		xf_fw_random_seed(SETS + set);
		new_rules(fw, 40, set & 1, now);
		for (unsigned int step = 0; step < 5; step++) {
			struct xf_rule rule;

			for (unsigned int i = 0; i < 5; i++) {
				add_expired(fw->ruleset);
				xf_fw_random_rule(&rule);
				add_rule(fw->ruleset, NULL, &rule, now);
				if (n_rules > 1)
					remove_rule(fw->ruleset, xf_fw_random(n_rules), now);
			}
			check_packets(fw, PACKETS / 10, "changed set");
		}
		check_list(fw, now);
		xf_ruleset__expire(fw->ruleset, now);
		expired = false;
		check_packets(fw, PACKETS / 10, "swept set");
		check_list(fw, now);
	}
}

/* The IPv4 prefixes are so many that they need a directory, and IPv6 has as many. */
static void many_prefixes(struct xf_fw *fw, unsigned int worker)
{
	uint64_t now = xf_boot_ns();
	int family = worker ? 6 : 4;
	struct xf_rule rule;

	if (worker > 1)
		return;
	xf_fw_random_seed(12345);
	n_rules = 0;
	assert_int_equal(xf_ruleset__flush(fw->ruleset), 0);
	while (n_rules < 11000) {
		xf_fw_random_prefix(&rule, family);
		add_rule(fw->ruleset, NULL, &rule, now);
	}
	check_packets(fw, 3000, "many prefixes");
	for (unsigned int step = 0; step < 8; step++) {
		for (unsigned int i = 0; i < 1000; i++) {
			remove_rule(fw->ruleset, xf_fw_random(n_rules), now);
			xf_fw_random_prefix(&rule, family);
			if (known(&rule) < 0 && i % 2)
				xf_fw_add_expired(fw->ruleset, &rule);
		}
		check_packets(fw, 500, "fewer prefixes");
	}
	check_list(fw, now);
}

/* Each worker is a process with a rule set of its own. */
struct part {
	void (*fn)(struct xf_fw *fw, unsigned int worker);
	unsigned int worker;
};

static void work(void *arg)
{
	const struct part *part = arg;
	struct xf_fw fw;

	assert_int_equal(xf_fw__open(&fw, false), 0);
	part->fn(&fw, part->worker);
	xf_fw__close(&fw);
}

static void with_workers(void (*fn)(struct xf_fw *fw, unsigned int worker))
{
	pid_t pids[WORKERS];
	int failed = 0;

	for (unsigned int i = 0; i < WORKERS; i++) {
		struct part part = { fn, i };

		pids[i] = xf_worker_start(work, &part);
	}
	for (unsigned int i = 0; i < WORKERS; i++) {
		char name[16];

		snprintf(name, sizeof(name), "worker %u", i);
		failed += !xf_worker_succeeded(pids[i], name);
	}
	assert_int_equal(failed, 0);
}

static void random_sets(void **state)
{
	(void)state;
	with_workers(fresh_sets);
}

static void random_changes(void **state)
{
	(void)state;
	with_workers(changed_sets);
}

static void random_prefixes(void **state)
{
	(void)state;
	with_workers(many_prefixes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_sets),
		cmocka_unit_test(random_changes),
		cmocka_unit_test(random_prefixes),
	};
	const char *why = xf_harness_refusal();

	if (why)
		return xf_skip_all(why);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
