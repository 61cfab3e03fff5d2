// SPDX-License-Identifier: GPL-2.0-only
/* The server name and the protocols of the ClientHellos of real TLS stacks (fixtures/README says
 * which), whole, cut anywhere and spread over records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/sockmap/route/hello.h"

static const struct {
	const char *file;
	const char *name; /* NULL: it has none */
	const char *alpn; /* the same */
} fixtures[] = {
	{ "openssl-3.0.bin", "www.example.org", NULL },
	{ "openssl-3.0-tls12.bin", "www.example.org", NULL },
	{ "openssl-3.0-nosni.bin", NULL, NULL },
	{ "openssl-3.5-pq.bin", "pq.example.org", NULL },
	{ "openssl-3.5-mlkem1024.bin", "big.example.org", NULL },
	{ "gnutls-3.8.bin", "gnutls.example.org", NULL },
	{ "nss-3.110.bin", "nss.example.org", NULL },
	{ "go-1.24.bin", "go.example.org", "h2" },
	{ "java-17.bin", "java.example.org", NULL },
	{ "curl-7.88-h2.bin", "www.example.com", "h2,http/1.1" },
	{ "python-3.11.bin", "python.example.org", "h2,http/1.1" },
	{ "chromium-156.bin", "chromium.example.org", "h2,http/1.1" },
	{ "firefox-153.bin", "firefox.example.org", "h2,http/1.1" },
};

static void load(const char *name, struct bytes *b)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "tests/unit/fixtures/%s", name);
	file = fopen(path, "rb");
	if (!file)
		fail_msg("cannot open %s: run it in the top folder", path);
	b->len = fread(b->at, 1, sizeof(b->at), file);
	fclose(file);
}

static void check(const char *what, const struct bytes *b, ask_fn ask, const char *want)
{
	size_t needed;
	struct said said = ask_prefixes(what, ask, b->at, b->len, NULL, &needed);

	assert_int_equal(said.answer, want ? XF_FIRST_YES : XF_FIRST_NO);
	assert_string_equal(said.name, want ? want : "");
	/* The answer needs the whole message. */
	assert_int_equal(needed, b->len);
}

static void test_real(void **state)
{
	struct bytes b;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fixtures); i++) {
		load(fixtures[i].file, &b);
		check(fixtures[i].file, &b, ask_sni, fixtures[i].name);
		check(fixtures[i].file, &b, ask_alpn, fixtures[i].alpn);
	}
}

/* Bytes behind the ClientHello do not change the answer. */
static void test_real_and_more(void **state)
{
	struct bytes b;
	struct said said;
	size_t needed;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fixtures); i++) {
		load(fixtures[i].file, &b);
		add(&b, "\x14\x03\x03\0\1\1\x17\x03\x03\xff\xff", 11);
		said = ask_prefixes(fixtures[i].file, ask_sni, b.at, b.len, NULL, &needed);
		assert_int_equal(said.answer, fixtures[i].name ? XF_FIRST_YES : XF_FIRST_NO);
		assert_int_equal(needed, b.len - 11);
	}
}

/* Copy the handshake bytes of @from to records of random sizes up to @most. */
static void fragment(const struct bytes *from, size_t most, struct bytes *to)
{
	struct bytes message = { .len = 0 };
	size_t at = 0, part;

	while (at < from->len) {
		part = from->at[at + 3] << 8 | from->at[at + 4];
		add(&message, from->at + at + 5, part);
		at += 5 + part;
	}
	to->len = 0;
	for (at = 0; at < message.len; at += part) {
		part = 1 + rand() % most;
		if (part > message.len - at)
			part = message.len - at;
		add_record(to, message.at + at, part);
	}
}

static void test_fragmented(void **state)
{
	static const size_t most[] = { 1, 7, 200, 1400 };
	struct bytes whole, b;

	(void)state;
	srand(1);
	for (size_t i = 0; i < ARRAY_SIZE(fixtures); i++) {
		load(fixtures[i].file, &whole);
		for (size_t j = 0; j < ARRAY_SIZE(most); j++) {
			/* In records of one byte each byte becomes six. */
			if (whole.len * 6 / most[j] > sizeof(b.at))
				continue;
			fragment(&whole, most[j], &b);
			check(fixtures[i].file, &b, ask_sni, fixtures[i].name);
		}
	}
}

/* A broken copy of a real one may get any answer, but the same one at each length. */
static void test_real_broken(void **state)
{
	struct bytes whole, b;
	size_t needed;

	(void)state;
	srand(2);
	for (size_t i = 0; i < ARRAY_SIZE(fixtures); i++) {
		load(fixtures[i].file, &whole);
		for (int round = 0; round < 4; round++) {
			b = whole;
			for (int n = 1 + rand() % 3; n; n--)
				b.at[rand() % (round % 2 ? b.len : 120)] =
				    rand() % 3 ? rand() : 0xff;
			ask_prefixes(fixtures[i].file, ask_sni, b.at, b.len, NULL, &needed);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real),
		cmocka_unit_test(test_real_and_more),
		cmocka_unit_test(test_fragmented),
		cmocka_unit_test(test_real_broken),
	};

	return cmocka_run_group_tests_name("first_tls", tests, NULL, NULL);
}
