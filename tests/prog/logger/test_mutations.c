// SPDX-License-Identifier: GPL-2.0-only
/* Packets that are damaged at random pass, and have the record of the reference parser. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "tests/prog/logger/fixture.h"
#include "tests/prog/logger/ref_parse.h"

#define MUTATIONS 20000
#define SMALLEST 14    /* the kernel refuses shorter packets in a test run */
#define MAX_BYTES 3000 /* and packets above a page without its headroom */
#define MAX_STEPS 6

/* xorshift64, so that a seed gives the same packets on every machine. */
static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static size_t below(uint64_t *seed, size_t limit)
{
	return next_random(seed) % limit;
}

/* Returns a random position, mostly in the headers. */
static size_t any_place(uint64_t *seed, size_t len)
{
	return below(seed, len > 80 && below(seed, 4) ? 80 : len);
}

/* Returns a value that has a meaning in some header: a protocol number, a length, version and IHL.
 */
static uint8_t telling_byte(uint64_t *seed)
{
	static const uint8_t values[] = { 0,  1,  2,  6,  8,   17,  43,	 44,  50,  51,	58,   59,
					  60, 69, 96, 81, 129, 132, 135, 136, 139, 140, 0xa8, 255 };

	return values[below(seed, sizeof(values))];
}

static size_t mutate_once(uint64_t *seed, uint8_t *bytes, size_t len)
{
	size_t to;

	switch (below(seed, 8)) {
	case 0:
	case 1:
		bytes[any_place(seed, len)] ^= 1 << below(seed, 8);
		return len;
	case 2:
		bytes[any_place(seed, len)] = next_random(seed);
		return len;
	case 3:
	case 4:
	case 5:
		bytes[any_place(seed, len)] = telling_byte(seed);
		return len;
	case 6:
		return SMALLEST + below(seed, len - SMALLEST + 1);
	default:
		to = len + below(seed, 300);
		if (to > MAX_BYTES)
			to = MAX_BYTES;
		for (; len < to; len++)
			bytes[len] = next_random(seed);
		return len;
	}
}

/* Returns the number in an environment variable, @otherwise when it is not set, and 0 when it is no
 * number. */
static uint64_t number_from_env(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);
	uint64_t number;
	char *end;

	if (!text)
		return otherwise;
	if (*text < '0' || *text > '9')
		return 0;
	errno = 0;
	number = strtoull(text, &end, 0);
	return errno || *end ? 0 : number;
}

/* Returns a random seed. xorshift cannot use 0. */
static uint64_t any_seed(void)
{
	uint64_t seed;

	return getrandom(&seed, sizeof(seed), 0) == sizeof(seed) && seed ? seed : 1;
}

static void record_is_the_reference_parsers(void **state)
{
	struct xf_fixture *fix = *state;
	uint64_t seed = number_from_env("XDPFUN_SEED", any_seed());
	uint64_t mutations = number_from_env("XDPFUN_MUTATIONS", MUTATIONS);
	uint8_t bytes[MAX_BYTES];
	char name[128];

	assert_true(seed != 0 && mutations != 0);
	print_message("# to repeat: XDPFUN_SEED=%#" PRIx64 "\n", seed);
	for (uint64_t i = 0; i < mutations; i++) {
		const struct xf_packet *packet = &fix->packets.list[below(&seed, fix->packets.n)];
		size_t len = packet->len;
		struct xf_record rec, ref;

		memcpy(bytes, packet->bytes, len);
		for (size_t steps = 1 + below(&seed, MAX_STEPS); steps > 0; steps--)
			len = mutate_once(&seed, bytes, len);
		snprintf(name, sizeof(name), "mutation %" PRIu64 ", of '%s'", i, packet->name);
		xf_ref_parse(bytes, len, &ref);
		if (xf_fixture_run(fix, name, bytes, len, &rec))
			xf_fixture_compare(fix, name, bytes, &ref, &rec);
	}
	assert_int_equal(fix->bad, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(record_is_the_reference_parsers),
	};
	const char *why = xf_harness_refusal();

	if (why)
		return xf_skip_all(why);
	return cmocka_run_group_tests(tests, xf_fixture_set_up, xf_fixture_tear_down);
}
