/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the files that implement opt.h. */
#ifndef XF_OPT_IMPL_H
#define XF_OPT_IMPL_H

#include "lib/opt.h"

#define XF_OPT_TEXT 512 /* bytes of a part of a message or of --help */

static inline bool xf_opt_takes_value(const struct xf_opt *opt)
{
	return opt->type != XF_OPT_FLAG && opt->type != XF_OPT_COUNT && opt->type != XF_OPT_IGNORED;
}

/* The largest value that the option accepts. */
static inline uint64_t xf_opt_max(const struct xf_opt *opt)
{
	if (opt->max)
		return opt->max;
	return opt->type == XF_OPT_U32 ? UINT32_MAX : UINT64_MAX;
}

struct xf_strbuf;
/* Append the values that the option accepts, as in "a whole number from 1 to 65535". */
void xf_opt_add_expected(struct xf_strbuf *text, const struct xf_opt *opt);

#endif
