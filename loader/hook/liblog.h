/* SPDX-License-Identifier: GPL-2.0-only */
/* What libbpf and libxdp print, kept back: shown with -v, and quoted when something fails. */
#ifndef XF_LIBLOG_H
#define XF_LIBLOG_H

#include <stdarg.h>

/* Keep what a library prints; also show it with -v. Returns 0. */
int xf_liblog_take(const char *fmt, va_list args);
/* Forget what was kept. Call before an operation whose failure is to be explained. */
void xf_liblog_clear(void);
/* The whole of what was kept since then (its last 64 KiB). */
const char *xf_liblog_text(void);
/* Print the last lines of the verifier's log, if one was kept, as part of an error. Returns how
 * many lines. */
int xf_liblog_print_verifier(int max_lines);

#endif
