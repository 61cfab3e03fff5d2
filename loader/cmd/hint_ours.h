/* SPDX-License-Identifier: GPL-2.0-only */
/* Hints about a program of ours that runs without a dispatcher, and so holds its hook alone. */
#ifndef XF_HINT_OURS_H
#define XF_HINT_OURS_H

#include <linux/types.h>
#include <stdbool.h>

/* Commands that load an xdpfun again, which was loaded without a dispatcher; takes the interface's
 * name twice. The variable is needed in "ip netns exec", which hides the bpffs that libxdp needs.
 */
#define XF_RELOAD_COMMANDS                                                                         \
	"'xdpfun-load unload -i %s && LIBXDP_BPFFS=/proc/1/root/sys/fs/bpf xdp-loader load %s "    \
	"xdpfun.o' "                                                                               \
	"(LIBXDP_BPFFS is not needed where a bpffs is mounted on /sys/fs/bpf)"

/* For xf_attach_opts: print a hint if the program is a logger or a firewall of ours. Returns
 * whether it is. */
bool xf_hint_ours(const char *ifname, __u32 prog_id);

#endif
