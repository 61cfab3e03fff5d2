/* SPDX-License-Identifier: GPL-2.0-only */
/* A record of each packet that is dropped, for a reader of the rings. */
#ifndef XF_FW_LOG_BPF_H
#define XF_FW_LOG_BPF_H

#include "fw_abi.h"
#include "fw_packet.bpf.h"
#include "ring.bpf.h"

/* A function of its own, for its stack: what precedes needs much. */
static __noinline void xf_fw_log_drop(struct xdp_md *ctx, __u32 rule, __u32 gen)
{
	struct xf_slot slot = {};
	struct xf_fw_record *rec;

	if (!xf_ring_reserve(ctx, &slot, sizeof(*rec)))
		return;
	xf_parse(ctx, slot.rec, xf_ext_of_linux);
	rec = (struct xf_fw_record *)slot.rec;
	rec->rule = rule;
	rec->gen = gen;
	xf_ring_submit(&slot);
}

/* Without a reader nothing is counted: the generation's totals say what was dropped. */
static __always_inline void xf_fw_log(struct xdp_md *ctx, const struct xf_fw_generation *gen,
				      __u32 rule)
{
	__u32 cpu = bpf_get_smp_processor_id();

	if (bpf_map_lookup_elem(&xf_rings, &cpu))
		xf_fw_log_drop(ctx, rule, XF_FW_MARK(gen));
}

#endif
