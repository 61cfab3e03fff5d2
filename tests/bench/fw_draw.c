// SPDX-License-Identifier: GPL-2.0-only
/* Lists of addresses, and packets from them. */
#include "tests/bench/fw_draw.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/bench/bench.h"

#define FRAME 74
#define WARM_UP (FW_DRAWS / 4)

/* clang-format off */
static const uint8_t frame4[FRAME] = {
	[12] = 8, [14] = 0x45, [17] = 60, [22] = 64, [23] = 6,
	[30] = 192, [33] = 1, /* destination */
	[34] = 4, [36] = 1, [37] = 187, [46] = 0x50, [47] = 0x10
};
static const uint8_t frame6[FRAME] = {
	[12] = 0x86, [13] = 0xdd, [14] = 0x60, [19] = 20, [20] = 6, [21] = 64,
	[38] = 0x20, [39] = 1, /* destination */
	[54] = 4, [56] = 1, [57] = 187, [66] = 0x50, [67] = 0x10
};
/* clang-format on */

static struct bpf_object *drawing;
static struct fw_draw *draws; /* what the program reads */

uint32_t fw_random(void)
{
	static uint64_t state = 88172645463325252ull;

	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dull >> 32;
}

void fw_random_rule(struct xf_rule *rule, int family)
{
	unsigned int bits = family == 4 ? 32 : 128;
	unsigned int least = family == 4 ? 8 : 32;

	memset(rule, 0, sizeof(*rule));
	rule->deny = 1;
	rule->has = XF_RULE_SRC;
	rule->family = family;
	rule->src.len = least + fw_random() % (bits - least + 1);
	for (unsigned int i = 0; i < bits / 8; i += 4) {
		uint32_t word = fw_random();

		memcpy(rule->src.addr + i, &word, 4);
	}
	if (family == 6)
		rule->src.addr[0] = 0x20 | (rule->src.addr[0] & 15);
	for (unsigned int bit = rule->src.len; bit < bits; bit++)
		rule->src.addr[bit / 8] &= ~(0x80 >> bit % 8);
}

static void draw_from(const struct xf_rule *rule, struct fw_draw *draw)
{
	uint8_t *bytes = (uint8_t *)draw->word;

	for (int i = 0; i < 4; i++)
		draw->word[i] = fw_random();
	for (unsigned int bit = 0; bit < rule->src.len; bit++) {
		uint8_t mask = 0x80 >> bit % 8;

		bytes[bit / 8] = (bytes[bit / 8] & ~mask) | (rule->src.addr[bit / 8] & mask);
	}
}

/* Of n one that is drawn with a probability of 1 / rank. */
static size_t zipf(size_t n)
{
	size_t rank = exp(fw_random() / 4294967296.0 * log(n + 1.0));

	return rank > n ? n - 1 : rank - 1;
}

struct fw_draw *fw_list(const struct xf_rule *rules, size_t n, int family, enum fw_skew skew)
{
	struct fw_draw *list = calloc(FW_DRAWS, sizeof(*list));
	size_t *of_family = calloc(n, sizeof(*of_family)), left = 0;

	if (!list || !of_family)
		bench_fail("no memory for a list of addresses");
	for (size_t i = 0; i < n; i++)
		if (rules[i].family == family)
			of_family[left++] = i;
	if (!left)
		bench_fail("no rule to draw addresses from");
	for (size_t i = 0; i < FW_DRAWS; i++)
		draw_from(&rules[of_family[skew == FW_ZIPF ? zipf(left) : fw_random() % left]],
			  &list[i]);
	free(of_family);
	return list;
}

void fw_draw_load(void)
{
	bench_own_network();
	drawing = bench_open("fw_draw.bpf.o");
	bench_check(bpf_object__load(drawing), "load fw_draw.bpf.o");
	draws = mmap(NULL, FW_DRAWS * sizeof(*draws), PROT_READ | PROT_WRITE, MAP_SHARED,
		     fw_draw_map("draws"), 0);
	bench_check(draws == MAP_FAILED ? -errno : 0, "map the list of addresses");
	bench_hold(fw_draw_prog("draw4"));
	bench_hold(fw_draw_prog("draw6"));
}

int fw_draw_prog(const char *name)
{
	return bench_prog_fd(drawing, name);
}

int fw_draw_map(const char *name)
{
	return bench_map_fd(drawing, name);
}

double fw_draw_run(int prog_fd, int family, const struct fw_draw *list, uint32_t *verdict)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = family == 4 ? frame4 : frame6,
		    .data_size_in = FRAME, .repeat = WARM_UP);
	int draw_fd = fw_draw_prog(family == 4 ? "draw4" : "draw6");
	uint32_t zero = 0;
	uint64_t start;

	bench_check(bpf_map_update_elem(fw_draw_map("measured"), &zero, &prog_fd, BPF_ANY),
		    "set the program");
	memcpy(draws, list, FW_DRAWS * sizeof(*draws));
	bench_check(bpf_prog_test_run_opts(draw_fd, &opts), "run a program");
	opts.repeat = FW_DRAWS;
	start = bench_now_ns();
	bench_check(bpf_prog_test_run_opts(draw_fd, &opts), "run a program");
	*verdict = opts.retval;
	return (double)(bench_now_ns() - start) / FW_DRAWS;
}
