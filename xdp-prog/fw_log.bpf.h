/* SPDX-License-Identifier: GPL-2.0-only */
/* A record of each packet that is dropped, for a reader of the rings. */
#ifndef XF_FW_LOG_BPF_H
#define XF_FW_LOG_BPF_H

#include "fw_abi.h"
#include "fw_parse.bpf.h"
#include "ring.bpf.h"

static __always_inline void xf_fw_log(struct xdp_md *ctx, const struct xf_fw_set *set, __u32 rule)
{
	struct xf_fw_record *rec;
	struct xf_slot slot = {};
	__u32 cpu = bpf_get_smp_processor_id();

	/* Without a reader nothing is counted: the set's totals say what was dropped. */
	if (!bpf_map_lookup_elem(&xf_rings, &cpu))
		return;
	if (!xf_ring_reserve(ctx, &slot, sizeof(struct xf_fw_record)))
		return;
	xf_parse(ctx, slot.rec);
	rec = (struct xf_fw_record *)slot.rec;
	rec->rule = rule;
	rec->set = XF_FW_MARK(set);
	xf_ring_submit(&slot);
}

#endif
