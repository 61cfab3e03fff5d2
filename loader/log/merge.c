// SPDX-License-Identifier: GPL-2.0-only
/* Merges the records of many rings by time: a binary heap of the oldest record of each. */
#include "loader/log/merge.h"

#include <errno.h>
#include <stdlib.h>

int xf_merge__add(struct xf_merge *merge, struct xf_reader *reader, unsigned int source)
{
	unsigned int capacity = merge->n_all + reader->n;
	struct xf_merge_entry *grown;

	if (capacity > merge->capacity) {
		grown = realloc(merge->all, capacity * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		merge->all = grown;
		grown = realloc(merge->heap, capacity * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		merge->heap = grown;
		merge->capacity = capacity;
	}
	for (unsigned int i = 0; i < reader->n; i++)
		merge->all[merge->n_all++] =
		    (struct xf_merge_entry) { .ring = &reader->rings[i], .source = source };
	return 0;
}

void xf_merge__remove(struct xf_merge *merge, unsigned int source)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < merge->n_all; i++)
		if (merge->all[i].source != source)
			merge->all[kept++] = merge->all[i];
	merge->n_all = kept;
}

void xf_merge__free(struct xf_merge *merge)
{
	free(merge->all);
	free(merge->heap);
	*merge = (struct xf_merge) {};
}

static void swap(struct xf_merge_entry *a, struct xf_merge_entry *b)
{
	struct xf_merge_entry tmp = *a;

	*a = *b;
	*b = tmp;
}

static void sift_down(struct xf_merge *merge, unsigned int at)
{
	struct xf_merge_entry *heap = merge->heap;

	for (;;) {
		unsigned int first = at, child = 2 * at + 1;

		if (child < merge->n_heap && heap[child].head->boot_ns < heap[first].head->boot_ns)
			first = child;
		child++;
		if (child < merge->n_heap && heap[child].head->boot_ns < heap[first].head->boot_ns)
			first = child;
		if (first == at)
			return;
		swap(&heap[at], &heap[first]);
		at = first;
	}
}

bool xf_merge__begin(struct xf_merge *merge)
{
	merge->n_heap = 0;
	for (unsigned int i = 0; i < merge->n_all; i++)
		xf_ring__look(merge->all[i].ring);
	for (unsigned int i = 0; i < merge->n_all; i++) {
		struct xf_merge_entry entry = merge->all[i];

		entry.head = xf_ring__peek(entry.ring);
		if (entry.head)
			merge->heap[merge->n_heap++] = entry;
	}
	for (unsigned int i = merge->n_heap / 2; i-- > 0;)
		sift_down(merge, i);
	return merge->n_heap > 0;
}

const struct xf_record *xf_merge__head(const struct xf_merge *merge, unsigned int *source)
{
	if (!merge->n_heap)
		return NULL;
	*source = merge->heap[0].source;
	return merge->heap[0].head;
}

void xf_merge__pass(struct xf_merge *merge)
{
	struct xf_merge_entry *top = &merge->heap[0];

	xf_ring__advance(top->ring);
	top->head = xf_ring__peek(top->ring);
	if (!top->head)
		*top = merge->heap[--merge->n_heap];
	sift_down(merge, 0);
}

void xf_merge__end(struct xf_merge *merge)
{
	for (unsigned int i = 0; i < merge->n_all; i++)
		xf_ring__release(merge->all[i].ring);
	merge->n_heap = 0;
}
