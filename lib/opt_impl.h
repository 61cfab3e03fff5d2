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

#endif
