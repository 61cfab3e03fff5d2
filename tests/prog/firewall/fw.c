// SPDX-License-Identifier: GPL-2.0-only
/* The firewall under test. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/prog/firewall/fw.h"
#include "tests/prog/harness.h"
#include "xdp-prog/fw_abi.h"

static int share_maps(struct xf_fw *fw)
{
	const struct xf_ruleset_map *maps;
	size_t n = xf_ruleset__maps(fw->ruleset, &maps);

	for (size_t i = 0; i < n; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(fw->object, maps[i].name);
		int err = map ? bpf_map__reuse_fd(map, maps[i].fd) : -ENOENT;

		if (err)
			return err;
		if (!strcmp(maps[i].name, XF_FW_COUNTS_MAP))
			fw->totals = maps[i].fd;
	}
	return 0;
}

int xf_fw__open_flags(struct xf_fw *fw, bool deny_policy, uint32_t flags)
{
	struct bpf_program *prog;
	int err;

	memset(fw, 0, sizeof(*fw));
	fw->cpus = libbpf_num_possible_cpus();
	err = xf_ruleset__create(&fw->ruleset, deny_policy);
	if (err) {
		fprintf(stderr, "cannot make a rule set: %s\n", strerror(-err));
		return err;
	}
	fw->object = bpf_object__open(xf_firewall_object());
	err = fw->object ? share_maps(fw) : -errno;
	prog = err ? NULL : bpf_object__find_program_by_name(fw->object, XF_FW_PROG_NAME);
	if (!err)
		err = bpf_program__set_flags(prog, flags);
	if (!err)
		err = bpf_object__load(fw->object);
	if (err) {
		xf_fw__close(fw);
		return err;
	}
	fw->prog = bpf_program__fd(prog);
	return 0;
}

int xf_fw__open(struct xf_fw *fw, bool deny_policy)
{
	return xf_fw__open_flags(fw, deny_policy, 0);
}

void xf_fw__close(struct xf_fw *fw)
{
	bpf_object__close(fw->object);
	xf_ruleset__close(fw->ruleset);
}

static int set_up(void **state, bool deny)
{
	struct xf_fw *fw = calloc(1, sizeof(*fw));

	*state = fw;
	return fw ? xf_fw__open(fw, deny) : -1;
}

int xf_fw_set_up(void **state)
{
	return set_up(state, false);
}

int xf_fw_set_up_deny(void **state)
{
	return set_up(state, true);
}

int xf_fw_tear_down(void **state)
{
	xf_fw__close(*state);
	free(*state);
	return 0;
}

struct xf_ruleset *xf_fw_open_again(const struct xf_fw *fw)
{
	const struct xf_ruleset_map *maps;
	size_t n = xf_ruleset__maps(fw->ruleset, &maps);
	struct xf_ruleset *again;

	assert_int_equal(xf_ruleset__open(&again, maps, n), 0);
	return again;
}

void xf_fw_add_rules(struct xf_ruleset *ruleset, const char *const *rules)
{
	struct xf_rule_error error;
	struct xf_rule rule;

	for (; *rules; rules++) {
		assert_int_equal(xf_rule_parse(*rules, strlen(*rules), &rule, &error), 1);
		assert_int_equal(xf_ruleset__add(ruleset, &rule, xf_boot_ns()), 0);
	}
}

int xf_fw_add_expired(struct xf_ruleset *ruleset, const struct xf_rule *rule)
{
	struct xf_rule old = *rule;

	old.ttl = 1;
	assert_true(xf_boot_ns() > XF_FW_LONG_AGO + 1000000000ull);
	return xf_ruleset__add(ruleset, &old, XF_FW_LONG_AGO);
}

int xf_fw_verdict(const struct xf_fw *fw, const void *bytes, size_t len)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = bytes, .data_size_in = len, .repeat = 1);
	int err = bpf_prog_test_run_opts(fw->prog, &opts);

	return err ? err : (int)opts.retval;
}

static void read_totals(const struct xf_fw *fw, struct xf_fw_total sum[5])
{
	struct xf_fw_counts each[fw->cpus];
	uint32_t zero = 0;

	assert_int_equal(bpf_map_lookup_elem(fw->totals, &zero, each), 0);
	memset(sum, 0, 5 * sizeof(*sum));
	for (int cpu = 0; cpu < fw->cpus; cpu++) {
		const struct xf_fw_total *total = (const struct xf_fw_total *)&each[cpu].totals;

		for (int i = 0; i < 5; i++) {
			sum[i].packets += total[i].packets;
			sum[i].bytes += total[i].bytes;
		}
	}
}

uint64_t xf_fw_drops(const struct xf_fw *fw, const void *bytes, size_t len, uint32_t times)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = bytes, .data_size_in = len,
		    .repeat = times);
	struct xf_fw_total before[5], after[5];

	read_totals(fw, before);
	assert_int_equal(bpf_prog_test_run_opts(fw->prog, &opts), 0);
	read_totals(fw, after);
	return after[XF_FATE_DENIED].packets - before[XF_FATE_DENIED].packets +
	       after[XF_FATE_POLICY_DENIED].packets - before[XF_FATE_POLICY_DENIED].packets;
}

int xf_fw_fate(const struct xf_fw *fw, const void *bytes, size_t len)
{
	struct xf_fw_total before[5], after[5];
	int verdict, fate = -ENOENT;

	read_totals(fw, before);
	verdict = xf_fw_verdict(fw, bytes, len);
	read_totals(fw, after);
	for (int i = 0; i < 5; i++) {
		if (after[i].packets == before[i].packets)
			continue;
		if (fate >= 0 || after[i].packets != before[i].packets + 1 ||
		    after[i].bytes != before[i].bytes + len)
			return -EINVAL;
		fate = i;
	}
	if ((fate == XF_FATE_DENIED || fate == XF_FATE_POLICY_DENIED) != (verdict == XDP_DROP))
		return -EPROTO;
	return fate;
}
