/* SPDX-License-Identifier: GPL-2.0-only */
/* The words of one line of the routes file, and error messages about them. */
#ifndef XF_ROUTES_WORDS_H
#define XF_ROUTES_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/msg.h"
#include "sockmap/route/routes.h"

/* A piece of the line. */
struct xf_word {
	const char *at; /* the end of the line when there is no word */
	size_t len;	/* 0: none */
};

struct xf_words {
	struct xf_routes_error *error;
	unsigned int line;
	const char *start, *at, *end; /* of the line; at: the first byte that was not read */
};

/* Take the next word; after the last one, and at a comment, it is empty. */
struct xf_word xf_words__next(struct xf_words *words);
bool xf_word_is(struct xf_word word, const char *text);
/* Copy the word, or the empty string when it does not fit. Returns @out. */
const char *xf_word_string(struct xf_word word, char *out, size_t size);

/* Write the word in quotes; control characters are escaped, and a long word is cut. Returns @out,
 * or "the end of the line" for an empty word. */
#define XF_WORD_QUOTED 96
const char *xf_word_quoted(const char *at, size_t len, char out[XF_WORD_QUOTED]);

/* Fill in *words->error for the place @at. Both return -EINVAL. */
int xf_words__fail(struct xf_words *words, const char *at, const char *fmt, ...) XF_PRINTF(3, 4);
int xf_words__expected(struct xf_words *words, struct xf_word found, const char *what);

#endif
