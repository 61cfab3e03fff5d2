// SPDX-License-Identifier: GPL-2.0-only
/* How many connections the limit of open files allows. */
#include "loader/relay/fd_limit.h"

#include <sys/resource.h>

#include "lib/msg.h"

#define DEFAULT_MAX 65536
#define OF_PROCESS 64 /* descriptors for everything but connections */
#define OF_THREAD 64  /* maps, programs, and pipes for those that need one now */

static rlim_t raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return 1024;
	if (limit.rlim_cur < limit.rlim_max) {
		struct rlimit raised = { limit.rlim_max, limit.rlim_max };

		if (!setrlimit(RLIMIT_NOFILE, &raised))
			return raised.rlim_cur;
	}
	return limit.rlim_cur;
}

unsigned int xf_relay_limit(unsigned int wanted, bool echo, unsigned int threads)
{
	/* A client, an upstream, and half a pipe: those are lent while bytes are in them. */
	rlim_t each = echo ? 2 : 3, limit = raise_limit();
	rlim_t reserve = OF_PROCESS + (rlim_t)OF_THREAD * threads;
	rlim_t possible = limit > reserve + each ? (limit - reserve) / each : 1;

	if (!wanted)
		return possible < DEFAULT_MAX ? possible : DEFAULT_MAX;
	if (wanted > possible) {
		xf_warn("--max-connections %u: the limit of %llu open files is enough for about "
			"%llu; more may be refused",
			wanted, (unsigned long long)limit, (unsigned long long)possible);
		xf_hint("raise it with 'ulimit -Hn', or LimitNOFILE= of a service");
	}
	return wanted;
}
