// SPDX-License-Identifier: GPL-2.0-only
/* The options of a run of echo or forward. */
#include "loader/relay/args.h"

#include "lib/time.h"

void xf_relay_args__init(struct xf_relay_args *args, bool echo)
{
	*args = (struct xf_relay_args) {
		.echo = echo,
		.first_timeout = 10 * XF_NSEC,
		.dial_timeout = 5 * XF_NSEC,
		.resolve = 60 * XF_NSEC,
		.max_waiting = 4096,
		.keepalive = { .idle = 30, .interval = 10, .count = 3 },
		.memory = 256ULL << 20,
		.threads = 1,
		.busy_poll = 50,
		.drain = 30 * XF_NSEC,
		.socket_mode = 0660,
	};
}

/* An eighth is for memory that the kernel takes beyond a buffer's size, since it takes in a last
 * segment as a whole. */
void xf_relay_args__budget(const struct xf_relay_args *args, struct xf_budget *budget)
{
	xf_budget__init(budget, args->memory - args->memory / 8);
}
