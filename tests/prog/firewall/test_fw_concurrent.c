// SPDX-License-Identifier: GPL-2.0-only
/* While rules are changed in every way, each packet meets the old verdict or the new one: a packet
 * that stays allowed is never dropped, one that stays denied never passes. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "firewall/table/ruleset_impl.h"
#include "tests/prog/firewall/fw.h"
#include "tests/prog/harness.h"

#define TIMES 20000 /* packets of a stream at a time, without a system call in between */
#define ROUNDS 100  /* of each stream beside changes that wait for nothing */
#define HOUR 3600000000000ull

/* A packet that is run again and again, and its verdict all the while. */
struct stream {
	uint8_t bytes[64];
	bool drop;
	unsigned long run, wrong;
};

/* 10.x.y.z > 10.0.0.1, UDP to port 53, which in ICMP is type 0: an echo reply. */
static struct stream ip4(bool drop, uint8_t x, uint8_t y, uint8_t z, uint8_t proto)
{
	struct stream stream = {
		{ [12] = 8, [14] = 0x45, [17] = 50, [22] = 64, [30] = 10, [33] = 1, [37] = 53 },
		.drop = drop
	};

	stream.bytes[23] = proto;
	memcpy(&stream.bytes[26], (uint8_t[]) { 10, x, y, z }, 4);
	return stream;
}

/* 2001:db8:x::y > ::, UDP to port 53. */
static struct stream ip6(bool drop, uint8_t x, uint8_t y)
{
	struct stream stream = {
		{ [12] = 0x86, [13] = 0xdd, [14] = 0x60, [19] = 10, [20] = 17, [57] = 53 },
		.drop = drop
	};

	memcpy(&stream.bytes[22], (uint8_t[]) { 0x20, 1, 0xd, 0xb8, 0, x }, 6);
	stream.bytes[37] = y;
	return stream;
}

static struct xf_rule from4(uint8_t x, uint8_t y, uint8_t z, uint8_t len, bool deny)
{
	return xf_fw_from4(10, x, y, z, len, deny);
}

/* Up to /48 from the 2001:db8:x::/48, longer ones from 2001:db8:x::1. */
static struct xf_rule from6(uint8_t x, uint8_t len, bool deny)
{
	struct xf_rule rule = { .deny = deny, .has = XF_RULE_SRC, .family = 6, .src.len = len };

	memcpy(rule.src.addr, (uint8_t[]) { 0x20, 1, 0xd, 0xb8, 0, x }, 6);
	for (int bit = len; bit < 48; bit++)
		rule.src.addr[bit / 8] &= ~(0x80 >> bit % 8);
	rule.src.addr[15] = len == 128;
	return rule;
}

static struct xf_rule with_udp(struct xf_rule rule)
{
	rule.has |= XF_RULE_PROTO;
	rule.proto = 17;
	return rule;
}

static struct xf_rule with_ports(struct xf_rule rule, uint16_t min, uint16_t max)
{
	rule.has |= XF_RULE_DPORT;
	rule.dport_min = min;
	rule.dport_max = max;
	return rule;
}

static int cpus[2]; /* of the changes, and of the traffic */

struct traffic {
	const struct xf_fw *fw;
	struct stream *streams;
	size_t n;
	atomic_bool stop;
	atomic_ulong rounds;
	pthread_t thread;
};

static void *run_traffic(void *arg)
{
	struct traffic *traffic = arg;

	xf_pin_to_cpu(cpus[1]);
	for (; !traffic->stop; traffic->rounds++) {
		for (size_t i = 0; i < traffic->n; i++) {
			struct stream *stream = &traffic->streams[i];
			uint64_t drops =
			    xf_fw_drops(traffic->fw, stream->bytes, sizeof(stream->bytes), TIMES);

			stream->run += TIMES;
			stream->wrong += stream->drop ? TIMES - drops : drops;
		}
	}
	return NULL;
}

/* Let the streams run while @change changes the generation, and check them. */
static void run_beside(const struct xf_fw *fw, struct stream *streams, size_t n,
		       void (*change)(struct xf_ruleset *ruleset, const struct traffic *traffic))
{
	struct traffic traffic = { .fw = fw, .streams = streams, .n = n };

	xf_pin_to_cpu(cpus[0]);
	assert_int_equal(pthread_create(&traffic.thread, NULL, run_traffic, &traffic), 0);
	while (!traffic.rounds)
		;
	change(fw->ruleset, &traffic);
	traffic.stop = true;
	pthread_join(traffic.thread, NULL);
	for (size_t i = 0; i < n; i++)
		if (streams[i].wrong)
			fail_msg("stream %zu: of %lu packets %lu had the wrong verdict", i,
				 streams[i].run, streams[i].wrong);
}

static void add(struct xf_ruleset *ruleset, struct xf_rule rule)
{
	int err = xf_ruleset__add(ruleset, &rule, xf_boot_ns());

	assert_true(!err || err == -EEXIST);
}

/* The rule may have gone with the trial in which it was added. */
static void del(struct xf_ruleset *ruleset, struct xf_rule rule)
{
	int err = xf_ruleset__del(ruleset, &rule, xf_boot_ns());

	assert_true(!err || err == -ENOENT);
}

static struct xf_rule fixed_rules[7];
#define FIXED (sizeof(fixed_rules) / sizeof(fixed_rules[0]))

static void add_all(struct xf_build *build, const struct xf_rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(xf_build__add(build, &rules[i], xf_boot_ns()), 0);
}

/* Change rules that cover the packets beside more specific ones, and rules of other tuple spaces.
 */
static void churn(struct xf_ruleset *ruleset, unsigned int round)
{
	struct xf_rule rules[] = {
		from4(0, 0, 0, 8, true),
		from4(1, 1, 0, 24, true),
		from4(0, 0, 0, 12, false),
		from4(2, 0, 1, 32, false),
		from6(1, 40, true),
		from6(1, 64, true),
		from6(1, 32, false),
		from6(2, 64, false),
		with_udp(from6(0, 16 + round % 8, false)),
		{ .has = XF_RULE_DST | XF_RULE_PROTO,
		  .family = 4,
		  .proto = 17,
		  .dst = { .addr = { 10, 0, 0, 1 }, .len = 24 + round % 8 },
		  .deny = round % 2 },
	};
	size_t n = sizeof(rules) / sizeof(rules[0]);

	rules[9].dst.addr[3] = rules[9].dst.len == 32;
	for (size_t i = 0; i < n; i++)
		add(ruleset, rules[i]);
	for (size_t i = 0; i < n; i++)
		del(ruleset, rules[i]);
}

static void replace(struct xf_ruleset *ruleset, unsigned int round)
{
	struct xf_build *build;

	assert_int_equal(xf_build__begin(&build, ruleset, 100), 0);
	for (unsigned int i = 0; i < 100; i++) {
		struct xf_rule rule = from4(4, round, i, 32, i & 1);

		assert_int_equal(xf_build__add(build, &rule, xf_boot_ns()), 0);
	}
	add_all(build, fixed_rules, FIXED);
	assert_int_equal(xf_build__commit(build), 0);
}

/* Of 9,000 prefixes a directory is made. */
static void change_everything(struct xf_ruleset *ruleset, const struct traffic *traffic)
{
	(void)traffic;
	for (unsigned int round = 0; round < 24; round++) {
		churn(ruleset, round);
		if (round % 12 == 4)
			for (unsigned int i = 0; i < 9000; i++)
				add(ruleset, from4(3, i >> 8, i, 32, i & 1));
		if (round % 4 == 3)
			xf_ruleset__try(ruleset, xf_ruleset__denies(ruleset),
					xf_boot_ns() + 10000000);
		if (round % 3 == 2)
			replace(ruleset, round);
	}
}

static void every_packet_meets_a_whole_set(void **state)
{
	struct stream streams[] = { ip4(false, 1, 1, 1, 17), ip4(true, 1, 1, 2, 17),
				    ip4(true, 2, 0, 1, 17),  ip6(false, 1, 1),
				    ip6(true, 1, 2),	     ip6(true, 2, 1),
				    ip4(false, 5, 0, 1, 17) };
	struct xf_rule protect = from4(5, 0, 0, 16, false);
	const struct xf_fw *fw = *state;

	protect.protect = true;
	add(fw->ruleset, protect);
	fixed_rules[0] = from4(1, 1, 1, 32, false);
	fixed_rules[1] = from4(1, 0, 0, 16, true);
	fixed_rules[2] = with_ports(from4(2, 0, 1, 32, true), 53, 53);
	fixed_rules[3] = from6(1, 128, false);
	fixed_rules[4] = from6(1, 48, true);
	fixed_rules[5] = with_ports(from6(2, 128, true), 53, 53);
	fixed_rules[6] = from4(5, 0, 1, 32, true);
	for (size_t i = 0; i < FIXED; i++)
		add(fw->ruleset, fixed_rules[i]);
	run_beside(fw, streams, 7, change_everything);
}

/* The index before and after it grew, both with the rules that the packets meet, in turns. */
static void flip_index(struct xf_ruleset *ruleset, const struct traffic *traffic)
{
	struct xf_region *region = &ruleset->region;
	struct xf_fw_generation *gen = region->gen;
	uint64_t small = gen->index, large;
	uint32_t slot = (uint32_t)small - gen->slot;
	size_t n = region->entries[slot];
	struct xf_fw_entry *copy = malloc(n * sizeof(*copy));

	assert_non_null(copy);
	memcpy(copy, region->table[slot], n * sizeof(*copy));
	for (unsigned int i = 0; gen->index == small; i++)
		add(ruleset, from4(3, i >> 8, i, 32, false));
	large = gen->index;
	assert_int_equal(xf_region__make(region, slot, n), 0);
	memcpy(region->table[slot], copy, n * sizeof(*copy));
	free(copy);
	while (traffic->rounds < ROUNDS) {
		xf_publish(&gen->index, small);
		xf_publish(&gen->index, large);
	}
}

/* The rules that the packets meet are found last: after prefixes of all other lengths, and tuples
 * of all other tuple spaces. */
static void the_index_grows(void **state)
{
	struct stream streams[] = { ip6(true, 1, 1), ip4(true, 9, 0, 1, 17), ip6(true, 2, 1) };
	const struct xf_fw *fw = *state;

	streams[0].bytes[20] = 6; /* no UDP */
	streams[2].bytes[22] = 0x80;
	add(fw->ruleset, from6(1, 3, true));
	add(fw->ruleset, with_udp((struct xf_rule) { .deny = true }));
	for (unsigned int len = 4; len < 32; len++) {
		struct xf_rule other6 = from6(1, len, false), other4 = from4(0, 0, 0, len, false);

		other6.src.addr[0] |= 0x40;
		other4.src.addr[0] = 192;
		add(fw->ruleset, other6);
		add(fw->ruleset, with_udp(other6));
		add(fw->ruleset, with_udp(other4));
	}
	run_beside(fw, streams, 3, flip_index);
}

/* All rules are replaced on trial. */
static void try_replace(struct xf_ruleset *ruleset)
{
	const struct xf_rule rules[] = { from4(0, 0, 0, 8, true), from4(1, 0, 0, 16, true) };
	struct xf_build *build;

	assert_int_equal(xf_build__begin(&build, ruleset, 2), 0);
	add_all(build, rules, 2);
	assert_int_equal(xf_build__try(build, xf_boot_ns() + HOUR), 0);
	assert_int_equal(xf_ruleset__confirm(ruleset, xf_boot_ns()), 0);
}

static void try_and_confirm(struct xf_ruleset *ruleset, const struct traffic *traffic)
{
	while (traffic->rounds < ROUNDS) {
		assert_int_equal(xf_ruleset__try_first(ruleset, xf_boot_ns() + HOUR), 0);
		xf_ruleset__put_off(ruleset, xf_boot_ns() + HOUR);
		assert_int_equal(xf_ruleset__confirm(ruleset, xf_boot_ns()), 0);
	}
	/* Each of these waits for packets. */
	for (int i = 0; i < 10; i++) {
		assert_int_equal(xf_ruleset__try(ruleset, i % 2, xf_boot_ns() + HOUR), 0);
		del(ruleset, from4(1, 0, 0, 16, true));
		add(ruleset, from4(1, 0, 0, 16, true));
		assert_int_equal(xf_ruleset__confirm(ruleset, xf_boot_ns()), 0);
		try_replace(ruleset);
	}
}

/* Before the deadline of a trial, and when there is none, no packet meets the fallback. */
static void trials_are_confirmed(void **state)
{
	struct stream streams[] = { ip4(true, 1, 0, 1, 17) };
	const struct xf_fw *fw = *state;

	add(fw->ruleset, from4(0, 0, 0, 8, true));
	add(fw->ruleset, from4(1, 0, 0, 16, true));
	run_beside(fw, streams, 1, try_and_confirm);
}

static void change_policy(struct xf_ruleset *ruleset, const struct traffic *traffic)
{
	for (bool deny = true; traffic->rounds < ROUNDS; deny = !deny)
		assert_int_equal(xf_ruleset__set_policy(ruleset, deny), 0);
}

/* Under one policy the packet passes, under the other it is exempt. */
static void the_policy_changes(void **state)
{
	struct stream streams[] = { ip4(false, 1, 0, 1, 1) };

	run_beside(*state, streams, 1, change_policy);
}

static void change_first_of_tuple(struct xf_ruleset *ruleset, const struct traffic *traffic)
{
	struct xf_rule first = with_ports((struct xf_rule) { .deny = true }, 0, 1024),
		       first4 = with_ports(from4(1, 0, 0, 16, true), 0, 1024);

	while (traffic->rounds < ROUNDS) {
		add(ruleset, first);
		add(ruleset, first4);
		del(ruleset, first);
		del(ruleset, first4);
	}
}

/* Two rules with the same tuple: packets that met the one that goes meet the other. */
static void the_first_rule_of_a_tuple_goes(void **state)
{
	struct stream streams[] = { ip4(true, 1, 0, 1, 17), ip6(true, 1, 1) };
	const struct xf_fw *fw = *state;

	add(fw->ruleset, with_ports((struct xf_rule) { .deny = true }, 0, 1025));
	add(fw->ruleset, with_ports(from4(1, 0, 0, 16, true), 0, 1025));
	/* No tuple space comes or goes, for which changes would wait. */
	add(fw->ruleset, with_ports((struct xf_rule) { .deny = true }, 5000, 5000));
	add(fw->ruleset, with_ports(from4(1, 0, 0, 16, true), 5000, 5000));
	run_beside(fw, streams, 2, change_first_of_tuple);
}

#define on_empty_set(test) cmocka_unit_test_setup_teardown(test, xf_fw_set_up, xf_fw_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_empty_set(every_packet_meets_a_whole_set), on_empty_set(the_index_grows),
		on_empty_set(trials_are_confirmed),	      on_empty_set(the_policy_changes),
		on_empty_set(the_first_rule_of_a_tuple_goes),
	};
	const char *why = xf_harness_refusal();

	if (why)
		return xf_skip_all(why);
	if (xf_usable_cpus(cpus, 2) < 2)
		return xf_skip_all("changes and packets need a CPU each");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
