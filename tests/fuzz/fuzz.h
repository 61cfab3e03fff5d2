/* SPDX-License-Identifier: GPL-2.0-only */
/* Helpers of the fuzz targets, in a header because each target is one file. */
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

/* A condition that holds for every input. */
#define must(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: must hold: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* Copy the data to a heap block of exactly its size, so that the sanitizer sees a read behind it.
 */
static inline uint8_t *exactly(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len);

	must(copy);
	memcpy(copy, data, len);
	return copy;
}

/* Call @ask with @arg for prefixes of @data, the shortest first and @data itself last: all prefixes
 * of short data, else as many. No prefix outlives its call. */
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

/* The answer so far. An answer other than MORE stays. */
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

/* Fails when @name is no host name in the form that rules are compared with. */
static inline void must_be_name(const char name[XF_NAME_MAX + 1])
{
	size_t len = strnlen(name, XF_NAME_MAX + 1);

	must(len > 0 && len <= XF_NAME_MAX);
	must(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == len);
	must(name[0] != '.' && name[len - 1] != '.' && !strstr(name, ".."));
}

#endif
