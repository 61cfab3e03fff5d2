// SPDX-License-Identifier: GPL-2.0-only
#include "sockmap/relay/budget.h"

#include <stdatomic.h>

void xf_budget__init(struct xf_budget *budget, uint64_t limit)
{
	budget->limit = limit;
	atomic_init(&budget->taken, 0);
	atomic_init(&budget->waiting, 0);
	atomic_init(&budget->promised, 0);
}

bool xf_budget__take(struct xf_budget *budget, uint64_t bytes)
{
	uint64_t taken = atomic_load_explicit(&budget->taken, memory_order_relaxed);

	do {
		if (bytes > budget->limit || taken > budget->limit - bytes)
			return false;
	} while (!atomic_compare_exchange_weak(&budget->taken, &taken, taken + bytes));
	return true;
}

void xf_budget__give(struct xf_budget *budget, uint64_t bytes)
{
	atomic_fetch_sub(&budget->taken, bytes);
}

static uint64_t waiting_most(const struct xf_budget *budget)
{
	return budget->limit / 2;
}

bool xf_budget__take_waiting(struct xf_budget *budget, uint64_t bytes)
{
	uint64_t waiting = atomic_fetch_add(&budget->waiting, bytes) + bytes;

	if (waiting <= waiting_most(budget) && xf_budget__take(budget, bytes))
		return true;
	atomic_fetch_sub(&budget->waiting, bytes);
	return false;
}

bool xf_budget__may_wait(const struct xf_budget *budget, uint64_t bytes)
{
	uint64_t waiting = atomic_load_explicit(&budget->waiting, memory_order_relaxed);

	return waiting + bytes <= waiting_most(budget) && xf_budget__left(budget) >= bytes;
}

void xf_budget__hand_over(struct xf_budget *budget, uint64_t bytes)
{
	atomic_fetch_sub(&budget->waiting, bytes);
}

void xf_budget__promise(struct xf_budget *budget, uint64_t before, uint64_t now)
{
	atomic_fetch_add_explicit(&budget->promised, now - before, memory_order_relaxed);
}

uint64_t xf_budget__left(const struct xf_budget *budget)
{
	uint64_t taken = atomic_load_explicit(&budget->taken, memory_order_relaxed);

	return taken < budget->limit ? budget->limit - taken : 0;
}

/* Whether relays have reserved, or may come to need with @more, more than @eighths of the
 * limit. */
static bool is_beyond(const struct xf_budget *budget, unsigned int eighths, uint64_t more)
{
	uint64_t taken = atomic_load_explicit(&budget->taken, memory_order_relaxed);

	return taken + more > budget->limit / 8 * eighths;
}

bool xf_budget__is_ample(const struct xf_budget *budget)
{
	return !is_beyond(budget, 2, 0);
}

bool xf_budget__is_scarce(const struct xf_budget *budget)
{
	return is_beyond(budget, 4, 0);
}

bool xf_budget__is_promised(const struct xf_budget *budget)
{
	return is_beyond(budget, 2, atomic_load_explicit(&budget->promised, memory_order_relaxed));
}

bool xf_budget__is_tight(const struct xf_budget *budget)
{
	return is_beyond(budget, 7, 0);
}

bool xf_budget__is_spoken_for(const struct xf_budget *budget)
{
	return is_beyond(budget, 7, atomic_load_explicit(&budget->promised, memory_order_relaxed));
}
