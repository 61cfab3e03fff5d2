// SPDX-License-Identifier: GPL-2.0-only
/* While rules are changed in every way, each packet meets the old verdict or the new one: a packet
 * that stays allowed is never dropped, one that stays denied never passes. */
#include <errno.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/prog/firewall/fw.h"
#include "tests/prog/harness.h"

#define ROUNDS 12
#define PREFIXES 9000 /* a directory is made on the way */

/* UDP, 10.x.y.z > 10.0.0.1, to port 53. */
struct packet {
	uint8_t bytes[64];
};

static struct packet packet_from(uint8_t x, uint8_t y, uint8_t z)
{
	struct packet packet = { { [12] = 8,
				   [14] = 0x45,
				   [17] = 50,
				   [22] = 64,
				   [23] = 17,
				   [26] = 10,
				   [27] = x,
				   [28] = y,
				   [29] = z,
				   [30] = 10,
				   [33] = 1,
				   [37] = 53 } };

	return packet;
}

static struct xf_rule from4(uint8_t x, uint8_t y, uint8_t z, uint8_t len, bool deny)
{
	return (struct xf_rule) {
		.deny = deny,
		.has = XF_RULE_SRC,
		.family = 4,
		.src = { .addr = { 10, x, y, z }, .len = len },
	};
}

/* A thread that runs packets until it is told to stop. 10.1.1.1 is allowed, 10.1.0.0/16 and port 53
 * from 10.2/16 are denied, whatever other rules there are. */
struct traffic {
	const struct xf_fw *fw;
	atomic_bool stop;
	atomic_ulong wrong, packets;
};

static void *run_traffic(void *arg)
{
	struct traffic *traffic = arg;
	const struct packet allowed = packet_from(1, 1, 1), denied = packet_from(1, 1, 2),
			    port = packet_from(2, 0, 1);

	while (!traffic->stop) {
		traffic->wrong += xf_fw_verdict(traffic->fw, &allowed, 64) != XDP_PASS;
		traffic->wrong += xf_fw_verdict(traffic->fw, &denied, 64) != XDP_DROP;
		traffic->wrong += xf_fw_verdict(traffic->fw, &port, 64) != XDP_DROP;
		traffic->packets += 3;
	}
	return NULL;
}

static struct xf_rule fixed_rules[3];

static void add(struct xf_table *table, const struct xf_rule *rule)
{
	int err = xf_table__add(table, rule, xf_boot_ns());

	assert_true(!err || err == -EEXIST);
}

/* The rule may have gone with the trial in which it was added. */
static void del(struct xf_table *table, const struct xf_rule *rule)
{
	int err = xf_table__del(table, rule, xf_boot_ns());

	assert_true(!err || err == -ENOENT);
}

/* Change rules that cover the packets beside more specific ones, and rules of other tuple spaces.
 */
static void churn(struct xf_table *table, unsigned int round)
{
	struct xf_rule covering[] = { from4(0, 0, 0, 8, true), from4(1, 1, 0, 24, true),
				      from4(0, 0, 0, 12, false), from4(2, 0, 1, 32, false) };
	struct xf_rule other = { .has = XF_RULE_DST | XF_RULE_PROTO, .family = 4, .proto = 17 };

	other.dst = (struct xf_prefix) { .addr = { 10, 0, 0, 1 }, .len = 24 + round % 8 };
	other.deny = round % 2;
	for (int i = 0; i < 4; i++)
		add(table, &covering[i]);
	add(table, &other);
	for (int i = 0; i < 4; i++)
		del(table, &covering[i]);
	del(table, &other);
}

static void replace(struct xf_table *table, unsigned int round)
{
	struct xf_build *build;

	assert_int_equal(xf_build__begin(&build, table, 100), 0);
	for (unsigned int i = 0; i < 100; i++) {
		struct xf_rule rule = from4(4, round, i, 32, i & 1);

		assert_int_equal(xf_build__add(build, &rule, xf_boot_ns()), 0);
	}
	for (int i = 0; i < 3; i++)
		assert_int_equal(xf_build__add(build, &fixed_rules[i], xf_boot_ns()), 0);
	assert_int_equal(xf_build__commit(build), 0);
}

static void change_everything(struct xf_table *table)
{
	for (unsigned int round = 0; round < ROUNDS; round++) {
		churn(table, round);
		if (round == ROUNDS / 3)
			for (unsigned int i = 0; i < PREFIXES; i++) {
				struct xf_rule rule = from4(3, i >> 8, i, 32, i & 1);

				add(table, &rule);
			}
		if (round % 4 == 3)
			xf_table__try(table, xf_table__denies(table), xf_boot_ns() + 10000000);
		if (round % 3 == 2)
			replace(table, round);
	}
}

static void every_packet_meets_a_whole_set(void **state)
{
	struct xf_fw *fw = *state;
	struct traffic traffic = { .fw = fw };
	pthread_t thread;

	fixed_rules[0] = from4(1, 1, 1, 32, false);
	fixed_rules[1] = from4(1, 0, 0, 16, true);
	fixed_rules[2] = from4(2, 0, 0, 32, true);
	fixed_rules[2].src = (struct xf_prefix) { .addr = { 10, 2, 0, 1 }, .len = 32 };
	fixed_rules[2].has |= XF_RULE_DPORT;
	fixed_rules[2].dport_min = fixed_rules[2].dport_max = 53;
	for (int i = 0; i < 3; i++)
		add(fw->table, &fixed_rules[i]);
	assert_int_equal(pthread_create(&thread, NULL, run_traffic, &traffic), 0);
	for (int i = 0; i < 3; i++)
		change_everything(fw->table);
	traffic.stop = true;
	pthread_join(thread, NULL);
	assert_true(traffic.packets > 1000);
	assert_int_equal(traffic.wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_packet_meets_a_whole_set),
	};
	const char *why = xf_harness_refusal();

	if (why)
		return xf_skip_all(why);
	return cmocka_run_group_tests(tests, xf_fw_set_up, xf_fw_tear_down);
}
