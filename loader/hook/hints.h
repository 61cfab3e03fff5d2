/* SPDX-License-Identifier: GPL-2.0-only */
/* Hints that several places give. */
#ifndef XF_HINTS_H
#define XF_HINTS_H

/* bpf() said EPERM to a map or a program. */
void xf_hint_locked_memory(void);
/* There is no bpffs. */
void xf_hint_mount_bpffs(void);

#endif
