// SPDX-License-Identifier: GPL-2.0-only
/* Hits of rules are counted exactly, where no two CPUs, or at most eight, write one cache line. */
#include <bpf/bpf.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "firewall/table/ruleset_impl.h"
#include "tests/prog/firewall/fw.h"
#include "tests/prog/harness.h"

#define BEFORE 300     /* rules: the next one is counted behind the entries */
#define TIMES 200000ul /* packets of a CPU at a time */
#define LINES 16384

static int cpus[2];
static struct xf_rule hot; /* that packets meet */

/* Many rules for one address each, and the hot one for an address, or for as many as the length
 * says. */
static void add_rules(const struct xf_fw *fw, uint8_t len)
{
	hot = xf_fw_from4(10, 1, 2, len == 32 ? 7 : 0, len, true);
	for (int i = 0; i < BEFORE; i++) {
		struct xf_rule rule = xf_fw_from4(192, 0, i >> 8, i, 32, true);

		assert_int_equal(xf_ruleset__add(fw->ruleset, &rule, xf_boot_ns()), 0);
	}
	assert_int_equal(xf_ruleset__add(fw->ruleset, &hot, xf_boot_ns()), 0);
}

/* An empty set that gives each CPU a group of its own. */
static void part_cpus(const struct xf_fw *fw)
{
	fw->ruleset->store.sharing = 0;
	assert_int_equal(xf_ruleset__flush(fw->ruleset), 0);
}

static void run(const struct xf_fw *fw, unsigned long times)
{
	assert_int_equal(xf_fw_drops(fw, xf_fw_packet_from(7), XF_FW_PLAIN_LEN, times), times);
}

static void assert_hits(const struct xf_fw *fw, uint64_t packets)
{
	const struct xf_ruleset_rule entry = xf_fw_entry(fw, hot);

	assert_int_equal(entry.packets, packets);
	assert_int_equal(entry.bytes, packets * XF_FW_PLAIN_LEN);
}

/* How many lines of the rule's chunk packets on a CPU write, and the last one. */
static size_t lines_written(const struct xf_fw *fw, int cpu, size_t *line)
{
	static struct xf_fw_entry before[LINES];
	uint32_t chunk = xf_fw_entry(fw, hot).id >> 16;
	const struct xf_fw_entry *table = xf_region__table(&fw->ruleset->region, chunk);
	size_t n = fw->ruleset->region.entries[chunk], written = 0;

	assert_in_range(n, 1, LINES);
	memcpy(before, table, n * sizeof(*table));
	xf_pin_to_cpu(cpu);
	run(fw, 10);
	for (size_t i = 0; i < n; i++) {
		if (!memcmp(&before[i], &table[i], sizeof(*table)))
			continue;
		written++;
		*line = i;
	}
	return written;
}

static size_t line_written(const struct xf_fw *fw, int cpu)
{
	size_t line;

	assert_int_equal(lines_written(fw, cpu, &line), 1);
	return line;
}

/* That of the entry, or one of those behind all entries of the first chunk. */
static size_t line_of_group(const struct xf_fw *fw, size_t group)
{
	size_t id = xf_fw_entry(fw, hot).id;

	return group ? 1024 + (group - 1) * 256 + id / 4 : id;
}

static void no_two_groups_of_cpus_write_one_line(void **state)
{
	const struct xf_fw *fw = *state;

	part_cpus(fw);
	add_rules(fw, 32);
	assert_int_equal(line_written(fw, cpus[0]), line_of_group(fw, cpus[0]));
	assert_int_equal(line_written(fw, cpus[1]), line_of_group(fw, cpus[1]));
	assert_hits(fw, 20);
}

static void assert_counted_by_cpu(const struct xf_fw *fw)
{
	uint64_t packets = xf_fw_entry(fw, hot).packets;
	size_t line;

	for (int i = 0; i < 2; i++)
		assert_int_equal(lines_written(fw, cpus[i], &line), 0);
	assert_hits(fw, packets + 20);
}

/* However many rules for single addresses come before. */
static void rules_for_many_flows_are_counted_by_cpu(void **state)
{
	const struct xf_fw *fw = *state;

	add_rules(fw, 24);
	assert_counted_by_cpu(fw);
	hot = xf_fw_from4(10, 1, 2, 7, 32, true);
	hot.has |= XF_RULE_PROTO;
	hot.proto = 17;
	assert_int_equal(xf_ruleset__add(fw->ruleset, &hot, xf_boot_ns()), 0);
	assert_counted_by_cpu(fw);
}

static struct xf_fw_tail *tail_of_hot(const struct xf_fw *fw)
{
	struct xf_fw_rule *entry = xf_region__entry(&fw->ruleset->region, xf_fw_entry(fw, hot).id);

	return &entry->tail;
}

/* A packet may still count there, and the link of the free entries is in the counter's place. */
static void an_entry_that_was_freed_counts_for_no_other_rule(void **state)
{
	const struct xf_fw *fw = *state;
	struct xf_fw_tail before, *tail;
	uint32_t counter;

	add_rules(fw, 24);
	counter = tail_of_hot(fw)->counter;
	hot = xf_fw_from4(10, 1, 2, 7, 32, true);
	assert_int_equal(xf_ruleset__add(fw->ruleset, &hot, xf_boot_ns()), 0);
	tail = tail_of_hot(fw);
	before = *tail;
	tail->kind |= XF_FW_FREED;
	tail->link = counter;
	run(fw, 10);
	*tail = before;
	assert_hits(fw, 10);
	hot = xf_fw_from4(10, 1, 2, 0, 24, true);
	assert_hits(fw, 0);
}

/* More of them come and go than there are counters by CPU: those that were left wait for a grace
 * period, as entries do. */
static void counters_are_used_again(void **state)
{
	const struct xf_fw *fw = *state;
	int rounds = 0, without = 0;

	add_rules(fw, 24);
	for (; rounds < 5000 && !(without && tail_of_hot(fw)->counter); rounds++) {
		if (rounds % 1000 == 0)
			run(fw, 3);
		assert_int_equal(xf_ruleset__del(fw->ruleset, &hot, xf_boot_ns()), 0);
		assert_int_equal(xf_ruleset__add(fw->ruleset, &hot, xf_boot_ns()), 0);
		without += !tail_of_hot(fw)->counter;
	}
	assert_in_range(rounds, 1000, 4999);
	assert_hits(fw, 0);
	assert_counted_by_cpu(fw);
}

struct traffic {
	const struct xf_fw *fw;
	int cpu;
};

static void *send_many(void *arg)
{
	const struct traffic *traffic = arg;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = xf_fw_packet_from(7),
		    .data_size_in = XF_FW_PLAIN_LEN, .repeat = TIMES);

	xf_pin_to_cpu(traffic->cpu);
	for (int i = 0; i < 20; i++)
		if (bpf_prog_test_run_opts(traffic->fw->prog, &opts))
			return NULL;
	return arg;
}

static void cpus_that_share_a_line_lose_nothing(void **state)
{
	const struct xf_fw *fw = *state;
	struct traffic traffic[2] = { { fw, cpus[0] }, { fw, cpus[1] } };
	pthread_t threads[2];
	void *done;

	assert_true(cpus[0] < 8 && cpus[1] < 8);
	add_rules(fw, 32);
	assert_int_equal(line_written(fw, cpus[0]), line_written(fw, cpus[1]));
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, send_many, &traffic[i]), 0);
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], &done);
		assert_non_null(done);
	}
	assert_hits(fw, 20 + 2 * 20 * TIMES);
}

/* Copies of a generation begin with the hits of the original: for a trial table by table, then rule
 * by rule. */
static void check_copies(const struct xf_fw *fw, uint8_t len)
{
	part_cpus(fw);
	xf_pin_to_cpu(cpus[1]);
	add_rules(fw, len);
	run(fw, 3);
	assert_int_equal(xf_ruleset__try(fw->ruleset, true, xf_boot_ns() + 3600000000000ull), 0);
	assert_hits(fw, 3);
	run(fw, 2);
	assert_hits(fw, 5);
	assert_int_equal(xf_ruleset__confirm(fw->ruleset, xf_boot_ns()), 0);
	assert_hits(fw, 5);
	assert_int_equal(xf_ruleset__rebuild(fw->ruleset, xf_boot_ns()), 0);
	run(fw, 1);
	assert_hits(fw, 6);
}

static void copies_keep_the_hits(void **state)
{
	check_copies(*state, 32);
	check_copies(*state, 24);
}

/* In the entry of one that has expired. */
static void check_begin(const struct xf_fw *fw, uint8_t len)
{
	uint64_t now = xf_boot_ns();
	struct xf_rule rule;
	uint32_t id;

	part_cpus(fw);
	xf_pin_to_cpu(cpus[1]);
	add_rules(fw, len);
	rule = hot;
	assert_int_equal(xf_ruleset__del(fw->ruleset, &rule, now), 0);
	rule.ttl = 3600;
	assert_int_equal(xf_ruleset__add(fw->ruleset, &rule, now), 0);
	id = xf_fw_entry(fw, hot).id;
	run(fw, 3);
	assert_hits(fw, 3);
	assert_int_equal(xf_ruleset__add(fw->ruleset, &rule, now + 4000 * 1000000000ull), 0);
	assert_int_equal(xf_fw_entry(fw, hot).id, id);
	assert_hits(fw, 0);
	run(fw, 2);
	assert_hits(fw, 2);
}

static void a_rule_begins_without_hits(void **state)
{
	check_begin(*state, 32);
	check_begin(*state, 24);
}

/* Every CPU has a group, and its last counter is the last one of the table. */
static void at_most_eight_cpus_share_a_line(void **state)
{
	const struct xf_fw *fw = *state;

	assert_in_range(fw->ruleset->region.gen->sharing, 0, 3);
	for (uint32_t n = 1; n <= 1024; n++)
		for (uint32_t chunk = 0; chunk < 5; chunk++) {
			size_t entries = xf_chunk_entries(chunk), group = (n - 1) / 8;

			assert_int_equal(
			    xf_chunk_size(chunk, n, 3),
			    entries + (group ? ((group - 1) * entries + entries - 1) / 4 + 1 : 0));
		}
}

/* As docs/performance.md has it: 16 bytes for an entry and each group of CPUs but the first. */
static void memory_of_counters(void **state)
{
	static const struct {
		uint32_t cpus, groups;
	} rows[] = { { 2, 1 }, { 8, 1 }, { 64, 8 }, { 256, 32 } };
	const size_t entries = 1024 + 4096 + 16384 + 65536;
	const struct xf_fw *fw = *state;
	uint64_t with_two = 0;

	for (int row = 0; row < 4; row++) {
		struct xf_build *build;

		fw->ruleset->store.cpus = rows[row].cpus;
		assert_int_equal(xf_build__begin(&build, fw->ruleset, 70000), 0);
		for (unsigned int i = 0; i < 70000; i++) {
			struct xf_rule rule = xf_fw_from4(i >> 16, i >> 8, i, 1, 32, true);

			assert_int_equal(xf_build__add(build, &rule, xf_boot_ns()), 0);
		}
		assert_int_equal(xf_build__commit(build), 0);
		if (!row)
			with_two = xf_fw_memory(fw);
		assert_int_equal(xf_fw_memory(fw) - with_two,
				 16 * entries * (rows[row].groups - rows[0].groups));
	}
}

#define on_empty_set(test) cmocka_unit_test_setup_teardown(test, xf_fw_set_up, xf_fw_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_empty_set(no_two_groups_of_cpus_write_one_line),
		on_empty_set(cpus_that_share_a_line_lose_nothing),
		on_empty_set(rules_for_many_flows_are_counted_by_cpu),
		on_empty_set(an_entry_that_was_freed_counts_for_no_other_rule),
		on_empty_set(counters_are_used_again),
		on_empty_set(copies_keep_the_hits),
		on_empty_set(a_rule_begins_without_hits),
		on_empty_set(at_most_eight_cpus_share_a_line),
		on_empty_set(memory_of_counters),
	};
	const char *why = xf_harness_refusal();

	if (why)
		return xf_skip_all(why);
	if (xf_usable_cpus(cpus, 2) < 2)
		return xf_skip_all("two CPUs have to count at a time");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
