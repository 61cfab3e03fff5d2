// SPDX-License-Identifier: GPL-2.0-only
/* The known word that an unknown one resembles. */
#include <string.h>

#include "lib/opt.h"

#define WORD_MAX 40 /* a longer word is no typo of an option */

/* Edit distance where two swapped neighbours count as one edit. @b is shorter than WORD_MAX. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int row[3][WORD_MAX + 1];
	unsigned int *before = row[0], *last = row[1], *now = row[2], *spare;
	size_t len = strlen(b);

	for (size_t j = 0; j <= len; j++)
		last[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		now[0] = i;
		for (size_t j = 1; j <= len; j++) {
			unsigned int best = last[j - 1] + (a[i - 1] != b[j - 1]);

			if (last[j] + 1 < best)
				best = last[j] + 1;
			if (now[j - 1] + 1 < best)
				best = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			now[j] = best;
		}
		spare = before;
		before = last;
		last = now;
		now = spare;
	}
	return last[len];
}

/* Replace *@nearest, whose distance is *@best, by @name if that is nearer. */
static void consider(const char *word, const char *name, const char **nearest, unsigned int *best)
{
	unsigned int d;

	if (!name || strlen(word) >= WORD_MAX || strlen(name) >= WORD_MAX)
		return;
	d = distance(word, name);
	if (d < *best) {
		*best = d;
		*nearest = name;
	}
}

/* Returns the smallest distance that is not near enough. */
static unsigned int too_far(const char *word)
{
	size_t len = strlen(word);

	return len == 0 ? 0 : len < 6 ? 2 : len / 3 + 1;
}

const char *xf_nearest(const char *word, const char *const *names)
{
	unsigned int best = too_far(word);
	const char *nearest = NULL;

	for (; *names; names++)
		consider(word, *names, &nearest, &best);
	return nearest;
}
