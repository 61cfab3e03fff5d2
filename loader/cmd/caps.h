/* SPDX-License-Identifier: GPL-2.0-only */
/* The check for the capabilities that the commands need. */
#ifndef XF_CAPS_H
#define XF_CAPS_H

/* Check for the capabilities that every subcommand needs. Returns 0, or -EPERM after an error that
 * names @command and the missing capabilities.
 *
 * CAP_SYS_ADMIN is among them on every kernel, because BPF_PROG_GET_FD_BY_ID and
 * BPF_MAP_GET_FD_BY_ID ask for it (kernel/bpf/syscall.c), and both libxdp and we find programs by
 * id; it implies CAP_BPF and CAP_PERFMON. */
int xf_caps_check(const char *command);

#endif
