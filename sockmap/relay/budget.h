/* SPDX-License-Identifier: GPL-2.0-only */
/* --memory: one lock-free sum, for all threads, of the bytes that connections may hold.
 *
 * A relay reserves the most that it may hold before it can hold it, so the memory that is held
 * never passes the limit. */
#ifndef XF_BUDGET_H
#define XF_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct xf_budget {
	uint64_t limit; /* bytes */
	_Atomic uint64_t taken;
	_Atomic uint64_t waiting; /* of taken: bytes of connections that have no relay yet */
	_Atomic uint64_t
	    promised; /* beyond taken: bytes that relays without a reservation may come to need */
};

void xf_budget__init(struct xf_budget *budget, uint64_t limit);
/* Take @bytes. False: not that much is left, and nothing was taken. */
bool xf_budget__take(struct xf_budget *budget, uint64_t bytes);
void xf_budget__give(struct xf_budget *budget, uint64_t bytes);
/* Take bytes for a connection that has no relay yet. All such connections together have at most
 * half of the memory, so that waiting connections keep no relay out. */
bool xf_budget__take_waiting(struct xf_budget *budget, uint64_t bytes);
/* Whether xf_budget__take_waiting() would succeed now. */
bool xf_budget__may_wait(const struct xf_budget *budget, uint64_t bytes);
/* Hand such bytes over to a relay, which gives them back. */
void xf_budget__hand_over(struct xf_budget *budget, uint64_t bytes);
/* Change the bytes that a relay may come to need and has not taken from @before to @now. */
void xf_budget__promise(struct xf_budget *budget, uint64_t before, uint64_t now);
/* The number of bytes that could be taken now. */
uint64_t xf_budget__left(const struct xf_budget *budget);
/* Relays have reserved less than a quarter of it: there is enough for conveniences. */
bool xf_budget__is_ample(const struct xf_budget *budget);
/* Relays have reserved half of it: the rest is for flows that need it most. */
bool xf_budget__is_scarce(const struct xf_budget *budget);
/* Reserved and promised bytes are a quarter of it: new relays get little, so that it
 * goes round. */
bool xf_budget__is_promised(const struct xf_budget *budget);
/* Relays have reserved seven eighths of it: the rest is for connections that have no relay
 * yet. */
bool xf_budget__is_tight(const struct xf_budget *budget);
/* The same with promised bytes: relays that have much get no more, so that the others find what
 * they were promised. */
bool xf_budget__is_spoken_for(const struct xf_budget *budget);

#endif
