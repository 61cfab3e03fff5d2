/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the files that implement opt.h. */
#ifndef XF_OPT_IMPL_H
#define XF_OPT_IMPL_H

#include "lib/msg.h"
#include "lib/opt.h"

/* A bounded string under construction; text that does not fit is cut off. */
struct xf_opt_text {
	char at[512];
	size_t len;
};

void xf_opt_add(struct xf_opt_text *text, const char *fmt, ...) XF_PRINTF(2, 3);
/* Append the names with @between between them, and @last before the last one. */
void xf_opt_add_names(struct xf_opt_text *text, const char *const *names, const char *between,
		      const char *last);

bool xf_opt_takes_value(const struct xf_opt *opt);

#endif
