/* SPDX-License-Identifier: GPL-2.0-only */
/* Ask a parser of the first packet for every prefix of a client's bytes, each in a heap block of
 * exactly its size, so that the sanitizer sees a read behind it. */
#ifndef XF_TEST_PREFIXES_H
#define XF_TEST_PREFIXES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sockmap/route/first_packet.h"

/* The answer of a parser; fields that it does not use are zero. */
struct said {
	enum xf_first answer;
	char name[XF_NAME_MAX + 1];
	struct xf_proxy proxy;
	size_t skip;
};

typedef void (*ask_fn)(const uint8_t *data, size_t len, const void *arg, struct said *said);

static inline void ask_exactly(ask_fn ask, const uint8_t *data, size_t len, const void *arg,
			       struct said *said)
{
	uint8_t *copy = calloc(len, 1);

	memset(said, 0, sizeof(*said));
	memcpy(copy, data, len);
	ask(copy, len, arg, said);
	free(copy);
}

/* Returns the answer to all of @data. Fails when a prefix has another answer than this one or MORE.
 * *@needed is the length of the shortest prefix with this answer. */
static inline struct said ask_prefixes(const char *what, ask_fn ask, const uint8_t *data,
				       size_t len, const void *arg, size_t *needed)
{
	struct said all, some;
	size_t more = 0;

	ask_exactly(ask, data, len, arg, &all);
	*needed = len;
	for (size_t n = 0; n < len; n++) {
		ask_exactly(ask, data, n, arg, &some);
		if (some.answer == XF_FIRST_MORE) {
			if (*needed < n)
				fail_msg("%s: MORE at %zu bytes, but an answer at %zu", what, n,
					 *needed);
			more++;
			continue;
		}
		if (*needed > n)
			*needed = n;
		if (memcmp(&some, &all, sizeof(all)))
			fail_msg("%s: %d at %zu bytes, %d at %zu", what, some.answer, n, all.answer,
				 len);
	}
	if (all.answer == XF_FIRST_MORE && more != len)
		fail_msg("%s: MORE at the end", what);
	return all;
}

#endif
