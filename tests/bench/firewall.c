// SPDX-License-Identifier: GPL-2.0-only
/* The cost of the firewall: firewall ROUNDS [RULES [XDP_FILTER]] prints for each round one sample
 * of each program and draw, one after the other on the same CPU, and before and behind them how
 * long changes of a set of so many rules take (default 1,000,000) and what memory it has.
 * XDP_FILTER is xdp-filter's object, if there is one.
 *
 * Packets go through a program that gives them the next source of a list and calls the one that is
 * measured; what it costs itself are the samples of the empty program. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/bench/bench.h"
#include "firewall/table/ruleset.h"
#include "tests/bench/fw_draw.h"
#include "xdp-prog/fw_abi.h"

#define FEW 10
#define OTHERS 10000
#define ADDS 300000
#define ANY_VERDICT UINT32_MAX

/* A program that is measured, with a list. */
struct series {
	const char *name;
	int prog_fd, family;
	const struct fw_draw *list;
	uint32_t verdict;
};

static struct series series[32];
static unsigned int series_n;

static void measure(const char *name, int prog_fd, int family, const struct fw_draw *list,
		    uint32_t verdict)
{
	if (series_n == sizeof(series) / sizeof(*series))
		bench_fail("too many series");
	series[series_n++] = (struct series) { name, prog_fd, family, list, verdict };
}

/* A wrong verdict is no measurement. */
static void sample(unsigned int round, const struct series *of)
{
	uint32_t verdict;
	double ns = fw_draw_run(of->prog_fd, of->family, of->list, &verdict);

	if (of->verdict != ANY_VERDICT && verdict != of->verdict) {
		fprintf(stderr, "bench: %s: verdict %u\n", of->name, verdict);
		exit(1);
	}
	bench_sample(round, of->name, ns, 0);
}

static uint64_t boot_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static double seconds_since(uint64_t start)
{
	return (bench_now_ns() - start) / 1e9;
}

/* A rule set with its program. */
struct firewall {
	struct xf_ruleset *ruleset;
	int prog_fd;
};

static struct firewall load_firewall(void)
{
	struct bpf_object *object = bpf_object__open("xdpfun-fw.o");
	const struct xf_ruleset_map *maps;
	struct firewall firewall;
	size_t n;

	bench_check(object ? 0 : -errno, "open xdpfun-fw.o");
	bench_check(xf_ruleset__create(&firewall.ruleset, false), "make a rule set");
	n = xf_ruleset__maps(firewall.ruleset, &maps);
	for (size_t i = 0; i < n; i++)
		bench_check(bpf_map__reuse_fd(bpf_object__find_map_by_name(object, maps[i].name),
					      maps[i].fd),
			    "share a map");
	bench_check(bpf_object__load(object), "load xdpfun-fw.o");
	firewall.prog_fd = bench_prog_fd(object, XF_FW_PROG_NAME);
	return firewall;
}

static uint64_t memory(const struct firewall *firewall)
{
	struct xf_ruleset_stats stats;

	bench_check(xf_ruleset__stats(firewall->ruleset, boot_ns(), &stats), "read statistics");
	return stats.memory;
}

/* Of rules that are there already others are drawn. Returns the bytes that both sets have together
 * before the old one goes. */
static uint64_t replace(const struct firewall *firewall, struct xf_rule *rules, size_t n)
{
	struct xf_build *build;
	uint64_t bytes;

	bench_check(xf_build__begin(&build, firewall->ruleset, n), "begin a rule set");
	for (size_t i = 0; i < n; i++) {
		int err = xf_build__add(build, &rules[i], boot_ns());

		while (err == -EEXIST) {
			fw_random_rule(&rules[i], rules[i].family);
			err = xf_build__add(build, &rules[i], boot_ns());
		}
		bench_check(err, "add a rule");
	}
	bytes = memory(firewall);
	bench_check(xf_build__commit(build), "replace a rule set");
	return bytes;
}

static void set_up_empty(struct xf_rule *rules)
{
	for (int family = 4; family <= 6; family += 2) {
		fw_random_rule(rules, family);
		measure(family == 4 ? "firewall_empty_ip4" : "firewall_empty_ip6",
			fw_draw_prog("empty"), family, fw_list(rules, 1, family, FW_UNIFORM),
			XDP_PASS);
	}
}

static int load_filter(const char *path, const struct xf_rule *rules)
{
	struct bpf_object *object = bpf_object__open(path);
	uint64_t *flags = calloc(libbpf_num_possible_cpus(), sizeof(*flags));
	struct bpf_map *map;
	int map_fd;

	bench_check(object ? 0 : -errno, path);
	bpf_object__for_each_map (map, object)
		bpf_map__set_pin_path(map, NULL);
	bench_check(bpf_object__load(object), "load xdp-filter");
	map_fd = bench_map_fd(object, "filter_ipv4");
	flags[0] = 1; /* source; the other CPUs only count */
	for (int cpu = 1; cpu < libbpf_num_possible_cpus(); cpu++)
		flags[cpu] = flags[0];
	for (size_t i = 0; i < FEW; i++)
		bench_check(bpf_map_update_elem(map_fd, rules[i].src.addr, flags, BPF_ANY),
			    "add an address to xdp-filter");
	free(flags);
	return bpf_program__fd(bpf_object__next_program(object, NULL));
}

/* Whole addresses, which is all that xdp-filter knows. */
static void set_up_addresses(struct xf_rule *rules, const char *filter)
{
	struct firewall firewall = load_firewall();
	const struct fw_draw *list;

	for (size_t i = 0; i < FEW; i++) {
		do
			fw_random_rule(&rules[i], 4);
		while (rules[i].src.len < 32);
	}
	replace(&firewall, rules, FEW);
	list = fw_list(rules, FEW, 4, FW_UNIFORM);
	measure("firewall_addresses", firewall.prog_fd, 4, list, XDP_DROP);
	if (filter)
		measure("firewall_filter", load_filter(filter, rules), 4, list, XDP_DROP);
}

static void set_up_few(struct xf_rule *rules)
{
	struct firewall firewall = load_firewall();

	for (size_t i = 0; i < FEW; i++)
		fw_random_rule(&rules[i], i & 1 ? 6 : 4);
	replace(&firewall, rules, FEW);
	measure("firewall_few_ip4_uniform", firewall.prog_fd, 4, fw_list(rules, FEW, 4, FW_UNIFORM),
		XDP_DROP);
	measure("firewall_few_ip4_zipf", firewall.prog_fd, 4, fw_list(rules, FEW, 4, FW_ZIPF),
		XDP_DROP);
	measure("firewall_few_ip6_uniform", firewall.prog_fd, 6, fw_list(rules, FEW, 6, FW_UNIFORM),
		XDP_DROP);
	measure("firewall_few_ip6_zipf", firewall.prog_fd, 6, fw_list(rules, FEW, 6, FW_ZIPF),
		XDP_DROP);
}

/* The same prefixes in the kernel's tries, one for each family. */
static void fill_tries(const struct xf_rule *rules, size_t n)
{
	int fd4 = fw_draw_map("trie4"), fd6 = fw_draw_map("trie6");
	uint32_t deny = 1;

	for (size_t i = 0; i < n; i++) {
		struct {
			uint32_t length;
			uint8_t addr[16];
		} key = { .length = rules[i].src.len };

		memcpy(key.addr, rules[i].src.addr, sizeof(key.addr));
		bench_check(
		    bpf_map_update_elem(rules[i].family == 4 ? fd4 : fd6, &key, &deny, BPF_ANY),
		    "add a prefix to a trie");
	}
}

static void measure_many(const char *ours, const char *trie, int family, const struct fw_draw *list,
			 const struct firewall *firewall)
{
	measure(ours, firewall->prog_fd, family, list, XDP_DROP);
	measure(trie, fw_draw_prog(family == 4 ? "trie_alone4" : "trie_alone6"), family, list,
		XDP_DROP);
}

static struct firewall set_up_many(struct xf_rule *rules, size_t n)
{
	struct firewall firewall = load_firewall();
	uint64_t start = bench_now_ns();

	for (size_t i = 0; i < n; i++)
		fw_random_rule(&rules[i], i & 1 ? 6 : 4);
	replace(&firewall, rules, n);
	bench_sample(1, "firewall_load", seconds_since(start), 0);
	bench_sample(1, "firewall_memory", memory(&firewall), 0);
	fill_tries(rules, n);
	measure_many("firewall_many_ip4_uniform", "firewall_trie_ip4_uniform", 4,
		     fw_list(rules, n, 4, FW_UNIFORM), &firewall);
	measure_many("firewall_many_ip4_zipf", "firewall_trie_ip4_zipf", 4,
		     fw_list(rules, n, 4, FW_ZIPF), &firewall);
	measure_many("firewall_many_ip6_uniform", "firewall_trie_ip6_uniform", 6,
		     fw_list(rules, n, 6, FW_UNIFORM), &firewall);
	measure_many("firewall_many_ip6_zipf", "firewall_trie_ip6_zipf", 6,
		     fw_list(rules, n, 6, FW_ZIPF), &firewall);
	return firewall;
}

static void set_prefix(struct xf_rule *rule, unsigned int length)
{
	rule->src.len = length;
	for (unsigned int bit = length; bit < 32; bit++)
		rule->src.addr[bit / 8] &= ~(0x80 >> bit % 8);
}

/* A rule with several fields: an address and a port, two prefixes, a network and a protocol, a
 * network and a range of ports. */
static void other_rule(struct xf_rule *rule, unsigned int kind)
{
	fw_random_rule(rule, 4);
	for (int i = 0; i < 4; i++)
		rule->src.addr[i] = fw_random();
	switch (kind % 4) {
	case 0:
		rule->has |= XF_RULE_DPORT | XF_RULE_PROTO;
		rule->proto = fw_random() % 2 ? 6 : 17;
		rule->dport_min = rule->dport_max = fw_random() % 2 ? 443 : fw_random() % 65536;
		set_prefix(rule, 32);
		break;
	case 1:
		rule->has |= XF_RULE_DST;
		rule->dst = (struct xf_prefix) { .addr = { 192, 0, 0, 1 }, .len = 32 };
		set_prefix(rule, 24);
		break;
	case 2:
		rule->has |= XF_RULE_PROTO;
		rule->proto = 6;
		set_prefix(rule, 16);
		break;
	default:
		rule->has |= XF_RULE_DPORT;
		rule->dport_min = 1024;
		rule->dport_max = 65535;
		set_prefix(rule, 24);
	}
}

static void set_up_others(struct xf_rule *rules)
{
	struct firewall few = load_firewall(), all = load_firewall();

	for (size_t i = 0; i < OTHERS; i++)
		other_rule(&rules[i], i);
	replace(&few, rules, FEW);
	replace(&all, rules, OTHERS);
	measure("firewall_others_few", few.prog_fd, 4, fw_list(rules, FEW, 4, FW_UNIFORM),
		ANY_VERDICT);
	measure("firewall_others", all.prog_fd, 4, fw_list(rules, OTHERS, 4, FW_UNIFORM),
		ANY_VERDICT);
}

/* The changes of the large set come last. */
static void measure_changes(const struct firewall *firewall, struct xf_rule *rules, size_t n)
{
	struct xf_rule rule;
	uint64_t start = bench_now_ns();

	for (size_t i = 0; i < ADDS; i++) {
		int err;

		fw_random_rule(&rule, i & 1 ? 6 : 4);
		err = xf_ruleset__add(firewall->ruleset, &rule, boot_ns());
		bench_check(err == -EEXIST ? 0 : err, "add a rule");
	}
	bench_sample(1, "firewall_adds", ADDS / seconds_since(start), 0);
	replace(firewall, rules, n);
	bench_sample(1, "firewall_replace_memory", replace(firewall, rules, n), 0);
}

int main(int argc, char **argv)
{
	size_t n = argc > 2 ? bench_number(argv[2]) : 1000000;
	struct xf_rule *rules = calloc(n + OTHERS, sizeof(*rules));
	unsigned int rounds = argc > 1 ? bench_number(argv[1]) : 0;
	struct firewall many;

	if (argc < 2 || argc > 4 || !rules)
		bench_fail("usage: firewall ROUNDS [RULES [XDP_FILTER]]");
	libbpf_set_strict_mode(LIBBPF_STRICT_AUTO_RLIMIT_MEMLOCK);
	bench_pin(bench_cpu(0));
	fw_draw_load();
	set_up_empty(rules);
	set_up_addresses(rules, argc > 3 ? argv[3] : NULL);
	set_up_few(rules);
	set_up_others(rules);
	many = set_up_many(rules, n);
	for (unsigned int round = 1; round <= rounds; round++)
		for (unsigned int i = 0; i < series_n; i++)
			sample(round, &series[i]);
	measure_changes(&many, rules, n);
	return 0;
}
