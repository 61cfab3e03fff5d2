// SPDX-License-Identifier: GPL-2.0-only
/* The life of a rule set: counters, times, memory, and writers that are killed. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/prog/firewall/fw.h"
#include "tests/prog/harness.h"
#include "tests/prog/worker.h"
#include "xdp-prog/fw_abi.h"

#define SECOND 1000000000ull

static void no_set_passes_everything(void **state)
{
	struct bpf_object *object = bpf_object__open(xf_firewall_object());
	struct xf_fw fw = { 0 };

	(void)state;
	assert_non_null(object);
	assert_int_equal(bpf_object__load(object), 0);
	fw.prog = bpf_program__fd(bpf_object__find_program_by_name(object, XF_FW_PROG_NAME));
	assert_int_equal(xf_fw_verdict_on(&fw, 1), XDP_PASS);
	bpf_object__close(object);
}

/* Small sets count their hits in another place than large ones. */
static void hits_are_counted(void **state)
{
	const struct xf_fw *fw = *state;
	uint64_t now = xf_boot_ns();
	struct xf_ruleset_rule entry;

	for (int round = 0; round < 2; round++) {
		for (int d = 0; d < 600; d++) {
			struct xf_rule rule = xf_fw_from4(10, d >> 8, 3, d, 32, true);

			assert_int_equal(xf_ruleset__add(fw->ruleset, &rule, now), 0);
			if (d == 0 || d == 599)
				assert_int_equal(xf_fw_entry(fw, rule).packets, 0);
		}
		for (int i = 0; i < 3; i++) {
			uint8_t bytes[XF_FW_PLAIN_LEN];

			memcpy(bytes, xf_fw_packet_from(0), XF_FW_PLAIN_LEN);
			memcpy(bytes + 27, (uint8_t[]) { 0, 3, 0 }, 3);
			assert_int_equal(xf_fw_verdict(fw, bytes, XF_FW_PLAIN_LEN), XDP_DROP);
			memcpy(bytes + 27, (uint8_t[]) { 599 >> 8, 3, 599 & 255 }, 3);
			assert_int_equal(xf_fw_verdict(fw, bytes, XF_FW_PLAIN_LEN), XDP_DROP);
		}
		for (int d = 0; d < 600; d += 599) {
			entry = xf_fw_entry(fw, xf_fw_from4(10, d >> 8, 3, d, 32, true));
			assert_int_equal(entry.packets, 3);
			assert_int_equal(entry.bytes, 3 * XF_FW_PLAIN_LEN);
		}
		for (int d = 0; d < 600; d++) {
			struct xf_rule rule = xf_fw_from4(10, d >> 8, 3, d, 32, true);

			assert_int_equal(xf_ruleset__del(fw->ruleset, &rule, now), 0);
		}
	}
}

static void an_expired_rule_uncovers_the_next(void **state)
{
	const struct xf_fw *fw = *state;
	uint64_t now = xf_boot_ns();
	struct xf_rule wide = xf_fw_from4(10, 0, 0, 0, 8, true),
		       deny = xf_fw_from4(10, 1, 2, 0, 24, true),
		       allow = xf_fw_from4(10, 1, 2, 0, 24, false);
	uint32_t left;

	assert_int_equal(xf_ruleset__add(fw->ruleset, &wide, now), 0);
	assert_int_equal(xf_ruleset__add(fw->ruleset, &allow, now), 0);
	assert_int_equal(xf_fw_verdict_on(fw, 7), XDP_PASS);
	deny.ttl = 3600;
	assert_int_equal(xf_ruleset__add(fw->ruleset, &deny, now), 0);
	assert_int_equal(xf_fw_verdict_on(fw, 7), XDP_DROP);
	left = xf_fw_entry(fw, deny).rule.ttl;
	assert_in_range(left, 3600 - (xf_boot_ns() - now) / SECOND - 1, 3600);
	assert_int_equal(xf_ruleset__del(fw->ruleset, &deny, now), 0);
	assert_int_equal(xf_fw_add_expired(fw->ruleset, &deny), 0);
	assert_int_equal(xf_fw_verdict_on(fw, 7), XDP_PASS);
	/* At this time the deletion sweeps no other rule. */
	assert_int_equal(xf_ruleset__del(fw->ruleset, &allow, XF_FW_LONG_AGO), 0);
	assert_int_equal(xf_fw_add_expired(fw->ruleset, &allow), 0);
	assert_int_equal(xf_fw_verdict_on(fw, 7), XDP_DROP);
	assert_int_equal(xf_ruleset__expire(fw->ruleset, now), 2);
	assert_int_equal(xf_fw_verdict_on(fw, 7), XDP_DROP);
	assert_int_equal(xf_ruleset__del(fw->ruleset, &deny, now), -ENOENT);
	assert_int_equal(xf_ruleset__del(fw->ruleset, &wide, now), 0);
	assert_int_equal(xf_fw_verdict_on(fw, 7), XDP_PASS);
}

static uint32_t ttl_of(const struct xf_fw *fw, struct xf_rule rule, uint64_t now)
{
	uint32_t ttl;

	assert_int_equal(xf_ruleset__ttl(fw->ruleset, &rule, now, &ttl), 0);
	return ttl;
}

/* The rules are one for a prefix and one of another kind. */
static void the_longer_life_wins(void **state)
{
	const struct xf_fw *fw = *state;
	uint64_t now = xf_boot_ns();
	struct xf_rule rules[] = { xf_fw_from4(10, 0, 0, 0, 8, true),
				   xf_fw_from4(10, 0, 0, 0, 8, true) };
	uint32_t ttl;

	rules[1].has |= XF_RULE_PROTO;
	for (int i = 0; i < 2; i++) {
		struct xf_rule rule = rules[i];
		static const uint32_t steps[][2] = { { 50, 50 }, { 40, 50 }, { 60, 60 },
						     { 0, 0 },	 { 70, 0 },  { 0, 0 } };

		for (size_t step = 0; step < 6; step++) {
			rule.ttl = steps[step][0];
			assert_int_equal(xf_ruleset__add(fw->ruleset, &rule, now),
					 step ? -EEXIST : 0);
			assert_int_equal(ttl_of(fw, rule, now), steps[step][1]);
		}
		assert_int_equal(xf_ruleset__expire(fw->ruleset, now + 100 * SECOND), 0);
		assert_int_equal(xf_ruleset__del(fw->ruleset, &rule, now), 0);
		assert_int_equal(xf_ruleset__ttl(fw->ruleset, &rule, now, &ttl), -ENOENT);
		/* A rule that has expired does not count. */
		assert_int_equal(xf_fw_add_expired(fw->ruleset, &rule), 0);
		assert_int_equal(xf_ruleset__ttl(fw->ruleset, &rule, now, &ttl), -ENOENT);
		rule.ttl = 20;
		assert_int_equal(xf_ruleset__add(fw->ruleset, &rule, now), 0);
		assert_int_equal(ttl_of(fw, rule, now), 20);
		assert_int_equal(xf_ruleset__del(fw->ruleset, &rule, now), 0);
	}
}

static int ignore_entry(void *arg, const struct xf_ruleset_rule *entry)
{
	(void)arg;
	(void)entry;
	return 0;
}

/* A table that cannot be opened is not taken for one that does not exist: the generation is neither
 * shown, nor copied, nor changed without it. */
static void without_descriptors_nothing_is_lost(void **state)
{
	const struct xf_fw *fw = *state;
	const struct xf_ruleset_map *maps;
	size_t n = xf_ruleset__maps(fw->ruleset, &maps), rules = 30000;
	struct xf_rule rule = xf_fw_from4(10, 1, 2, 3, 32, true);
	uint64_t now = xf_boot_ns();
	struct xf_ruleset_stats stats;
	struct xf_ruleset *again;
	struct rlimit was, none;

	for (size_t i = 0; i < rules; i++) {
		struct xf_rule one = xf_fw_from4(10, 2, i >> 8, i, 32, true);

		assert_int_equal(xf_ruleset__add(fw->ruleset, &one, now), 0);
	}
	assert_int_equal(xf_ruleset__open(&again, maps, n), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = (struct rlimit) { 0, was.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(xf_ruleset__each(again, now, ignore_entry, NULL), -EMFILE);
	assert_int_equal(xf_ruleset__add(again, &rule, now), -EMFILE);
	assert_int_equal(xf_ruleset__try(again, false, now + 100 * SECOND), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_int_equal(xf_ruleset__trial(again, now), 0);
	assert_int_equal(xf_ruleset__stats(again, now, &stats), 0);
	assert_int_equal(stats.rules, rules);
	assert_int_equal(xf_ruleset__add(again, &rule, now), 0);
	assert_int_equal(xf_ruleset__try(again, false, now + 100 * SECOND), 0);
	assert_int_equal(xf_ruleset__confirm(again, now), 0);
	xf_ruleset__close(again);
	assert_int_equal(xf_fw_rules(fw), rules + 1);
	xf_fw_entry(fw, rule);
}

struct writer {
	const struct xf_fw *fw;
	uint64_t seed;
};

/* Add and delete rules until the process is killed. */
static void write_for_ever(void *arg)
{
	const struct writer *writer = arg;
	struct xf_ruleset *ruleset = xf_fw_open_again(writer->fw);
	uint64_t seed = writer->seed;
	struct xf_build *build;
	struct xf_rule rule;

	xf_fw_random_seed(seed);
	for (;;) {
		xf_fw_random_rule(&rule);
		xf_ruleset__add(ruleset, &rule, xf_boot_ns());
		if (xf_fw_random(3))
			continue;
		xf_ruleset__del(ruleset, &rule, xf_boot_ns());
		if (seed % 2 || xf_build__begin(&build, ruleset, 10))
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

static int list_entry(void *arg, const struct xf_ruleset_rule *entry)
{
	struct listed *listed = arg;

	listed->rules[listed->n++] = entry->rule;
	return 0;
}

/* Packets meet the rules that are listed, before and after the next writer has cleaned up. */
static void check_listed(const struct xf_fw *fw, struct xf_ruleset *ruleset)
{
	static struct listed listed;
	uint8_t bytes[XF_FW_PACKET_MAX];

	listed.n = 0;
	assert_int_equal(xf_ruleset__each(ruleset, xf_boot_ns(), list_entry, &listed), 0);
	for (int i = 0; i < 300; i++) {
		size_t len = xf_fw_random_packet(bytes);

		assert_int_equal(xf_fw_fate(fw, bytes, len),
				 xf_ref_fate(listed.rules, listed.n, false, bytes, len));
	}
}

static void a_killed_writer_leaves_a_whole_set(void **state)
{
	const struct xf_fw *fw = *state;
	struct xf_rule rule = xf_fw_from4(99, 1, 2, 3, 32, true);

	for (unsigned int i = 0; i < 40; i++) {
		struct writer writer = { fw, i };
		pid_t pid = xf_worker_start(write_for_ever, &writer);
		struct xf_ruleset *ruleset;

		usleep(3000 + i * 5000);
		xf_worker_kill(pid);
		ruleset = xf_fw_open_again(fw);
		check_listed(fw, ruleset);
		assert_int_equal(xf_ruleset__add(ruleset, &rule, xf_boot_ns()), 0);
		check_listed(fw, ruleset);
		assert_int_equal(xf_ruleset__del(ruleset, &rule, xf_boot_ns()), 0);
		xf_ruleset__close(ruleset);
	}
}

static void memory_is_given_back(void **state)
{
	const struct xf_fw *fw = *state;
	struct xf_ruleset_stats before, full, after;
	struct xf_build *build;
	uint64_t now = xf_boot_ns();

	assert_int_equal(xf_ruleset__stats(fw->ruleset, now, &before), 0);
	assert_int_equal(xf_build__begin(&build, fw->ruleset, 50000), 0);
	for (int i = 0; i < 50000; i++) {
		struct xf_rule rule = xf_fw_from4(10, i >> 8, i, 0, 24, true);

		assert_int_equal(xf_build__add(build, &rule, now), 0);
	}
	assert_int_equal(xf_build__commit(build), 0);
	assert_int_equal(xf_ruleset__stats(fw->ruleset, now, &full), 0);
	assert_true(full.memory > before.memory + (4 << 20));
	assert_int_equal(full.prefixes, 50000);
	assert_int_equal(xf_ruleset__flush(fw->ruleset), 0);
	assert_int_equal(xf_ruleset__stats(fw->ruleset, now, &after), 0);
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
	uint8_t bytes[XF_FW_PLAIN_LEN] = { [12] = 0x86, [13] = 0xdd, [14] = 0x60, [20] = 17 };

	memcpy(bytes + 22, rule.src.addr, 16);
	return xf_fw_verdict(fw, bytes, XF_FW_PLAIN_LEN);
}

/* The only prefix in a /64 takes the place of the lengths that there are. */
static void prefixes_come_and_go_in_a_64(void **state)
{
	const struct xf_fw *fw = *state;
	uint64_t now = xf_boot_ns();
	struct xf_rule all = from6(0, 0, 48, true), allow = from6(1, 1, 128, false),
		       deny = from6(1, 1, 128, true), wide = from6(1, 0, 124, false);

	assert_int_equal(xf_ruleset__add(fw->ruleset, &all, now), 0);
	for (int i = 0; i < 3; i++) {
		struct xf_rule elsewhere = from6(2 + i, 0, 80 + i, true);

		assert_int_equal(xf_ruleset__add(fw->ruleset, &elsewhere, now), 0);
	}
	for (int round = 0; round < 2; round++) {
		assert_int_equal(verdict6(fw, 1), XDP_DROP);
		assert_int_equal(xf_ruleset__add(fw->ruleset, &allow, now), 0);
		assert_int_equal(verdict6(fw, 1), XDP_PASS);
		assert_int_equal(verdict6(fw, 2), XDP_DROP);
		assert_int_equal(xf_ruleset__add(fw->ruleset, &deny, now), 0);
		assert_int_equal(verdict6(fw, 1), XDP_DROP);
		assert_int_equal(xf_ruleset__del(fw->ruleset, &deny, now), 0);
		assert_int_equal(verdict6(fw, 1), XDP_PASS);
		assert_int_equal(xf_ruleset__add(fw->ruleset, &wide, now), 0);
		assert_int_equal(verdict6(fw, 1), XDP_PASS);
		assert_int_equal(verdict6(fw, 2), XDP_PASS);
		assert_int_equal(xf_ruleset__del(fw->ruleset, &allow, now), 0);
		assert_int_equal(verdict6(fw, 1), XDP_PASS);
		assert_int_equal(verdict6(fw, 16), XDP_DROP);
		assert_int_equal(xf_ruleset__del(fw->ruleset, &wide, now), 0);
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
		on_empty_set(without_descriptors_nothing_is_lost),
		on_empty_set(a_killed_writer_leaves_a_whole_set),
		on_empty_set(memory_is_given_back),
		on_empty_set(prefixes_come_and_go_in_a_64),
	};
	const char *why = xf_harness_refusal();

	if (why)
		return xf_skip_all(why);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
