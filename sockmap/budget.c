// SPDX-License-Identifier: GPL-2.0-only
#include "budget.h"

#include <stdatomic.h>

void xf_budget__init(struct xf_budget *budget, uint64_t limit)
{
	budget->limit = limit;
	atomic_init(&budget->taken, 0);
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
