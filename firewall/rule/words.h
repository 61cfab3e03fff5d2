/* SPDX-License-Identifier: GPL-2.0-only */
/* Words that a parser did not expect, in its messages. */
#ifndef XF_RULE_WORDS_H
#define XF_RULE_WORDS_H

#include <stddef.h>

#define XF_QUOTED 48
/* A word that was not expected, in quotation marks; if it is empty, @missing. It is not
 * escaped: printing does that (lib/msg.h). Returns @out or @missing. */
const char *xf_rule_quote(const char *at, size_t len, const char *missing, char out[XF_QUOTED]);

#endif
