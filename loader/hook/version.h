/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef XF_VERSION_H
#define XF_VERSION_H

/* Print the program's version, and those of the libraries that it runs with, on stdout. */
void xf_print_version(void);

#endif
