// SPDX-License-Identifier: GPL-2.0-only
/* A logger with a fault: of ten records that it counts as submitted it discards one. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

#include "../../xdp-prog/abi.h"
#include "../../xdp-prog/ring.bpf.h"

SEC(XF_ABI_MAP) const volatile struct xf_abi xf_abi = { XF_ABI_MAGIC, XF_ABI_VERSION };

SEC("xdp")
int xdpfun(struct xdp_md *ctx)
{
	struct xf_slot slot = {};

	if (xf_ring_reserve(ctx, &slot, sizeof(*slot.rec))) {
		slot.rec->len = ctx->data_end - ctx->data;
		if (slot.counters->submitted % 10 < 9) {
			xf_ring_submit(&slot);
		} else {
			slot.counters->submitted++;
			bpf_ringbuf_discard(slot.rec, BPF_RB_NO_WAKEUP);
		}
	}
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
