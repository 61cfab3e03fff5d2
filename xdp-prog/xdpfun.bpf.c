// SPDX-License-Identifier: GPL-2.0-only
/* The packet logger: one record for each packet, and every packet passed on. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <xdp/xdp_helpers.h>

#include "abi.h"
#include "parse.bpf.h"
#include "ring.bpf.h"

struct {
	__uint(priority, 100);
	__uint(XDP_PASS, 1);
} XDP_RUN_CONFIG(xdpfun);

SEC(XF_ABI_MAP) const volatile struct xf_abi xf_abi = { XF_ABI_MAGIC, XF_ABI_VERSION };

SEC("xdp")
int xdpfun(struct xdp_md *ctx)
{
	struct xf_slot slot = {};

	if (xf_ring_reserve(ctx, &slot, sizeof(*slot.rec))) {
		xf_parse(ctx, slot.rec, xf_ext_of_rfcs);
		xf_ring_submit(&slot);
	}
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
