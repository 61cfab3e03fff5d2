// SPDX-License-Identifier: GPL-2.0-only
/* A string of bounded size under construction. */
#include "lib/strbuf.h"

#include <stdarg.h>
#include <stdio.h>

void xf_strbuf__add(struct xf_strbuf *text, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(text->at + text->len, text->size - text->len, fmt, args);
	va_end(args);
	if (len > 0)
		text->len += len;
	if (text->len >= text->size)
		text->len = text->size - 1;
}

void xf_strbuf__add_list(struct xf_strbuf *text, const char *const *list, const char *between,
			 const char *last)
{
	for (int i = 0; list[i]; i++)
		xf_strbuf__add(text, "%s%s", i == 0 ? "" : list[i + 1] ? between : last, list[i]);
}
