/* SPDX-License-Identifier: GPL-2.0-only */
/* A string of bounded size under construction. Text that does not fit is cut off. */
#ifndef XF_STRBUF_H
#define XF_STRBUF_H

#include <stddef.h>

#include "lib/msg.h"

struct xf_strbuf {
	char *at; /* always ends with a NUL */
	size_t size, len;
};

/* An empty text with room for @bytes, its NUL included, in the enclosing block. */
#define XF_STRBUF(bytes) ((struct xf_strbuf) { .at = (char[bytes]) { "" }, .size = (bytes) })

/* Append to @text, as printf() would print. */
void xf_strbuf__add(struct xf_strbuf *text, const char *fmt, ...) XF_PRINTF(2, 3);
/* Append the strings of the NULL-terminated list with @between between them, and @last before the
 * last one. */
void xf_strbuf__add_list(struct xf_strbuf *text, const char *const *list, const char *between,
			 const char *last);

#endif
