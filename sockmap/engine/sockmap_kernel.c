// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <sys/utsname.h>

#include "sockmap/relay/kernel_version.h"
#include "sockmap/engine/sockmap_impl.h"

/* False: it cannot be told. */
static bool running(struct xf_kernel_version *v)
{
	FILE *file = fopen("/proc/version_signature", "re");
	char line[256] = "";
	struct utsname uts;

	if (file && !fgets(line, sizeof(line), file))
		line[0] = '\0';
	if (file)
		fclose(file);
	if (uname(&uts))
		return false;
	*v = xf_kernel_version_of(uts.release, uts.version, line);
	return true;
}

bool xf_kernel_has_data_bug(char *why, size_t len)
{
	struct xf_kernel_version v;

	if (!running(&v) || !xf_kernel_version_has_data_bug(&v))
		return false;
	if (v.major && !xf_kernel_version_at_least(&v, 6, 1))
		snprintf(why, len, "the sockmap of kernel %u.%u.%u is too old (6.1 is needed)",
			 v.major, v.minor, v.patch);
	else
		snprintf(why, len,
			 "the sockmap of kernel %u.%u.%u can send bytes twice (repaired in 6.16)",
			 v.major, v.minor, v.patch);
	return true;
}
