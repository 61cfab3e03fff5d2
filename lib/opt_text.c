// SPDX-License-Identifier: GPL-2.0-only
/* Building the text of --help and of messages about options. */
#include "lib/opt_impl.h"

#include <stdarg.h>

void xf_opt_add(struct xf_opt_text *text, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(text->at + text->len, sizeof(text->at) - text->len, fmt, args);
	va_end(args);
	if (len > 0)
		text->len += len;
	if (text->len >= sizeof(text->at))
		text->len = sizeof(text->at) - 1;
}

void xf_opt_add_names(struct xf_opt_text *text, const char *const *names, const char *between,
		      const char *last)
{
	for (int i = 0; names[i]; i++)
		xf_opt_add(text, "%s%s", i == 0 ? "" : names[i + 1] ? between : last, names[i]);
}

bool xf_opt_takes_value(const struct xf_opt *opt)
{
	return opt->type != XF_OPT_FLAG && opt->type != XF_OPT_COUNT && opt->type != XF_OPT_IGNORED;
}
