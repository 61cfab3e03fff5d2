/* SPDX-License-Identifier: GPL-2.0-only */
/* Merges the records of many rings by time. */
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
	struct xf_merge_entry *heap; /* rings that have a record, the oldest one first */
	unsigned int n_all, n_heap, capacity;
};

/* Add the rings of a source. Returns 0 or -ENOMEM. */
int xf_merge__add(struct xf_merge *merge, struct xf_reader *reader, unsigned int source);
/* Take the rings of a source out, between xf_merge__end() and xf_merge__begin(). */
void xf_merge__remove(struct xf_merge *merge, unsigned int source);
void xf_merge__free(struct xf_merge *merge);

/* Read how far each ring is filled; later records are left for the next call. Returns false when
 * there is no record. */
bool xf_merge__begin(struct xf_merge *merge);
/* Returns the oldest record and its source, or NULL at the end. */
const struct xf_record *xf_merge__head(const struct xf_merge *merge, unsigned int *source);
/* Pass the oldest record. */
void xf_merge__pass(struct xf_merge *merge);
/* Return the space of all passed records to the kernel. */
void xf_merge__end(struct xf_merge *merge);

#endif
