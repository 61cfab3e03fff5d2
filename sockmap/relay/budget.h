/* SPDX-License-Identifier: GPL-2.0-only */
/* --memory: one sum for all threads of what connections may hold. Lock-free.
 *
 * What a relay may hold at most is reserved before it can hold it, so the sum of what is held never
 * passes the limit. */
#ifndef XF_BUDGET_H
#define XF_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct xf_budget {
	uint64_t limit; /* bytes */
	_Atomic uint64_t taken;
	_Atomic uint64_t aside;	  /* of that, what is in no relay's account */
	_Atomic uint64_t waiting; /* of that, what those have who have no relay yet */
	_Atomic uint64_t
	    promised; /* beyond it: what relays that reserve nothing may come to need */
};

void xf_budget__init(struct xf_budget *budget, uint64_t limit);
/* False: not that much is left, nothing was taken. */
bool xf_budget__take(struct xf_budget *budget, uint64_t bytes);
void xf_budget__give(struct xf_budget *budget, uint64_t bytes);
/* Take bytes that no relay's reservation covers: the sockmap engine's pool. Given back by the
 * second. */
bool xf_budget__set_aside(struct xf_budget *budget, uint64_t bytes);
void xf_budget__give_aside(struct xf_budget *budget, uint64_t bytes);
/* Take bytes for a connection that has no relay yet. All of them together have no more than half of
 * what there is for relays, so that none is kept out by those who wait. */
bool xf_budget__take_waiting(struct xf_budget *budget, uint64_t bytes);
/* That would succeed now. */
bool xf_budget__may_wait(const struct xf_budget *budget, uint64_t bytes);
/* Such bytes go over to a relay, which gives them back. */
void xf_budget__hand_over(struct xf_budget *budget, uint64_t bytes);
/* What a relay may come to need, and has not taken, was @before and is now @now. */
void xf_budget__promise(struct xf_budget *budget, uint64_t before, uint64_t now);
/* Bytes that could be taken now. */
uint64_t xf_budget__left(const struct xf_budget *budget);
/* Relays have reserved less than a quarter of what there is for them: enough for conveniences. */
bool xf_budget__is_ample(const struct xf_budget *budget);
/* Relays have reserved half of what there is for them: what is left is for those who need it most.
 */
bool xf_budget__is_scarce(const struct xf_budget *budget);
/* With what may yet be needed it is a quarter: new relays get little, so that it goes round. */
bool xf_budget__is_promised(const struct xf_budget *budget);
/* Seven eighths: the rest is for those who have no relay yet. */
bool xf_budget__is_tight(const struct xf_budget *budget);

#endif
