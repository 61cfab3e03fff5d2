/* SPDX-License-Identifier: GPL-2.0-only */
/* The words and elements of a list, for the files that implement plain.h. */
#ifndef XF_RULE_PLAIN_IMPL_H
#define XF_RULE_PLAIN_IMPL_H

#include "firewall/rule/plain.h"

/* A word, a text in quotation marks, or one of { } , = and ; */
struct xf_token {
	const char *at;
	size_t len; /* 0: the line ends here, or a comment begins */
};

struct xf_token xf_token_peek(const struct xf_plain *plain);
struct xf_token xf_token_next(struct xf_plain *plain);
bool xf_token_is(struct xf_token token, const char *word);
/* One of { } , = and ; */
bool xf_token_is_mark(struct xf_token token);

/* Set *error: at this place, or what was expected instead of the token. They return -EINVAL. */
__attribute__((format(printf, 4, 5))) int xf_plain__fail(const struct xf_plain *plain,
							 struct xf_rule_error *error,
							 const char *at, const char *fmt, ...);
int xf_plain__unexpected(const struct xf_plain *plain, struct xf_token token, const char *expected,
			 struct xf_rule_error *error);

/* An address, a prefix or a range that begins with @token, to plain->range. Returns 0 or -EINVAL.
 */
int xf_plain__address(struct xf_plain *plain, struct xf_token token, struct xf_rule_error *error);
/* The same with what ipset and nft say of an element. */
int xf_plain__element(struct xf_plain *plain, struct xf_token token, struct xf_rule_error *error);

/* The value of a timeout, in seconds; 0: none. Returns 0 or -EINVAL. */
int xf_plain__time(struct xf_plain *plain, uint32_t *seconds, struct xf_rule_error *error);

#endif
