/* SPDX-License-Identifier: GPL-2.0-only */
/* The leaves of a directory, block by block. Inside firewall/ only. */
#ifndef XF_BLOCKS_H
#define XF_BLOCKS_H

#include "firewall/table/region.h"

/* Whether there is a directory. */
bool xf_blocks__have(struct xf_region *region, enum xf_fw_dir dir);
/* Make it, with all its XF_FW_DIR_LEAVES. Without memory for it there is none. */
void xf_blocks__make(struct xf_region *region, enum xf_fw_dir dir, const uint32_t *leaves);
/* The leaves of a block. Returns false where there is no directory. */
bool xf_blocks__get(struct xf_region *region, enum xf_fw_dir dir, uint32_t block,
		    uint32_t leaves[XF_FW_DIR_BLOCK_LEAVES]);
/* Change them. Without memory for it the directory goes. */
void xf_blocks__put(struct xf_region *region, enum xf_fw_dir dir, uint32_t block,
		    const uint32_t leaves[XF_FW_DIR_BLOCK_LEAVES]);

#endif
