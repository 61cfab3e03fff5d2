/* SPDX-License-Identifier: GPL-2.0-only */
/* Ask a parser of the first packet for every prefix of what a client sends, each in a heap block of
 * exactly its size so that the sanitizer sees a read behind it. In a header because each test is
 * one file. */
#ifndef XF_TEST_PREFIXES_H
#define XF_TEST_PREFIXES_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sockmap/route/first_packet.h"

/* Everything that a parser may say; what it does not use stays zero. */
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

/* The answer to all of @data. For each prefix it must be the same one, or MORE. *@needed is the
 * length of the shortest prefix with that answer. */
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
