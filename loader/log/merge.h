/* SPDX-License-Identifier: GPL-2.0-only */
/* The records of many rings in the order of their time. */
#ifndef XF_MERGE_H
#define XF_MERGE_H

#include <stdbool.h>

#include "loader/log/reader.h"

struct xf_merge_entry {
	struct xf_ring *ring;
	const struct xf_record *head;
	unsigned int source;
};

struct xf_merge {
	struct xf_merge_entry *all;  /* every ring */
	struct xf_merge_entry *heap; /* those with a record, the oldest first */
	unsigned int n_all, n_heap, capacity;
};

/* Add the rings of a source. Returns 0 or -ENOMEM. */
int xf_merge__add(struct xf_merge *merge, struct xf_reader *reader, unsigned int source);
void xf_merge__free(struct xf_merge *merge);

/* Look how far each ring is filled. Records that come later are left for the next time. Returns
 * false when there is none. */
bool xf_merge__begin(struct xf_merge *merge);
/* The oldest record, or NULL at the end. */
const struct xf_record *xf_merge__head(const struct xf_merge *merge, unsigned int *source);
/* Go past the oldest record. */
void xf_merge__pass(struct xf_merge *merge);
/* Give what was passed back to the kernel. */
void xf_merge__end(struct xf_merge *merge);

#endif
