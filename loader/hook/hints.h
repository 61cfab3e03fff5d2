/* SPDX-License-Identifier: GPL-2.0-only */
/* Hints that several callers print. */
#ifndef XF_HINTS_H
#define XF_HINTS_H

/* For EPERM from bpf() for a map or a program. */
void xf_hint_locked_memory(void);
/* For EMFILE. */
void xf_hint_open_files(void);
/* For a missing bpffs. */
void xf_hint_mount_bpffs(void);
/* For a dispatcher whose pins are not in our bpffs (XF_CHAIN_PINS). */
void xf_hint_other_bpffs(void);

#endif
