// SPDX-License-Identifier: GPL-2.0-only
/* What becomes of a rule set: counters, times, trials, limits, and writers that are killed. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/prog/fw.h"
#include "tests/prog/harness.h"
#include "tests/prog/worker.h"
#include "xdp-prog/fw_abi.h"

#define SECOND 1000000000ull
#define LEN 60

static struct xf_rule from4(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint8_t len, bool deny)
{
	return (struct xf_rule) {
		.deny = deny,
		.has = XF_RULE_SRC,
		.family = 4,
		.src = { .addr = { a, b, c, d }, .len = len },
	};
}

/* A packet from 10.1.2.d. */
static const uint8_t *packet_from(uint8_t d)
{
	static uint8_t bytes[LEN] = { [12] = 8,	 [14] = 0x45, [17] = 46, [22] = 64,
				      [23] = 17, [26] = 10,   [27] = 1,	 [28] = 2 };

	bytes[29] = d;
	return bytes;
}

static int verdict(const struct xf_fw *fw, uint8_t d)
{
	return xf_fw_verdict(fw, packet_from(d), LEN);
}

static void no_set_passes_everything(void **state)
{
	struct bpf_object *object = bpf_object__open(xf_firewall_object());
	struct xf_fw fw = { 0 };

	(void)state;
	assert_non_null(object);
	assert_int_equal(bpf_object__load(object), 0);
	fw.prog = bpf_program__fd(bpf_object__find_program_by_name(object, XF_FW_PROG_NAME));
	assert_int_equal(verdict(&fw, 1), XDP_PASS);
	bpf_object__close(object);
}

struct found {
	struct xf_rule want;
	struct xf_table_entry entry;
	int n;
};

static int find_entry(void *arg, const struct xf_table_entry *entry)
{
	struct found *found = arg;

	if (xf_rule_equal(&entry->rule, &found->want)) {
		found->entry = *entry;
		found->n++;
	}
	return 0;
}

static struct xf_table_entry entry_of(const struct xf_fw *fw, struct xf_rule rule)
{
	struct found found = { .want = rule };
	struct xf_rule by_id;

	assert_int_equal(xf_table__each(fw->table, xf_boot_ns(), find_entry, &found), 0);
	assert_int_equal(found.n, 1);
	assert_int_equal(
	    xf_table__by_id(fw->table, found.entry.set, found.entry.id, xf_boot_ns(), &by_id), 0);
	assert_true(xf_rule_equal(&by_id, &rule));
	return found.entry;
}

/* Rules of small sets are counted in another place than those of large ones. */
static void hits_are_counted(void **state)
{
	const struct xf_fw *fw = *state;
	uint64_t now = xf_boot_ns();
	struct xf_table_entry entry;

	for (int round = 0; round < 2; round++) {
		for (int d = 0; d < 600; d++) {
			struct xf_rule rule = from4(10, d >> 8, 3, d, 32, true);

			assert_int_equal(xf_table__add(fw->table, &rule, now), 0);
			if (d == 0 || d == 599)
				assert_int_equal(entry_of(fw, rule).packets, 0);
		}
		for (int i = 0; i < 3; i++) {
			uint8_t bytes[LEN];

			memcpy(bytes, packet_from(0), LEN);
			memcpy(bytes + 27, (uint8_t[]) { 0, 3, 0 }, 3);
			assert_int_equal(xf_fw_verdict(fw, bytes, LEN), XDP_DROP);
			memcpy(bytes + 27, (uint8_t[]) { 599 >> 8, 3, 599 & 255 }, 3);
			assert_int_equal(xf_fw_verdict(fw, bytes, LEN), XDP_DROP);
		}
		for (int d = 0; d < 600; d += 599) {
			entry = entry_of(fw, from4(10, d >> 8, 3, d, 32, true));
			assert_int_equal(entry.packets, 3);
			assert_int_equal(entry.bytes, 3 * LEN);
		}
		for (int d = 0; d < 600; d++) {
			struct xf_rule rule = from4(10, d >> 8, 3, d, 32, true);

			assert_int_equal(xf_table__del(fw->table, &rule, now), 0);
		}
	}
}

static void an_expired_rule_uncovers_the_next(void **state)
{
	const struct xf_fw *fw = *state;
	uint64_t now = xf_boot_ns();
	struct xf_rule wide = from4(10, 0, 0, 0, 8, true), deny = from4(10, 1, 2, 0, 24, true),
		       allow = from4(10, 1, 2, 0, 24, false);
	uint32_t left;

	assert_int_equal(xf_table__add(fw->table, &wide, now), 0);
	assert_int_equal(xf_table__add(fw->table, &allow, now), 0);
	assert_int_equal(verdict(fw, 7), XDP_PASS);
	deny.ttl = 3600;
	assert_int_equal(xf_table__add(fw->table, &deny, now), 0);
	assert_int_equal(verdict(fw, 7), XDP_DROP);
	left = entry_of(fw, deny).rule.ttl;
	assert_in_range(left, 3600 - (xf_boot_ns() - now) / SECOND - 1, 3600);
	assert_int_equal(xf_table__del(fw->table, &deny, now), 0);
	assert_int_equal(xf_fw_add_expired(fw->table, &deny), 0);
	assert_int_equal(verdict(fw, 7), XDP_PASS);
	/* At a time that sweeps nothing. */
	assert_int_equal(xf_table__del(fw->table, &allow, XF_FW_LONG_AGO), 0);
	assert_int_equal(xf_fw_add_expired(fw->table, &allow), 0);
	assert_int_equal(verdict(fw, 7), XDP_DROP);
	assert_int_equal(xf_table__expire(fw->table, now), 2);
	assert_int_equal(verdict(fw, 7), XDP_DROP);
	assert_int_equal(xf_table__del(fw->table, &deny, now), -ENOENT);
	assert_int_equal(xf_table__del(fw->table, &wide, now), 0);
	assert_int_equal(verdict(fw, 7), XDP_PASS);
}

static uint32_t ttl_of(const struct xf_fw *fw, struct xf_rule rule, uint64_t now)
{
	uint32_t ttl;

	assert_int_equal(xf_table__ttl(fw->table, &rule, now, &ttl), 0);
	return ttl;
}

/* Of a prefix, and of another kind of rule. */
static void the_longer_life_wins(void **state)
{
	const struct xf_fw *fw = *state;
	uint64_t now = xf_boot_ns();
	struct xf_rule rules[] = { from4(10, 0, 0, 0, 8, true), from4(10, 0, 0, 0, 8, true) };
	uint32_t ttl;

	rules[1].has |= XF_RULE_PROTO;
	for (int i = 0; i < 2; i++) {
		struct xf_rule rule = rules[i];
		static const uint32_t steps[][2] = { { 50, 50 }, { 40, 50 }, { 60, 60 },
						     { 0, 0 },	 { 70, 0 },  { 0, 0 } };

		for (size_t step = 0; step < 6; step++) {
			rule.ttl = steps[step][0];
			assert_int_equal(xf_table__add(fw->table, &rule, now), step ? -EEXIST : 0);
			assert_int_equal(ttl_of(fw, rule, now), steps[step][1]);
		}
		assert_int_equal(xf_table__expire(fw->table, now + 100 * SECOND), 0);
		assert_int_equal(xf_table__del(fw->table, &rule, now), 0);
		assert_int_equal(xf_table__ttl(fw->table, &rule, now, &ttl), -ENOENT);
		/* One that has expired is as none. */
		assert_int_equal(xf_fw_add_expired(fw->table, &rule), 0);
		assert_int_equal(xf_table__ttl(fw->table, &rule, now, &ttl), -ENOENT);
		rule.ttl = 20;
		assert_int_equal(xf_table__add(fw->table, &rule, now), 0);
		assert_int_equal(ttl_of(fw, rule, now), 20);
		assert_int_equal(xf_table__del(fw->table, &rule, now), 0);
	}
}

static size_t rules_of(const struct xf_fw *fw)
{
	struct xf_table_stats stats;

	assert_int_equal(xf_table__stats(fw->table, xf_boot_ns(), &stats), 0);
	return stats.rules;
}

static uint64_t memory_of(const struct xf_fw *fw)
{
	struct xf_table_stats stats;

	assert_int_equal(xf_table__stats(fw->table, xf_boot_ns(), &stats), 0);
	return stats.memory;
}

/* Not when the first change comes, which should be quick. */
static void a_trial_has_its_tables_from_its_begin(void **state)
{
	const struct xf_fw *fw = *state;
	struct xf_rule rule = from4(10, 1, 2, 3, 32, true);
	uint64_t now = xf_boot_ns(), before, tried;

	assert_int_equal(xf_table__add(fw->table, &rule, now), 0);
	before = memory_of(fw);
	assert_int_equal(xf_table__try(fw->table, false, now + 100 * SECOND), 0);
	tried = memory_of(fw);
	assert_true(tried > before);
	assert_int_equal(xf_table__del(fw->table, &rule, now), 0);
	assert_int_equal(memory_of(fw), tried);
	assert_int_equal(xf_table__confirm(fw->table, now), 0);
	assert_int_equal(memory_of(fw), before);
	assert_int_equal(rules_of(fw), 0);
}

/* The program goes back by itself; the table follows when it is used next. */
static void a_trial_ends_by_itself(void **state)
{
	const struct xf_fw *fw = *state;
	struct xf_rule old = from4(10, 1, 2, 3, 32, true), new = from4(10, 1, 2, 4, 32, true);
	uint64_t now = xf_boot_ns(), deadline = now + 3600 * SECOND;

	assert_int_equal(xf_table__add(fw->table, &old, now), 0);
	assert_int_equal(xf_table__try(fw->table, false, deadline), 0);
	assert_int_equal(xf_table__try(fw->table, false, deadline), -EBUSY);
	assert_int_equal(xf_table__trial(fw->table, now), deadline);
	assert_int_equal(xf_table__set_policy(fw->table, true), 0);
	assert_int_equal(verdict(fw, 9), XDP_DROP);
	assert_int_equal(xf_table__add(fw->table, &new, now), 0);
	assert_int_equal(xf_table__del(fw->table, &old, now), 0);
	assert_int_equal(xf_table__set_policy(fw->table, false), 0);
	assert_int_equal(verdict(fw, 3), XDP_PASS);
	assert_int_equal(verdict(fw, 4), XDP_DROP);
	assert_int_equal(verdict(fw, 9), XDP_PASS);
	xf_table__put_off(fw->table, xf_boot_ns() + SECOND / 10);
	usleep(110000);
	assert_int_equal(verdict(fw, 3), XDP_DROP);
	assert_int_equal(verdict(fw, 4), XDP_PASS);
	assert_int_equal(xf_table__trial(fw->table, xf_boot_ns()), 0);
	assert_int_equal(xf_table__confirm(fw->table, xf_boot_ns()), -ETIME);
	assert_int_equal(xf_table__confirm(fw->table, xf_boot_ns()), -ENOENT);
	assert_int_equal(rules_of(fw), 1);
	assert_int_equal(entry_of(fw, old).packets, 1);
	assert_int_equal(verdict(fw, 3), XDP_DROP);
}

/* Attaching may take longer than the trial. */
static void a_trial_is_put_off(void **state)
{
	const struct xf_fw *fw = *state;
	struct xf_rule rule = from4(10, 1, 2, 3, 32, true);
	uint64_t now = xf_boot_ns();

	assert_int_equal(xf_table__try_first(fw->table, now + 1), 0);
	assert_int_equal(xf_table__add(fw->table, &rule, now), 0);
	assert_int_equal(verdict(fw, 3), XDP_PASS);
	xf_table__put_off(fw->table, xf_boot_ns() + 100 * SECOND);
	assert_int_equal(verdict(fw, 3), XDP_DROP);
	assert_int_equal(xf_table__confirm(fw->table, xf_boot_ns()), 0);
	xf_table__put_off(fw->table, 1); /* none is running */
	assert_int_equal(verdict(fw, 3), XDP_DROP);
}

/* Copying the rules may take longer than the trial, too: its policy is none of what comes back. */
static void a_trial_that_is_over_at_once(void **state)
{
	const struct xf_fw *fw = *state;
	struct xf_rule rule = from4(10, 1, 2, 3, 32, true);

	assert_int_equal(xf_table__add(fw->table, &rule, xf_boot_ns()), 0);
	assert_int_equal(xf_table__try(fw->table, true, xf_boot_ns() + 1), 0);
	assert_int_equal(verdict(fw, 9), XDP_PASS);
	xf_table__put_off(fw->table, xf_boot_ns() + 3600 * SECOND);
	assert_int_equal(verdict(fw, 9), XDP_DROP);
	xf_table__put_off(fw->table, xf_boot_ns() + SECOND / 10);
	usleep(110000);
	assert_int_equal(verdict(fw, 9), XDP_PASS);
	assert_int_equal(rules_of(fw), 1);
	assert_int_equal(verdict(fw, 9), XDP_PASS);
	assert_false(xf_table__denies(fw->table));
	assert_int_equal(verdict(fw, 3), XDP_DROP);
}

static void a_confirmed_trial_stays(void **state)
{
	const struct xf_fw *fw = *state;
	struct xf_rule rule = from4(10, 1, 2, 5, 32, false);
	uint64_t now = xf_boot_ns(), deadline;
	struct xf_build *build;

	assert_int_equal(xf_table__try(fw->table, false, now + 3600 * SECOND), 0);
	assert_int_equal(xf_build__begin(&build, fw->table, 1), 0);
	assert_int_equal(xf_build__add(build, &rule, now), 0);
	assert_int_equal(xf_build__commit(build), 0);
	assert_int_equal(xf_table__set_policy(fw->table, true), 0);
	deadline = xf_boot_ns() + SECOND;
	xf_table__put_off(fw->table, deadline);
	assert_int_equal(xf_table__confirm(fw->table, deadline - SECOND), 0);
	while (xf_boot_ns() <= deadline)
		usleep(10000);
	assert_int_equal(verdict(fw, 5), XDP_PASS);
	assert_int_equal(verdict(fw, 6), XDP_DROP);
	assert_int_equal(rules_of(fw), 1);
}

/* What cannot be opened is not what is not there: neither shown, nor copied, nor changed without
 * it. */
static void without_descriptors_nothing_is_lost(void **state)
{
	const struct xf_fw *fw = *state;
	const struct xf_table_map *maps;
	size_t n = xf_table__maps(fw->table, &maps), rules = 30000;
	struct xf_rule rule = from4(10, 1, 2, 3, 32, true);
	uint64_t now = xf_boot_ns();
	struct xf_table_stats stats;
	struct xf_table *again;
	struct rlimit was, none;
	struct found found = {};

	for (size_t i = 0; i < rules; i++) {
		struct xf_rule one = from4(10, 2, i >> 8, i, 32, true);

		assert_int_equal(xf_table__add(fw->table, &one, now), 0);
	}
	assert_int_equal(xf_table__open(&again, maps, n), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = (struct rlimit) { 0, was.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(xf_table__each(again, now, find_entry, &found), -EMFILE);
	assert_int_equal(xf_table__add(again, &rule, now), -EMFILE);
	assert_int_equal(xf_table__try(again, false, now + 100 * SECOND), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_int_equal(xf_table__trial(again, now), 0);
	assert_int_equal(xf_table__stats(again, now, &stats), 0);
	assert_int_equal(stats.rules, rules);
	assert_int_equal(xf_table__add(again, &rule, now), 0);
	assert_int_equal(xf_table__try(again, false, now + 100 * SECOND), 0);
	assert_int_equal(xf_table__confirm(again, now), 0);
	xf_table__close(again);
	assert_int_equal(rules_of(fw), rules + 1);
	entry_of(fw, rule);
}

static void too_many_shapes_change_nothing(void **state)
{
	const struct xf_fw *fw = *state;
	uint64_t now = xf_boot_ns();
	struct xf_table_stats before, after;
	size_t added = 0;
	int err = 0;

	for (unsigned int len = 0; len < 32 * 32 && !err; len++) {
		struct xf_rule rule = from4(0, 0, 0, 0, len / 32, true);

		rule.has |= XF_RULE_DST;
		rule.dst.len = len % 32;
		err = xf_table__add(fw->table, &rule, now);
		added += !err;
	}
	assert_int_equal(err, -E2BIG);
	assert_true(strlen(xf_table__why(fw->table)) > 20);
	assert_int_equal(xf_table__stats(fw->table, now, &before), 0);
	assert_int_equal(before.rules, added);
	assert_int_equal(before.shapes, before.shapes_max);
	assert_int_equal(xf_table__flush(fw->table), 0);
	assert_int_equal(xf_table__stats(fw->table, now, &after), 0);
	assert_int_equal(after.shapes, 0);
	assert_int_equal(after.rules, 0);
}

static struct xf_rule for_ports(uint16_t min, uint16_t max)
{
	return (struct xf_rule) {
		.deny = true, .has = XF_RULE_DPORT, .dport_min = min, .dport_max = max
	};
}

/* A rule is refused for this reason, and nothing changes. */
static void assert_refused(const struct xf_fw *fw, const struct xf_rule *rule, const char *why)
{
	struct xf_table_stats before, after;
	uint64_t now = xf_boot_ns();

	assert_int_equal(xf_table__stats(fw->table, now, &before), 0);
	assert_int_equal(xf_table__add(fw->table, rule, now), -E2BIG);
	if (!strstr(xf_table__why(fw->table), why))
		fail_msg("\"%s\" does not say \"%s\"", xf_table__why(fw->table), why);
	assert_int_equal(xf_table__stats(fw->table, now, &after), 0);
	assert_int_equal(after.rules, before.rules);
	assert_int_equal(after.shapes, before.shapes);
	assert_int_equal(xf_table__del(fw->table, rule, now), -ENOENT);
}

/* No range takes more than 16 shapes, and two of them take 256: too many on their own. */
static void port_ranges_are_limited(void **state)
{
	const struct xf_fw *fw = *state;
	struct xf_rule rule = for_ports(1, 65535);
	struct xf_table_stats stats;
	uint64_t now = xf_boot_ns();

	assert_int_equal(xf_table__add(fw->table, &rule, now), 0);
	assert_int_equal(xf_table__stats(fw->table, now, &stats), 0);
	assert_int_equal(stats.shapes, 16);
	assert_int_equal(xf_table__del(fw->table, &rule, now), 0);
	rule.has |= XF_RULE_SPORT;
	rule.sport_min = rule.sport_max = 53;
	assert_int_equal(xf_table__add(fw->table, &rule, now), 0);
	assert_int_equal(xf_table__del(fw->table, &rule, now), 0);
	rule.sport_min = 1;
	rule.sport_max = 65535;
	assert_refused(fw, &rule, "in 128 ways");
	rule = for_ports(80, 90);
	assert_int_equal(xf_table__add(fw->table, &rule, now), 0);
}

static void ranges_of_one_block_are_limited(void **state)
{
	const struct xf_fw *fw = *state;
	uint64_t now = xf_boot_ns();
	struct xf_rule rule;

	/* 8192 to 16383 is one block, and so is what is behind it up to 8 more ports. */
	for (int i = 0; i < 16; i++) {
		rule = for_ports(8192, 16384 + i / 2);
		rule.deny = i % 2;
		assert_int_equal(xf_table__add(fw->table, &rule, now), 0);
	}
	rule = for_ports(8192, 16400);
	assert_refused(fw, &rule, "16 rules already differ");
	rule.has |= XF_RULE_PROTO;
	rule.proto = 6;
	assert_int_equal(xf_table__add(fw->table, &rule, now), 0);
	/* One of them makes way. */
	rule = for_ports(8192, 16384);
	assert_int_equal(xf_table__del(fw->table, &rule, now), 0);
	rule = for_ports(8192, 16400);
	assert_int_equal(xf_table__add(fw->table, &rule, now), 0);
}

/* As if there were so many. */
static void pretend_rules(const struct xf_fw *fw, uint64_t rules)
{
	const struct xf_table_map *maps;
	size_t n = xf_table__maps(fw->table, &maps);
	struct xf_fw_set *sets;

	while (n && strcmp(maps[n - 1].name, XF_FW_SETS_MAP))
		n--;
	assert_true(n);
	sets = mmap(NULL, XF_FW_SETS * sizeof(*sets), PROT_READ | PROT_WRITE, MAP_SHARED,
		    maps[n - 1].fd, 0);
	assert_true(sets != MAP_FAILED);
	for (int i = 0; i < XF_FW_SETS; i++)
		sets[i].keep.rules = rules;
	munmap(sets, XF_FW_SETS * sizeof(*sets));
}

static void rules_are_limited(void **state)
{
	const struct xf_fw *fw = *state;
	struct xf_rule rules[] = { from4(10, 1, 2, 3, 32, true), for_ports(80, 80) };
	struct xf_table_stats stats;

	assert_int_equal(xf_table__stats(fw->table, xf_boot_ns(), &stats), 0);
	pretend_rules(fw, stats.rules_max);
	for (int i = 0; i < 2; i++)
		assert_refused(fw, &rules[i], "at most 4194304 rules");
	pretend_rules(fw, 0);
	assert_int_equal(xf_table__add(fw->table, &rules[0], xf_boot_ns()), 0);
}

static struct xf_table *open_again(const struct xf_table *table)
{
	const struct xf_table_map *maps;
	size_t n = xf_table__maps(table, &maps);
	struct xf_table *again;

	assert_int_equal(xf_table__open(&again, maps, n), 0);
	return again;
}

struct writer {
	const struct xf_fw *fw;
	uint64_t seed;
};

/* Until it is killed. */
static void write_for_ever(void *arg)
{
	const struct writer *writer = arg;
	struct xf_table *table = open_again(writer->fw->table);
	uint64_t seed = writer->seed;
	struct xf_build *build;
	struct xf_rule rule;

	xf_fw_random_seed(seed);
	for (;;) {
		xf_fw_random_rule(&rule);
		xf_table__add(table, &rule, xf_boot_ns());
		if (xf_fw_random(3))
			continue;
		xf_table__del(table, &rule, xf_boot_ns());
		if (seed % 2 || xf_build__begin(&build, table, 10))
			continue;
		for (int i = 0; i < 30; i++) {
			xf_fw_random_rule(&rule);
			xf_build__add(build, &rule, xf_boot_ns());
		}
		xf_build__commit(build);
	}
}

struct listed {
	struct xf_rule rules[100000];
	size_t n;
};

static int list_entry(void *arg, const struct xf_table_entry *entry)
{
	struct listed *listed = arg;

	listed->rules[listed->n++] = entry->rule;
	return 0;
}

/* What is listed is what packets meet, before and after the next writer has cleaned up. */
static void check_listed(const struct xf_fw *fw, struct xf_table *table)
{
	static struct listed listed;
	uint8_t bytes[XF_FW_PACKET_MAX];

	listed.n = 0;
	assert_int_equal(xf_table__each(table, xf_boot_ns(), list_entry, &listed), 0);
	for (int i = 0; i < 300; i++) {
		size_t len = xf_fw_random_packet(bytes);

		assert_int_equal(xf_fw_fate(fw, bytes, len),
				 xf_ref_fate(listed.rules, listed.n, false, bytes, len));
	}
}

static void a_killed_writer_leaves_a_whole_set(void **state)
{
	const struct xf_fw *fw = *state;
	struct xf_rule rule = from4(99, 1, 2, 3, 32, true);

	for (unsigned int i = 0; i < 40; i++) {
		struct writer writer = { fw, i };
		pid_t pid = xf_worker_start(write_for_ever, &writer);
		struct xf_table *table;

		usleep(3000 + i * 5000);
		xf_worker_kill(pid);
		table = open_again(fw->table);
		check_listed(fw, table);
		assert_int_equal(xf_table__add(table, &rule, xf_boot_ns()), 0);
		check_listed(fw, table);
		assert_int_equal(xf_table__del(table, &rule, xf_boot_ns()), 0);
		xf_table__close(table);
	}
}

static void memory_is_given_back(void **state)
{
	const struct xf_fw *fw = *state;
	struct xf_table_stats before, full, after;
	struct xf_build *build;
	uint64_t now = xf_boot_ns();

	assert_int_equal(xf_table__stats(fw->table, now, &before), 0);
	assert_int_equal(xf_build__begin(&build, fw->table, 50000), 0);
	for (int i = 0; i < 50000; i++) {
		struct xf_rule rule = from4(10, i >> 8, i, 0, 24, true);

		assert_int_equal(xf_build__add(build, &rule, now), 0);
	}
	assert_int_equal(xf_build__commit(build), 0);
	assert_int_equal(xf_table__stats(fw->table, now, &full), 0);
	assert_true(full.memory > before.memory + (4 << 20));
	assert_int_equal(full.prefixes, 50000);
	assert_int_equal(xf_table__flush(fw->table), 0);
	assert_int_equal(xf_table__stats(fw->table, now, &after), 0);
	assert_true(after.memory <= before.memory + 8192);
}

/* 2001:db8:0:net::d/len */
static struct xf_rule from6(uint8_t net, uint8_t d, uint8_t len, bool deny)
{
	struct xf_rule rule = { .deny = deny, .has = XF_RULE_SRC, .family = 6 };

	rule.src.len = len;
	memcpy(rule.src.addr, (uint8_t[]) { 0x20, 1, 0x0d, 0xb8, 0, 0, 0, net }, 8);
	rule.src.addr[15] = d;
	return rule;
}

static int verdict6(const struct xf_fw *fw, uint8_t d)
{
	struct xf_rule rule = from6(1, d, 128, false);
	uint8_t bytes[LEN] = { [12] = 0x86, [13] = 0xdd, [14] = 0x60, [20] = 17 };

	memcpy(bytes + 22, rule.src.addr, 16);
	return xf_fw_verdict(fw, bytes, LEN);
}

/* The only prefix in a /64 takes the place of what says which there are. */
static void prefixes_come_and_go_in_a_64(void **state)
{
	const struct xf_fw *fw = *state;
	uint64_t now = xf_boot_ns();
	struct xf_rule all = from6(0, 0, 48, true), allow = from6(1, 1, 128, false),
		       deny = from6(1, 1, 128, true), wide = from6(1, 0, 124, false);

	assert_int_equal(xf_table__add(fw->table, &all, now), 0);
	for (int i = 0; i < 3; i++) {
		struct xf_rule elsewhere = from6(2 + i, 0, 80 + i, true);

		assert_int_equal(xf_table__add(fw->table, &elsewhere, now), 0);
	}
	for (int round = 0; round < 2; round++) {
		assert_int_equal(verdict6(fw, 1), XDP_DROP);
		assert_int_equal(xf_table__add(fw->table, &allow, now), 0);
		assert_int_equal(verdict6(fw, 1), XDP_PASS);
		assert_int_equal(verdict6(fw, 2), XDP_DROP);
		assert_int_equal(xf_table__add(fw->table, &deny, now), 0);
		assert_int_equal(verdict6(fw, 1), XDP_DROP);
		assert_int_equal(xf_table__del(fw->table, &deny, now), 0);
		assert_int_equal(verdict6(fw, 1), XDP_PASS);
		assert_int_equal(xf_table__add(fw->table, &wide, now), 0);
		assert_int_equal(verdict6(fw, 1), XDP_PASS);
		assert_int_equal(verdict6(fw, 2), XDP_PASS);
		assert_int_equal(xf_table__del(fw->table, &allow, now), 0);
		assert_int_equal(verdict6(fw, 1), XDP_PASS);
		assert_int_equal(verdict6(fw, 16), XDP_DROP);
		assert_int_equal(xf_table__del(fw->table, &wide, now), 0);
		assert_int_equal(verdict6(fw, 2), XDP_DROP);
	}
}

#define on_empty_set(test) cmocka_unit_test_setup_teardown(test, xf_fw_set_up, xf_fw_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_set_passes_everything),
		on_empty_set(hits_are_counted),
		on_empty_set(an_expired_rule_uncovers_the_next),
		on_empty_set(the_longer_life_wins),
		on_empty_set(a_trial_ends_by_itself),
		on_empty_set(a_trial_has_its_tables_from_its_begin),
		on_empty_set(a_trial_is_put_off),
		on_empty_set(a_trial_that_is_over_at_once),
		on_empty_set(a_confirmed_trial_stays),
		on_empty_set(without_descriptors_nothing_is_lost),
		on_empty_set(too_many_shapes_change_nothing),
		on_empty_set(port_ranges_are_limited),
		on_empty_set(ranges_of_one_block_are_limited),
		on_empty_set(rules_are_limited),
		on_empty_set(a_killed_writer_leaves_a_whole_set),
		on_empty_set(memory_is_given_back),
		on_empty_set(prefixes_come_and_go_in_a_64),
	};
	const char *why = xf_harness_refusal();

	if (why)
		return xf_skip_all(why);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
