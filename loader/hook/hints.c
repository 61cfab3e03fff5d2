// SPDX-License-Identifier: GPL-2.0-only
/* Hints that several callers print. */
#include "loader/hook/hints.h"

#include <inttypes.h>

#include "lib/fd_limit.h"
#include "lib/msg.h"

void xf_hint_locked_memory(void)
{
	xf_hint("before kernel 5.11 maps and rings count against the limit of locked memory: try "
		"'ulimit -l unlimited', or give the process CAP_SYS_RESOURCE; else a capability is "
		"missing");
}

void xf_hint_open_files(void)
{
	xf_hint("this process may have %" PRIu64 " open files, and each interface needs one for "
		"each CPU and some more; " XF_FD_LIMIT_HINT,
		xf_fd_limit_raise());
}

void xf_hint_mount_bpffs(void)
{
	xf_hint("'mount -t bpf bpf /sys/fs/bpf -o mode=0700' mounts one; LIBXDP_BPFFS can name "
		"another");
}

void xf_hint_other_bpffs(void)
{
	xf_hint(
	    "set LIBXDP_BPFFS to the bpffs that has the pins of its dispatcher (in a namespace often "
	    "/proc/1/root/sys/fs/bpf)");
}
