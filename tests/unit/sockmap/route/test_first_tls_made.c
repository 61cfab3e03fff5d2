// SPDX-License-Identifier: GPL-2.0-only
/* The server name and protocols of ClientHellos that the test makes with one fault each, and of
 * noise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/sockmap/route/hello.h"

/* Make a ClientHello with these extensions, or without the field when @extensions is NULL. */
static void make_hello(struct bytes *b, const struct bytes *extensions, size_t extra)
{
	struct bytes body = { .len = 0 }, message = { .len = 0 };
	static const uint8_t random[32];

	add(&body, "\x03\x03", 2);
	add(&body, random, sizeof(random));
	add_vector(&body, 1, random, 32);
	add_vector(&body, 2, "\x13\x01\x13\x02", 4);
	add_vector(&body, 1, "", 1);
	if (extensions)
		add_vector(&body, 2, extensions->at, extensions->len);
	add(&body, random, extra);
	add_number(&message, 1, 1);
	add_vector(&message, 3, body.at, body.len);
	b->len = 0;
	add_record(b, message.at, message.len);
}

static void add_server_name(struct bytes *extensions, const void *list, size_t len)
{
	add_number(extensions, 2, 0);
	add_number(extensions, 2, len + 2);
	add_vector(extensions, 2, list, len);
}

/* Add an extension with one name of type host_name. */
static void add_host(struct bytes *extensions, const void *name, size_t len)
{
	struct bytes list = { .len = 0 };

	add_number(&list, 1, 0);
	add_vector(&list, 2, name, len);
	add_server_name(extensions, list.at, list.len);
}

static const char BAD[] = ""; /* a name, for hellos that can be read in two ways */

static void expect(const char *what, const struct bytes *b, const char *name)
{
	enum xf_first answer = XF_FIRST_NO;
	size_t needed;
	struct said said = ask_prefixes(what, ask_sni, b->at, b->len, NULL, &needed);

	if (name)
		answer = name == BAD ? XF_FIRST_BAD : XF_FIRST_YES;
	if (said.answer != answer)
		fail_msg("%s: %d", what, said.answer);
	assert_string_equal(said.name, name ? name : "");
}

static void expect_host(const char *what, const void *host, size_t len, const char *name)
{
	struct bytes extensions = { .len = 0 }, b;

	add_host(&extensions, host, len);
	make_hello(&b, &extensions, 0);
	expect(what, &b, name);
}

#define NAME(s) s, sizeof(s) - 1

static void test_names(void **state)
{
	char name[300], want[300];

	(void)state;
	expect_host("a name", NAME("example.org"), "example.org");
	expect_host("one label", NAME("a"), "a");
	expect_host("capitals", NAME("WwW.eXaMpLe.ORG"), "www.example.org");
	expect_host("a final dot", NAME("example.org."), "example.org");
	expect_host("digits, - and _", NAME("_0-9.xn--e1afmkfd.com"), "_0-9.xn--e1afmkfd.com");
	expect_host("empty", NAME(""), BAD);
	expect_host("a dot", NAME("."), BAD);
	expect_host("two final dots", NAME("example.org.."), BAD);
	expect_host("a dot in front", NAME(".example.org"), BAD);
	expect_host("an empty label", NAME("www..example.org"), BAD);
	expect_host("NUL inside", NAME("good.example\0.evil.org"), BAD);
	expect_host("NUL behind", NAME("example.org\0"), BAD);
	expect_host("space", NAME("example .org"), BAD);
	expect_host("line feed", NAME("example.org\n"), BAD);
	expect_host("not ASCII",
		    NAME("b\xc3\xbc"
			 "cher.example"),
		    BAD);
	expect_host("wild card", NAME("*.example.org"), BAD);
	expect_host("slash", NAME("example.org/"), BAD);
	expect_host("IPv6", NAME("2001:db8::1"), NULL);
	expect_host("IPv6 and NUL", NAME("2001:db8::1\0"), BAD);
	expect_host("IPv6 with a zone", NAME("fe80::1%1"), BAD);
	memset(name, 'A', sizeof(name));
	memset(want, 'a', sizeof(want));
	want[255] = '\0';
	expect_host("255 bytes", name, 255, want);
	expect_host("256 bytes", name, 256, BAD);
	expect_host("300 bytes", name, 300, BAD);
	name[255] = '.';
	expect_host("255 bytes and a dot", name, 256, want);
	name[256] = '.';
	expect_host("255 bytes and two dots", name, 257, BAD);
}

static void test_extensions(void **state)
{
	struct bytes e = { .len = 0 }, list = { .len = 0 }, b;

	(void)state;
	make_hello(&b, NULL, 0);
	expect("no extensions", &b, NULL);
	make_hello(&b, &e, 0);
	expect("an empty list of extensions", &b, NULL);
	add(&e, "\0\x17\0\0", 4);
	make_hello(&b, &e, 0);
	expect("another extension", &b, NULL);
	add_host(&e, NAME("example.org"));
	add(&e, "\xff\xff\0\3abc", 7);
	make_hello(&b, &e, 0);
	expect("between others", &b, "example.org");
	make_hello(&b, &e, 1);
	expect("a byte behind the extensions", &b, BAD);
	add_host(&e, NAME("example.net"));
	make_hello(&b, &e, 0);
	expect("two server_name extensions", &b, BAD);

	e.len = 0;
	add_number(&e, 2, 0);
	add_vector(&e, 2, "", 0);
	make_hello(&b, &e, 0);
	expect("an empty server_name", &b, BAD);
	e.len = 0;
	add_server_name(&e, "", 0);
	make_hello(&b, &e, 0);
	expect("an empty list of names", &b, BAD);

	e.len = 0;
	add(&list, "\1\0\3xyz\0\0\1a", 10);
	add_server_name(&e, list.at, list.len);
	make_hello(&b, &e, 0);
	expect("behind a name of another type", &b, BAD);
	e.len = 0;
	add_server_name(&e, list.at, 6);
	make_hello(&b, &e, 0);
	expect("only a name of another type", &b, BAD);
	add_host(&e, NAME("a"));
	make_hello(&b, &e, 0);
	expect("two server_name extensions, one without a host", &b, BAD);
	e.len = 0;
	add_number(&e, 2, 0);
	add_vector(&e, 2, "\0\4\0\0\1ax", 7);
	make_hello(&b, &e, 0);
	expect("a byte behind the list of names", &b, BAD);
	e.len = 0;
	list.len = 0;
	add(&list, "\0\0\1a\0\0\1b", 8);
	add_server_name(&e, list.at, list.len);
	make_hello(&b, &e, 0);
	expect("two names", &b, BAD);
	e.len = 0;
	add(&e, "\0\0\0\x0b\0\x09\0\0\1a\1\0\2yz", 15);
	make_hello(&b, &e, 0);
	expect("in front of a name of another type", &b, BAD);
}

/* Each length field is one too large, one too small, and as large as it can be. */
static void test_lengths(void **state)
{
	static const struct {
		const char *what;
		size_t at, width;
	} lengths[] = {
		{ "message", 6, 3 },	    { "session id", 43, 1 },
		{ "cipher suites", 76, 2 }, { "compression", 82, 1 },
		{ "extensions", 84, 2 },    { "another extension", 88, 2 },
		{ "server_name", 93, 2 },   { "list of names", 95, 2 },
		{ "name", 98, 2 },
	};
	struct bytes e = { .len = 0 }, whole, b;
	size_t needed;
	struct said said;

	(void)state;
	add(&e, "\0\x17\0\1x", 5);
	add_host(&e, NAME("example.org"));
	make_hello(&whole, &e, 0);
	expect("the whole", &whole, "example.org");
	assert_memory_equal(whole.at + 100, "example.org", 11);
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		uint8_t *last = b.at + lengths[i].at + lengths[i].width - 1;

		for (int change = -1; change <= 1; change += 2) {
			b = whole;
			*last += change;
			said = ask_prefixes(lengths[i].what, ask_sni, b.at, b.len, NULL, &needed);
			/* A longer message may go on in another record, but its extensions then do
			 * not fill it. */
			if (said.answer != XF_FIRST_BAD)
				fail_msg("%s %+d: %d", lengths[i].what, change, said.answer);
		}
		b = whole;
		memset(b.at + lengths[i].at, 0xff, lengths[i].width);
		said = ask_prefixes(lengths[i].what, ask_sni, b.at, b.len, NULL, &needed);
		if (said.answer != XF_FIRST_BAD)
			fail_msg("%s at its largest: %d", lengths[i].what, said.answer);
	}
}

static void test_records(void **state)
{
	struct bytes e = { .len = 0 }, whole, b;

	(void)state;
	add_host(&e, NAME("example.org"));
	make_hello(&whole, &e, 0);

	b = whole;
	b.at[1] = 2;
	expect("SSL 2", &b, NULL);
	b = whole;
	b.at[2] = 4;
	expect("a minor version of the future", &b, "example.org");
	b = whole;
	b.at[0] = 0x17;
	expect("application data", &b, NULL);
	b = whole;
	b.at[5] = 2;
	expect("a ServerHello", &b, BAD);
	b = whole;
	b.at[3] = 0x40;
	b.at[4] = 1;
	expect("a record larger than allowed", &b, BAD);
	b.len = 0;
	add_record(&b, "", 0);
	add(&b, whole.at, whole.len);
	expect("an empty record", &b, BAD);
	b.len = 0;
	add_record(&b, whole.at + 5, 20);
	add(&b, "\x15\x03\x03\0\2\1\0", 7);
	add_record(&b, whole.at + 25, whole.len - 25);
	expect("an alert in the middle", &b, BAD);
	b.len = 0;
	add(&b, "\x15\x03\x03\0\2\1\0", 7);
	add(&b, whole.at, whole.len);
	expect("an alert in front", &b, BAD);
	b.len = 0;
	add(&b, "\x14\x03\x03\0\1\1", 6);
	add(&b, whole.at, whole.len);
	expect("a change of ciphers in front", &b, BAD);
	b.len = 0;
	add(&b, "\x16\x03\x01\0\4\0\0\0\0", 9);
	add(&b, whole.at, whole.len);
	expect("a HelloRequest in front", &b, BAD);
	b.len = 0;
	add(&b, "GET / HTTP/1.1\r\n", 16);
	expect("HTTP", &b, NULL);
	b.len = 0;
	add(&b, "\x80\x2e\1\0\2", 5);
	expect("SSL 2 ClientHello", &b, NULL);
}

/* Lists of protocols, with and without a fault. */
static void test_protocols(void **state)
{
	static const struct {
		const char *what, *list;
		size_t len;
		const char *names; /* NULL: BAD */
	} lists[] = {
		{ "one", NAME("\0\3\2h2"), "h2" },
		{ "two", NAME("\0\x0c\2h2\x08http/1.1"), "h2,http/1.1" },
		{ "bytes that no rule names", NAME("\0\x09\4\x0a,\"?\3a\0b"), "????,a?b" },
		{ "an empty list", NAME("\0\0"), NULL },
		{ "an empty name", NAME("\0\4\0\2h2"), NULL },
		{ "a name that is too long", NAME("\0\3\3h2"), NULL },
		{ "a list that is too long", NAME("\0\4\2h2"), NULL },
		{ "a list that is too short", NAME("\0\2\2h2"), NULL },
		{ "nothing", NAME(""), NULL },
	};
	struct bytes e = { .len = 0 }, b;
	char many[300], want[300];
	struct said said;
	size_t needed;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		e.len = 0;
		add_host(&e, NAME("example.org"));
		add_number(&e, 2, 16);
		add_vector(&e, 2, lists[i].list, lists[i].len);
		make_hello(&b, &e, 0);
		said = ask_prefixes(lists[i].what, ask_alpn, b.at, b.len, NULL, &needed);
		if (said.answer != (lists[i].names ? XF_FIRST_YES : XF_FIRST_BAD))
			fail_msg("%s: %d", lists[i].what, said.answer);
		assert_string_equal(said.name, lists[i].names ?: "");
		/* The server name does not depend on it. */
		expect(lists[i].what, &b, "example.org");
	}
	for (size_t n = 254; n <= 256; n++) {
		memset(many, 'x', sizeof(many));
		many[0] = n >> 8;
		many[1] = n;
		many[2] = n - 1;
		e.len = 0;
		add_number(&e, 2, 16);
		add_vector(&e, 2, many, n + 2);
		make_hello(&b, &e, 0);
		said = ask_prefixes("a long name", ask_alpn, b.at, b.len, NULL, &needed);
		assert_int_equal(said.answer, n > 255 ? XF_FIRST_BAD : XF_FIRST_YES);
		memset(want, 'x', sizeof(want));
		want[n > 255 ? 0 : n - 1] = '\0';
		assert_string_equal(said.name, want);
	}
	e.len = 0;
	add(&e, "\0\x10\0\5\0\3\2h2\0\x10\0\5\0\3\2h2", 18);
	make_hello(&b, &e, 0);
	said = ask_prefixes("two lists", ask_alpn, b.at, b.len, NULL, &needed);
	assert_int_equal(said.answer, XF_FIRST_BAD);
}

/* Noise behind more and more valid bytes. */
static void test_noise(void **state)
{
	struct bytes b;
	size_t needed;

	(void)state;
	srand(3);
	for (int round = 0; round < 300; round++) {
		b.len = 1 + rand() % 200;
		for (size_t i = 0; i < b.len; i++)
			b.at[i] = rand() % 4 ? rand() % 4 : rand();
		memcpy(b.at, "\x16\x03\1\0", round % 4 + 1);
		ask_prefixes("noise", ask_sni, b.at, b.len, NULL, &needed);
		ask_prefixes("noise", ask_alpn, b.at, b.len, NULL, &needed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),	cmocka_unit_test(test_extensions),
		cmocka_unit_test(test_lengths), cmocka_unit_test(test_records),
		cmocka_unit_test(test_noise),	cmocka_unit_test(test_protocols),
	};

	return cmocka_run_group_tests_name("first_tls_made", tests, NULL, NULL);
}
