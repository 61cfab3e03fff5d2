// SPDX-License-Identifier: GPL-2.0-only
/* What the firewall costs: firewall [RULES] prints one figure a line, for so many prefixes (default
 * 1,000,000). Packets go through a program that draws their source from 2^20 addresses of the
 * rules; its cost and that of an empty program behind it are subtracted. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "firewall/table.h"
#include "tests/bench/bench.h"
#include "xdp-prog/fw_abi.h"

#define DRAWS (1u << 20)
#define ROUNDS 5
#define PACKETS 2000000
#define FRAME 74
#define XDP_FILTER "/usr/lib/x86_64-linux-gnu/bpf/xdpfilt_dny_ip.o"

struct draw {
	uint32_t word[4];
};

static struct draw *draws;
static struct bpf_object *drawing;
static uint8_t frame4[FRAME] = {
	[12] = 8, [14] = 0x45, [17] = 60, [22] = 64,  [23] = 6,	   [30] = 192,
	[33] = 1, [34] = 4,    [36] = 1,  [37] = 187, [46] = 0x50, [47] = 0x10
};
static uint8_t frame6[FRAME] = {
	[12] = 0x86, [13] = 0xdd, [14] = 0x60, [19] = 20,  [20] = 6,	[21] = 64,  [38] = 0x20,
	[39] = 1,    [54] = 4,	  [56] = 1,    [57] = 187, [66] = 0x50, [67] = 0x10
};

static uint64_t boot_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000000000ull + now.tv_nsec;
}

static uint32_t random32(void)
{
	static uint64_t state = 88172645463325252ull;

	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dull >> 32;
}

/* Half IPv4 of /8 to /32, as many short ones as there can be few, half IPv6 of /32 to /128. */
static void random_prefix(struct xf_rule *rule, int family)
{
	unsigned int bits = family == 4 ? 32 : 128;
	unsigned int least = family == 4 ? 8 : 32;

	memset(rule, 0, sizeof(*rule));
	rule->deny = 1;
	rule->has = XF_RULE_SRC;
	rule->family = family;
	rule->src.len = least + random32() % (bits - least + 1);
	for (unsigned int i = 0; i < bits / 8; i += 4) {
		uint32_t word = random32();

		memcpy(rule->src.addr + i, &word, 4);
	}
	if (family == 6)
		rule->src.addr[0] = 0x20 | (rule->src.addr[0] & 15);
	for (unsigned int bit = rule->src.len; bit < bits; bit++)
		rule->src.addr[bit / 8] &= ~(0x80 >> bit % 8);
}

static struct bpf_program *program(const char *name)
{
	return bpf_object__find_program_by_name(drawing, name);
}

static void load_drawing(const char *path)
{
	drawing = bpf_object__open(path);
	bench_check(drawing ? bpf_object__load(drawing) : -errno, "load the drawing program");
	draws = mmap(NULL, DRAWS * sizeof(*draws), PROT_READ | PROT_WRITE, MAP_SHARED,
		     bpf_object__find_map_fd_by_name(drawing, "draws"), 0);
	if (draws == MAP_FAILED)
		bench_fail("cannot map the list of addresses");
}

/* An address inside the prefix. */
static void draw_from(const struct xf_rule *rule, struct draw *draw)
{
	uint8_t *bytes = (uint8_t *)draw->word;

	for (int i = 0; i < 4; i++)
		draw->word[i] = random32();
	for (unsigned int bit = 0; bit < rule->src.len; bit++) {
		uint8_t mask = 0x80 >> bit % 8;

		bytes[bit / 8] = (bytes[bit / 8] & ~mask) | (rule->src.addr[bit / 8] & mask);
	}
}

/* The rank of a draw from n with a probability of 1 / rank. */
static size_t zipf(size_t n)
{
	double u = random32() / 4294967296.0;
	size_t rank = exp(u * log(n + 1.0));

	return rank > n ? n - 1 : rank - 1;
}

static void fill_draws(const struct xf_rule *rules, size_t n, int family, bool skewed)
{
	size_t *of_family = malloc(n * sizeof(*of_family)), left = 0;

	for (size_t i = 0; i < n; i++)
		if (rules[i].family == family)
			of_family[left++] = i;
	for (size_t i = 0; i < DRAWS && left; i++)
		draw_from(&rules[of_family[skewed ? zipf(left) : random32() % left]], &draws[i]);
	free(of_family);
}

static double run_once(int prog_fd, int family, uint32_t *verdict)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = family == 4 ? frame4 : frame6,
		    .data_size_in = FRAME, .repeat = PACKETS);
	int measured = bpf_object__find_map_fd_by_name(drawing, "measured");
	uint32_t zero = 0;
	uint64_t start;

	bench_check(bpf_map_update_elem(measured, &zero, &prog_fd, BPF_ANY), "set the program");
	start = bench_now_ns();
	bench_check(bpf_prog_test_run_opts(
			bpf_program__fd(program(family == 4 ? "draw4" : "draw6")), &opts),
		    "run");
	*verdict = opts.retval;
	return (bench_now_ns() - start) / (double)PACKETS;
}

/* The least of some rounds, over an empty program. */
static double measure(int prog_fd, int family)
{
	double least = 1e9, nothing = 1e9, took;
	uint32_t verdict;

	for (int i = 0; i < ROUNDS; i++) {
		took = run_once(bpf_program__fd(program("empty")), family, &verdict);
		nothing = took < nothing ? took : nothing;
		took = run_once(prog_fd, family, &verdict);
		least = took < least ? took : least;
	}
	return least - nothing;
}

static struct bpf_object *load_firewall(const struct xf_table *table, int *fd)
{
	struct bpf_object *object = bpf_object__open("xdpfun-fw.o");
	const struct xf_table_map *maps;
	size_t n = xf_table__maps(table, &maps);

	if (!object)
		bench_fail("cannot open xdpfun-fw.o");
	for (size_t i = 0; i < n; i++)
		bench_check(bpf_map__reuse_fd(bpf_object__find_map_by_name(object, maps[i].name),
					      maps[i].fd),
			    "share a map");
	bench_check(bpf_object__load(object), "load the firewall");
	*fd = bpf_program__fd(bpf_object__find_program_by_name(object, XF_FW_PROG_NAME));
	return object;
}

static void replace(struct xf_table *table, const struct xf_rule *rules, size_t n, const char *what)
{
	uint64_t start = bench_now_ns(), now = boot_ns();
	struct xf_build *build;

	bench_check(xf_build__begin(&build, table, n), "begin");
	for (size_t i = 0; i < n; i++) {
		int err = xf_build__add(build, &rules[i], now);

		if (err && err != -EEXIST) {
			fprintf(stderr, "rule %zu: %s\n", i, xf_table__why(table));
			bench_check(err, "add");
		}
	}
	if (what) {
		struct xf_table_stats stats;

		xf_table__stats(table, now, &stats);
		printf("%s: memory during replace %.0f MiB\n", what, stats.memory / 1048576.0);
	}
	bench_check(xf_build__commit(build), "commit");
	if (what)
		printf("%s: load %.2f s\n", what, (bench_now_ns() - start) / 1e9);
}

static void print_cost(const char *what, int fd, const struct xf_rule *rules, size_t n)
{
	for (int skewed = 0; skewed < 2; skewed++) {
		for (int family = 4; family <= 6; family += 2) {
			fill_draws(rules, n, family, skewed);
			printf("%s, IPv%d, %s: %.1f ns\n", what, family,
			       skewed ? "Zipf" : "uniform", measure(fd, family));
			fflush(stdout);
		}
	}
}

/* xdp-filter with the addresses of the rules, which must be whole ones. */
static void measure_filter(const struct xf_rule *rules, size_t n)
{
	struct bpf_object *object = bpf_object__open(XDP_FILTER);
	uint64_t flags[64] = { 0 };
	struct bpf_map *pinned;
	int map, fd;

	if (object)
		bpf_object__for_each_map (pinned, object)
			bpf_map__set_pin_path(pinned, NULL);
	if (!object || bpf_object__load(object)) {
		printf("xdp-filter: not here\n");
		return;
	}
	map = bpf_object__find_map_fd_by_name(object, "filter_ipv4");
	for (int i = 0; i < 64; i++)
		flags[i] = 1; /* source address */
	for (size_t i = 0; i < n; i++)
		if (rules[i].family == 4)
			bench_check(bpf_map_update_elem(map, rules[i].src.addr, flags, BPF_ANY),
				    "add");
	fd = bpf_program__fd(bpf_object__next_program(object, NULL));
	fill_draws(rules, n, 4, false);
	printf("xdp-filter, %zu addresses: %.1f ns\n", n, measure(fd, 4));
	bpf_object__close(object);
}

static void measure_trie(const struct xf_rule *rules, size_t n)
{
	int map = bpf_object__find_map_fd_by_name(drawing, "trie"), fd;
	uint32_t deny = 1;

	for (size_t i = 0; i < n; i++) {
		struct {
			uint32_t length;
			uint8_t addr[4];
		} key = { .length = rules[i].src.len };

		if (rules[i].family != 4)
			continue;
		memcpy(key.addr, rules[i].src.addr, 4);
		bench_check(bpf_map_update_elem(map, &key, &deny, BPF_ANY), "add");
	}
	fd = bpf_program__fd(program("lpm_alone"));
	for (int skewed = 0; skewed < 2; skewed++) {
		fill_draws(rules, n, 4, skewed);
		printf("LPM trie alone, %s: %.1f ns\n", skewed ? "Zipf" : "uniform",
		       measure(fd, 4));
	}
}

static struct xf_table *reopen(const struct xf_table *table)
{
	const struct xf_table_map *maps;
	size_t n = xf_table__maps(table, &maps);
	struct xf_table *again;

	bench_check(xf_table__open(&again, maps, n), "open");
	return again;
}

/* One change as a process of its own would make it. */
static void measure_change(struct xf_table *table, const char *what, const struct xf_rule *rule,
			   int (*change)(struct xf_table *, const struct xf_rule *, uint64_t))
{
	uint64_t start = bench_now_ns();
	struct xf_table *again = reopen(table);
	int err = change(again, rule, boot_ns());

	xf_table__close(again);
	printf("%s: %.1f ms (%d)\n", what, (bench_now_ns() - start) / 1e6, err);
}

static void measure_changes(struct xf_table *table)
{
	struct xf_rule rule = { .deny = 1, .has = XF_RULE_SRC, .family = 4 };
	const size_t n = 300000;
	uint64_t start;

	rule.src = (struct xf_prefix) { .addr = { 77 }, .len = 8 };
	xf_table__del(table, &rule, boot_ns());
	measure_change(table, "open, add a /8, close", &rule, xf_table__add);
	measure_change(table, "open, del the /8, close", &rule, xf_table__del);
	rule.src = (struct xf_prefix) { .addr = { 77, 1, 2, 3 }, .len = 32 };
	measure_change(table, "open, add a /32, close", &rule, xf_table__add);
	measure_change(table, "open, del the /32, close", &rule, xf_table__del);
	start = bench_now_ns();
	for (size_t i = 0; i < n; i++) {
		random_prefix(&rule, i & 1 ? 4 : 6);
		xf_table__add(table, &rule, boot_ns());
	}
	printf("adds one at a time: %.0f a second\n", n / ((bench_now_ns() - start) / 1e9));
}

/* Rules of several fields: networks and ports, protocols, pairs of prefixes. */
static void other_rule(struct xf_rule *rule)
{
	random_prefix(rule, 4);
	switch (random32() % 4) {
	case 0:
		rule->has |= XF_RULE_DPORT | XF_RULE_PROTO;
		rule->proto = random32() % 2 ? 6 : 17;
		rule->dport_min = rule->dport_max = random32() % 2 ? 443 : random32() % 65536;
		rule->src.len = 32;
		break;
	case 1:
		rule->has |= XF_RULE_DST;
		rule->dst = (struct xf_prefix) { .addr = { 192, 0, 0, 1 }, .len = 32 };
		rule->src.len = 24;
		rule->src.addr[3] = 0;
		break;
	case 2:
		rule->has |= XF_RULE_PROTO;
		rule->proto = 6;
		rule->src.len = 16;
		rule->src.addr[2] = rule->src.addr[3] = 0;
		break;
	default:
		rule->has |= XF_RULE_DPORT;
		rule->dport_min = 1024;
		rule->dport_max = 65535;
		rule->src.len = 24;
		rule->src.addr[3] = 0;
	}
}

int main(int argc, char **argv)
{
	size_t n = argc > 1 ? bench_number(argv[1]) : 1000000;
	struct xf_rule *rules = calloc(n + 10000, sizeof(*rules));
	struct xf_table_stats stats;
	struct bpf_object *object;
	struct xf_table *table;
	int fd;

	libbpf_set_strict_mode(LIBBPF_STRICT_AUTO_RLIMIT_MEMLOCK);
	bench_pin(bench_cpu(0));
	load_drawing(argc > 2 ? argv[2] : "build/tests/bench/fw_draw.bpf.o");
	bench_check(xf_table__create(&table, false), "create");
	object = load_firewall(table, &fd);

	for (size_t i = 0; i < 10; i++) {
		random_prefix(&rules[i], 4);
		rules[i].src.len = 32;
		rules[i].src.addr[3] |= 1;
	}
	measure_filter(rules, 10);
	replace(table, rules, 10, NULL);
	print_cost("10 addresses", fd, rules, 10);
	for (size_t i = 0; i < 10; i++)
		random_prefix(&rules[i], i & 1 ? 6 : 4);
	replace(table, rules, 10, NULL);
	print_cost("10 prefixes", fd, rules, 10);

	for (size_t i = 0; i < n; i++)
		random_prefix(&rules[i], i & 1 ? 6 : 4);
	replace(table, rules, n, "all prefixes");
	xf_table__stats(table, boot_ns(), &stats);
	printf("%llu rules: memory %.0f MiB\n", (unsigned long long)stats.rules,
	       stats.memory / 1048576.0);
	replace(table, rules, n, "all prefixes again");
	print_cost("all prefixes", fd, rules, n);
	measure_trie(rules, n);
	measure_changes(table);

	for (size_t i = 0; i < 10000; i++)
		other_rule(&rules[i]);
	replace(table, rules, 10, NULL);
	fill_draws(rules, 10, 4, false);
	printf("10 other rules: %.1f ns\n", measure(fd, 4));
	replace(table, rules, 10000, NULL);
	fill_draws(rules, 10000, 4, false);
	printf("10,000 other rules: %.1f ns\n", measure(fd, 4));
	xf_table__stats(table, boot_ns(), &stats);
	printf("shapes: %llu\n", (unsigned long long)stats.shapes);

	bpf_object__close(object);
	xf_table__close(table);
	free(rules);
	return 0;
}
