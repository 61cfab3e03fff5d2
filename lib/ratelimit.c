// SPDX-License-Identifier: GPL-2.0-only
/* Rate limit of a repeated warning. */
#include "lib/ratelimit.h"

#include <stdio.h>

#include "lib/time.h"

#define PAUSE (5 * XF_NSEC)

bool xf_ratelimit_due(struct xf_ratelimit *ratelimit, uint64_t now, uint64_t *times)
{
	*times = ++ratelimit->times;
	if (now < ratelimit->next)
		return false;
	ratelimit->next = now + PAUSE;
	ratelimit->times = 0;
	return true;
}

char *xf_times_text(uint64_t times, char out[32])
{
	out[0] = '\0';
	if (times > 1)
		snprintf(out, 32, " (%llu times)", (unsigned long long)times);
	return out;
}
