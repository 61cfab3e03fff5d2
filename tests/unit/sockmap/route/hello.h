/* SPDX-License-Identifier: GPL-2.0-only */
/* Helpers that put ClientHellos together from bytes, numbers and vectors. */
#ifndef XF_TEST_HELLO_H
#define XF_TEST_HELLO_H

#include <stddef.h>
#include <stdint.h>

#include "tests/unit/prefixes.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define HELLO_MAX 16384

struct bytes {
	uint8_t at[HELLO_MAX];
	size_t len;
};

void add(struct bytes *b, const void *data, size_t len);
void add_number(struct bytes *b, size_t width, size_t n);
void add_vector(struct bytes *b, size_t width, const void *data, size_t len);
void add_record(struct bytes *b, const void *data, size_t len);

/* The parsers, for ask_prefixes(). */
void ask_alpn(const uint8_t *data, size_t len, const void *arg, struct said *said);
void ask_sni(const uint8_t *data, size_t len, const void *arg, struct said *said);

#endif
