/* SPDX-License-Identifier: GPL-2.0-only */
/* What the fuzz targets share. In a header because each target is one file. */
#ifndef XF_FUZZ_H
#define XF_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sockmap/route/first_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What must hold, whatever the input is. */
#define must(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: must hold: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* In a heap block of exactly this size, so that the sanitizer sees a read behind it. */
static inline uint8_t *exactly(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len);

	must(copy);
	memcpy(copy, data, len);
	return copy;
}

/* Call @ask for prefixes of @data, the shortest first and @data itself last: for all of them when
 * it is short, else for as many. It gets what @arg is, and no prefix outlives its call. */
static inline void for_prefixes(const uint8_t *data, size_t len,
				void (*ask)(const uint8_t *data, size_t len, void *arg), void *arg)
{
	size_t step = 1 + len / 256;

	for (size_t n = len % step; n <= len; n += step) {
		uint8_t *copy = exactly(data, n);

		ask(copy, n, arg);
		free(copy);
	}
}

/* The answer so far: once it is not MORE it stays. */
struct answers {
	enum xf_first answer;
	bool known;
};

static inline void note_answer(struct answers *answers, enum xf_first answer)
{
	must(answer <= XF_FIRST_BAD);
	must(!answers->known || answer == answers->answer);
	answers->answer = answer;
	answers->known = answer != XF_FIRST_MORE;
}

/* A host name as rules are compared with. */
static inline void must_be_name(const char name[XF_NAME_MAX + 1])
{
	size_t len = strnlen(name, XF_NAME_MAX + 1);

	must(len > 0 && len <= XF_NAME_MAX);
	must(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == len);
	must(name[0] != '.' && name[len - 1] != '.' && !strstr(name, ".."));
}

#endif
