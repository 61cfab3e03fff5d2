/* SPDX-License-Identifier: GPL-2.0-only */
/* What the parsers of the first packet and the routes file share. */
#ifndef XF_FIRST_IMPL_H
#define XF_FIRST_IMPL_H

#include "sockmap/route/first_packet.h"

/* The @len bytes at @data as a host name: in lower case, without a final dot, NUL-terminated.
 * Letters, digits, '-', '_' and dots between labels that are not empty; false when it is none. */
bool xf_first_name(const uint8_t *data, size_t len, char name[XF_NAME_MAX + 1]);

#endif
