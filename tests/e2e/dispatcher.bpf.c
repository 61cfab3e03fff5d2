// SPDX-License-Identifier: GPL-2.0-only
/* A dispatcher as of a newer libxdp: its name, and protocol version 99 in the first two bytes of
 * the read-only data. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

const volatile unsigned char conf[124] = { 236, 99 };

SEC("xdp")
int xdp_dispatcher(struct xdp_md *ctx)
{
	(void)ctx;
	return conf[2] ? XDP_DROP : XDP_PASS;
}

char _license[] SEC("license") = "GPL";
