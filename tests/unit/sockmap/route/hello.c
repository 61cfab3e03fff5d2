// SPDX-License-Identifier: GPL-2.0-only
/* ClientHellos, put together from bytes, numbers and vectors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/sockmap/route/hello.h"

void ask_sni(const uint8_t *data, size_t len, const void *arg, struct said *said)
{
	(void)arg;
	said->answer = xf_first_sni(data, len, said->name);
	assert_non_null(memchr(said->name, '\0', sizeof(said->name)));
	if (said->answer != XF_FIRST_YES)
		assert_string_equal(said->name, "");
}

void ask_alpn(const uint8_t *data, size_t len, const void *arg, struct said *said)
{
	(void)arg;
	said->answer = xf_first_alpn(data, len, said->name);
	assert_non_null(memchr(said->name, '\0', sizeof(said->name)));
	if (said->answer != XF_FIRST_YES)
		assert_string_equal(said->name, "");
}

void add(struct bytes *b, const void *data, size_t len)
{
	assert_true(b->len + len <= sizeof(b->at));
	memcpy(b->at + b->len, data, len);
	b->len += len;
}

void add_number(struct bytes *b, size_t width, size_t n)
{
	while (width--) {
		uint8_t byte = n >> 8 * width;

		add(b, &byte, 1);
	}
}

void add_vector(struct bytes *b, size_t width, const void *data, size_t len)
{
	add_number(b, width, len);
	add(b, data, len);
}

void add_record(struct bytes *b, const void *data, size_t len)
{
	add(b, "\x16\x03\x01", 3);
	add_vector(b, 2, data, len);
}
