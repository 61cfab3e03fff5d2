// SPDX-License-Identifier: GPL-2.0-only
/* The account of one interface's packets. */
#include "loader/log/tally.h"

#include <inttypes.h>
#include <stdio.h>

void xf_counters_add(struct xf_counters *sum, const struct xf_counters *base,
		     const struct xf_counters *now)
{
	sum->submitted += now->submitted - base->submitted;
	sum->lost += now->lost - base->lost;
	sum->unread += now->unread - base->unread;
	sum->filtered += now->filtered - base->filtered;
	sum->sampled_out += now->sampled_out - base->sampled_out;
	sum->rate_limited += now->rate_limited - base->rate_limited;
}

uint64_t xf_tally_sum(const struct xf_tally *tally)
{
	return tally->logged + tally->filtered + tally->sampled_out + tally->rate_limited +
	       tally->lost + tally->unread;
}

void xf_tally_make(struct xf_tally *tally, const struct xf_counters *base,
		   const struct xf_counters *now, const struct xf_line_counts *taken)
{
	tally->logged = taken->logged;
	tally->filtered = now->filtered - base->filtered;
	tally->sampled_out = now->sampled_out - base->sampled_out;
	tally->rate_limited = now->rate_limited - base->rate_limited;
	tally->lost = now->lost - base->lost + taken->lost;
	tally->unread = now->unread - base->unread + taken->unread;
	tally->seen = xf_tally_sum(tally);
}

bool xf_tally_check(struct xf_tally *tally, const struct xf_line_counts *taken, uint64_t submitted,
		    uint64_t own, uint64_t left)
{
	uint64_t earlier = own + left - submitted;

	if (own + left < submitted || earlier > left)
		earlier = 0;
	tally->seen += submitted + earlier - taken->logged - taken->lost - taken->unread;
	return tally->seen == xf_tally_sum(tally) && own + left == submitted + earlier;
}

char *xf_tally_text(char *out, size_t size, const char *iface, const struct xf_tally *tally)
{
	snprintf(out, size,
		 "%s: seen %" PRIu64 ", logged %" PRIu64 ", filtered %" PRIu64
		 ", sampled out %" PRIu64 ", rate limited %" PRIu64 ", lost %" PRIu64
		 ", unread %" PRIu64,
		 iface, tally->seen, tally->logged, tally->filtered, tally->sampled_out,
		 tally->rate_limited, tally->lost, tally->unread);
	return out;
}
