/* SPDX-License-Identifier: GPL-2.0-only */
/* The messages of libbpf and libxdp: kept, shown with -v, and quoted when something fails. */
#ifndef XF_LIBLOG_H
#define XF_LIBLOG_H

#include <stdarg.h>

/* Keep a message of a library; print it with -v. Returns 0. */
int xf_liblog_take(const char *fmt, va_list args);
/* Drop all messages. Call before an operation whose failure is to be explained. */
void xf_liblog_clear(void);
/* The messages since then, of which the last 64 KiB are kept. */
const char *xf_liblog_text(void);
/* Print the last lines of the verifier's log, if one was kept, as part of an error. Returns the
 * number of lines. */
int xf_liblog_print_verifier(int max_lines);

#endif
