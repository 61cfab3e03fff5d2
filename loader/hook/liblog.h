/* SPDX-License-Identifier: GPL-2.0-only */
/* What libbpf and libxdp print, kept back: shown with -v, and quoted when something fails. */
#ifndef XF_LIBLOG_H
#define XF_LIBLOG_H

/* Take over both libraries' output. */
void xf_liblog_capture(void);
/* Forget what was kept. Call before an operation whose failure is to be explained. */
void xf_liblog_clear(void);
/* The whole of what was kept since then (its last 64 KiB). */
const char *xf_liblog_text(void);
/* Print the last lines of the verifier's log, if one was kept, as part of an error. Returns how
 * many lines. */
int xf_liblog_print_verifier(int max_lines);

#endif
