/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the parsers of the first packet and of the routes file. */
#ifndef XF_FIRST_IMPL_H
#define XF_FIRST_IMPL_H

#include "sockmap/route/first_packet.h"

/* Write the host name in the @len bytes at @data to @name: in lower case, without a final dot,
 * NUL-terminated. It has letters, digits, '-', '_' and dots between labels that are not empty.
 * False: it is no host name. */
bool xf_first_name(const uint8_t *data, size_t len, char name[XF_NAME_MAX + 1]);

/* Whether the name of a protocol in a rule may have this byte. */
static inline bool xf_first_alpn_char(char c)
{
	return c > ' ' && c <= '~' && c != ',' && c != '?' && c != '"' && c != '\\';
}

#endif
