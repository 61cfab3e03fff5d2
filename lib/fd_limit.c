// SPDX-License-Identifier: GPL-2.0-only
/* The limit of open files of this process. */
#include "lib/fd_limit.h"

#include <sys/resource.h>

#define USUAL_LIMIT 1024

uint64_t xf_fd_limit_raise(void)
{
	struct rlimit limit, raised;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return USUAL_LIMIT;
	raised = (struct rlimit) { limit.rlim_max, limit.rlim_max };
	if (limit.rlim_cur < limit.rlim_max && !setrlimit(RLIMIT_NOFILE, &raised))
		return raised.rlim_cur;
	return limit.rlim_cur;
}
