// SPDX-License-Identifier: GPL-2.0-only
/* Addresses and numbers to text, against the C library. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/addr.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* The buffer is exactly as large as the header promises, so that the sanitizer sees a write behind
 * it. */
static void check_ip4(const uint8_t addr[4])
{
	char *text = malloc(XF_IP4_TEXT), want[INET_ADDRSTRLEN];
	size_t len = xf_ip4_text(text, addr) - text;

	inet_ntop(AF_INET, addr, want, sizeof(want));
	if (len != strlen(want) || memcmp(text, want, len))
		fail_msg("\"%.*s\" instead of %s", (int)len, text, want);
	free(text);
}

static void check_ip6(const uint8_t addr[16])
{
	char *text = malloc(XF_IP6_TEXT), want[INET6_ADDRSTRLEN];
	size_t len = xf_ip6_text(text, addr) - text;

	inet_ntop(AF_INET6, addr, want, sizeof(want));
	if (len != strlen(want) || memcmp(text, want, len))
		fail_msg("\"%.*s\" instead of %s", (int)len, text, want);
	free(text);
}

static void test_ip4_each_octet(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		for (int n = 0; n < 256; n++) {
			uint8_t addr[4] = { 255, 255, 255, 255 };

			addr[i] = n;
			check_ip4(addr);
			memset(addr, 0, sizeof(addr));
			addr[i] = n;
			check_ip4(addr);
		}
	}
}

static void test_ip6_examples(void **state)
{
	static const char *const texts[] = {
		"::",
		"::1",
		"1::",
		"::2:0:0",
		"2001:db8::1",
		"2001:db8:0:1:1:1:1:1",
		"2001:0:0:1::1",
		"1:0:0:2:0:0:0:3",
		"1::2:0:0:3:4",
		"fe80::ff:fe00:1",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		"0:1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:0",
		"1:2:3:4:5:6::",
		"::1:2:3:4:5:6",
		"64:ff9b::192.0.2.33",
		"::192.0.2.1",
		"::0.1.0.0",
		"::ffff:192.0.2.1",
		"::ffff:255.255.255.255",
		"::ffff:0.0.0.0",
		"::fffe:1.2.3.4",
		"1::ffff:1.2.3.4",
		"0:0:0:1:0:0:0:0",
		"0:0:0:0:1::",
		"abcd:ef01:2345:6789:a:bc:def:1000",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		uint8_t addr[16];

		assert_int_equal(inet_pton(AF_INET6, texts[i], addr), 1);
		check_ip6(addr);
	}
}

/* Every pattern of zero groups, with groups of every length between them. */
static void test_ip6_zero_patterns(void **state)
{
	static const uint16_t values[] = {
		0x1, 0x10, 0x100, 0x1000, 0xffff, 0x0fff, 0x00f0, 0xf00f
	};

	(void)state;
	for (unsigned int zeros = 0; zeros < 256; zeros++) {
		for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
			uint8_t addr[16] = { 0 };

			for (int i = 0; i < 8; i++) {
				uint16_t value =
				    zeros & 1u << i ? 0 : values[(v + i) % ARRAY_SIZE(values)];

				addr[2 * i] = value >> 8;
				addr[2 * i + 1] = value & 0xff;
			}
			check_ip6(addr);
		}
	}
}

static void test_ip6_random(void **state)
{
	(void)state;
	srandom(1);
	for (int n = 0; n < 200000; n++) {
		uint8_t addr[16];

		for (int i = 0; i < 16; i++) {
			long r = random();

			addr[i] = r & 0x300 ? (r & 0x400 ? 0xff : 0) : r;
		}
		check_ip6(addr);
		check_ip4(addr + 12);
	}
}

static void test_mac(void **state)
{
	(void)state;
	for (int n = 0; n < 256; n++) {
		uint8_t addr[6] = { n, 0xff - n, n ^ 0x55, 0, n, n };
		char *text = malloc(XF_MAC_TEXT), want[XF_MAC_TEXT + 1];

		snprintf(want, sizeof(want), "%02x:%02x:%02x:%02x:%02x:%02x", addr[0], addr[1],
			 addr[2], addr[3], addr[4], addr[5]);
		assert_ptr_equal(xf_mac_text(text, addr), text + XF_MAC_TEXT);
		assert_memory_equal(text, want, XF_MAC_TEXT);
		free(text);
	}
}

static void check_number(uint64_t n)
{
	char text[32], want[32];

	*xf_u64_text(text, n) = '\0';
	snprintf(want, sizeof(want), "%" PRIu64, n);
	assert_string_equal(text, want);
}

static void test_numbers(void **state)
{
	(void)state;
	for (uint64_t n = 0; n < 70000; n++)
		check_number(n);
	for (uint64_t power = 1; power < UINT64_MAX / 10; power *= 10) {
		check_number(power - 1);
		check_number(power);
		check_number(power + 1);
	}
	check_number(UINT64_MAX);
}

static void test_padded(void **state)
{
	static const struct {
		uint32_t n;
		unsigned int digits;
		const char *want;
	} rows[] = {
		{ 0, 2, "00" },
		{ 7, 2, "07" },
		{ 59, 2, "59" },
		{ 2024, 4, "2024" },
		{ 42, 6, "000042" },
		{ 999999, 6, "999999" },
		{ 1, 9, "000000001" },
		{ 999999999, 9, "999999999" },
		{ 123456789, 9, "123456789" },
		{ 5, 1, "5" },
		{ 4294967295, 10, "4294967295" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[32];

		*xf_padded_text(text, rows[i].n, rows[i].digits) = '\0';
		assert_string_equal(text, rows[i].want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ip4_each_octet),
		cmocka_unit_test(test_ip6_examples),
		cmocka_unit_test(test_ip6_zero_patterns),
		cmocka_unit_test(test_ip6_random),
		cmocka_unit_test(test_mac),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_padded),
	};

	return cmocka_run_group_tests_name("addr", tests, NULL, NULL);
}
