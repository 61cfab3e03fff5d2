/* SPDX-License-Identifier: GPL-2.0-only */
/* The index of a generation: hash and tag to the id of an entry. Inside firewall/ only. */
#ifndef XF_INDEX_H
#define XF_INDEX_H

#include "firewall/table/region.h"

struct xf_index_key {
	uint64_t hash, tag;
};

struct xf_index_key xf_index_key4(const struct xf_fw_generation *gen, uint32_t dir, uint32_t addr,
				  uint64_t b);
struct xf_index_key xf_index_key6(const struct xf_fw_generation *gen, uint64_t hi, uint64_t lo,
				  uint64_t b, uint32_t level);
struct xf_index_key xf_index_key_tuple(const struct xf_fw_generation *gen,
				       const struct xf_fw_tuple *tuple);

/* An empty index with room for so many references. Returns 0 or -errno. */
int xf_index__make(struct xf_region *region, uint64_t refs);
/* The id that the index has for the key, or 0. */
uint32_t xf_index__find(struct xf_region *region, struct xf_index_key key);
/* The key must not be there. Grows the index if it must. Returns 0, -EAGAIN (this key cannot be
 * entered with these seeds) or another -errno. */
int xf_index__insert(struct xf_region *region, struct xf_index_key key, uint32_t id);
/* Another id for a key that is there. */
void xf_index__set(struct xf_region *region, struct xf_index_key key, uint32_t id);
void xf_index__remove(struct xf_region *region, struct xf_index_key key);

#endif
