// SPDX-License-Identifier: GPL-2.0-only
/* The hash of IPv6 prefixes and of rules with several fields: with no seed do two keys of an index
 * have the same hash, or crowd its buckets. Sets are such as people make, and such as are all upper
 * bits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "xdp-prog/fw_hash.h"

#define PREFIXES 50000
#define KEYS (2 * PREFIXES)
#define SEEDS 3

struct key {
	uint64_t hi, lo, b, level;
};

static struct key keys[KEYS];
static size_t keys_n;
static uint64_t hashes[KEYS];

static uint64_t state = 88172645463325252ull;

static uint64_t draw(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dull;
}

static uint64_t draw64(void)
{
	uint64_t upper = draw() >> 32;

	return upper << 32 | draw() >> 32;
}

/* With the key of the xf_fw_lengths6 around it. */
static void prefix(uint64_t hi, uint64_t lo, unsigned int length)
{
	uint64_t level = length > 64, b = 1ull << (-length & 63);

	hi &= level ? ~0ull : -b;
	lo &= level ? -b : 0;
	keys[keys_n++] = (struct key) { hi, lo, b, level };
	if (length > 32)
		keys[keys_n++] = (struct key) { level ? hi : hi & ~0xffffffffull, 0, 0, level };
}

#define DOC 0x20010db800000000ull

static void follow_in_lower_word(uint64_t i)
{
	prefix(DOC, i, 128);
}

static void follow_as_64s(uint64_t i)
{
	prefix(DOC + i, 0, 64);
}

static void same_lower_bits(uint64_t i)
{
	prefix((0x20010000 + i) << 32, 1, 128);
}

static void follow_as_96s(uint64_t i)
{
	prefix(DOC, i << 32, 96);
}

static void in_one_32(uint64_t i)
{
	prefix(DOC | i << 16, i, i & 1 ? 48 : 128);
}

static void any_length(uint64_t i)
{
	prefix(draw64(), draw64(), 32 + i % 97);
}

static void whole_32s_and_longer(uint64_t i)
{
	prefix(draw64(), 0, i & 1 ? 32 : 33 + i / 2 % 32);
}

static void short_ones(uint64_t i)
{
	prefix(draw64(), 0, 1 + i % 32);
}

static void equal_halves(uint64_t i)
{
	prefix(i << 32 | i, i << 32 | i, 128 - 32 * (i % 3));
}

static int by_value(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct key));
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void drop_equal_keys(void)
{
	size_t n = 0;

	qsort(keys, keys_n, sizeof(*keys), by_value);
	for (size_t i = 0; i < keys_n; i++)
		if (!n || memcmp(&keys[n - 1], &keys[i], sizeof(*keys)))
			keys[n++] = keys[i];
	keys_n = n;
}

/* Of sorted hashes: none twice, and in buckets for four each but one in ten at most beyond seven.
 */
static void check_hashes(size_t n, const char *what)
{
	uint32_t shift = 64;
	size_t first = 0, beyond = 0;

	while (n >> (64 - shift) > 4)
		shift--;
	for (size_t i = 0; i < n; i++) {
		if (i && hashes[i] == hashes[i - 1])
			fail_msg("%s: two keys have the hash %#llx", what,
				 (unsigned long long)hashes[i]);
		if (hashes[i] >> shift != hashes[first] >> shift)
			first = i;
		beyond += i - first >= XF_FW_BUCKET_REFS;
	}
	if (beyond > n / 10)
		fail_msg("%s: %zu of %zu are not in their bucket", what, beyond, n);
}

static void draw_seeds(__u64 seed[XF_FW_SEEDS])
{
	for (int i = 0; i < XF_FW_SEEDS; i++)
		seed[i] = draw64() | 1;
}

static void prefixes(void **test_state)
{
	static const struct {
		const char *name;
		void (*make)(uint64_t i);
	} sets[] = {
		{ "/128 that follow each other", follow_in_lower_word },
		{ "/64 that follow each other", follow_as_64s },
		{ "the same lower bits", same_lower_bits },
		{ "/96 that follow each other", follow_as_96s },
		{ "/48 and /128 of one /32", in_one_32 },
		{ "/32 to /128", any_length },
		{ "/32 beside longer ones", whole_32s_and_longer },
		{ "/1 to /32", short_ones },
		{ "equal halves", equal_halves },
	};
	__u64 seed[XF_FW_SEEDS];

	(void)test_state;
	for (size_t set = 0; set < sizeof(sets) / sizeof(*sets); set++) {
		keys_n = 0;
		for (uint64_t i = 0; i < PREFIXES; i++)
			sets[set].make(i);
		drop_equal_keys();
		for (int round = 0; round < SEEDS; round++) {
			draw_seeds(seed);
			for (size_t i = 0; i < keys_n; i++)
				hashes[i] = xf_fw_hash6(seed, keys[i].hi, keys[i].lo, keys[i].b,
							keys[i].level);
			qsort(hashes, keys_n, sizeof(*hashes), by_number);
			check_hashes(keys_n, sets[set].name);
		}
	}
}

/* Rules for a source and a protocol differ in upper bits only. */
static void tuples(void **test_state)
{
	__u64 seed[XF_FW_SEEDS];
	size_t n = 4 * PREFIXES / 3;

	(void)test_state;
	for (int round = 0; round < 4 * SEEDS; round++) {
		draw_seeds(seed);
		for (size_t i = 0; i < n; i++) {
			uint32_t source = i * 0x9e3779b1u;
			uint64_t space = 1 + i % 4;

			source ^= source >> 15; /* keeps all different, in no order */
			hashes[i] = xf_fw_hash_tuple4(
			    seed, (uint64_t)source << 32,
			    space << XF_FW_L4_SPACE | (i % 256) << XF_FW_L4_PROTO, 0);
		}
		qsort(hashes, n, sizeof(*hashes), by_number);
		check_hashes(n, "tuples");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes),
		cmocka_unit_test(tuples),
	};

	return cmocka_run_group_tests_name("fw_hash", tests, NULL, NULL);
}
