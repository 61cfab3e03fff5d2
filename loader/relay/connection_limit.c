// SPDX-License-Identifier: GPL-2.0-only
/* The number of connections that the limit of open files allows. */
#include "loader/relay/connection_limit.h"

#include "lib/fd_limit.h"
#include "lib/msg.h"

#define DEFAULT_MAX 65536
#define FEW 100	      /* below that the limit was hardly meant for a relay */
#define OF_PROCESS 64 /* descriptors for everything but connections */
#define OF_THREAD 64  /* maps, programs, and pipes that are in use */

unsigned int xf_relay_limit(unsigned int wanted, bool echo, unsigned int threads,
			    unsigned int others)
{
	/* A connection has a client, an upstream, and on average half a pipe: it has pipes only
	 * while bytes are in them. */
	uint64_t each = echo ? 2 : 3, limit = xf_fd_limit_raise();
	uint64_t reserve = OF_PROCESS + (uint64_t)OF_THREAD * threads + others;
	uint64_t possible = limit > reserve + each ? (limit - reserve) / each : 1;

	if (!wanted && possible < FEW) {
		xf_warn("the limit of %llu open files is enough for about %llu connection%s",
			(unsigned long long)limit, (unsigned long long)possible,
			possible > 1 ? "s" : "");
		xf_hint(XF_FD_LIMIT_HINT);
	}
	if (!wanted)
		return possible < DEFAULT_MAX ? possible : DEFAULT_MAX;
	if (wanted > possible) {
		xf_warn("--max-connections %u: the limit of %llu open files is enough for about "
			"%llu; more may be refused",
			wanted, (unsigned long long)limit, (unsigned long long)possible);
		xf_hint(XF_FD_LIMIT_HINT);
	}
	return wanted;
}
