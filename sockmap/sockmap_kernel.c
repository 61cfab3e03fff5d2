// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "sockmap_impl.h"

struct version {
	unsigned int major, minor, patch;
};

/* The last release of each series that could send bytes twice after a partial send, plus one: the
 * repair of sk_psock_backlog() came with 6.16 and with these. */
static const struct version repaired[] = {
	{ 5, 15, 186 }, { 6, 1, 142 }, { 6, 6, 94 }, { 6, 12, 34 }, { 6, 15, 3 },
};

/* What distributions build on: uname's release has no patch level with Debian ("6.1.0-38-amd64"),
 * which writes it into the version, and Ubuntu, which has a file. */
static void kernel_version(const struct utsname *uts, struct version *v)
{
	const char *debian = strstr(uts->version, "Debian ");
	FILE *file = fopen("/proc/version_signature", "re");
	unsigned int a, b, c;

	*v = (struct version){};
	sscanf(uts->release, "%u.%u.%u", &v->major, &v->minor, &v->patch);
	if (debian && sscanf(debian, "Debian %u.%u.%u", &a, &b, &c) == 3)
		*v = (struct version){ a, b, c };
	if (!file)
		return;
	if (fscanf(file, "%*s %*s %u.%u.%u", &a, &b, &c) == 3)
		*v = (struct version){ a, b, c };
	fclose(file);
}

bool xf_kernel_has_data_bug(char *why, size_t len)
{
	struct utsname uts;
	struct version v;

	if (uname(&uts))
		return false;
	kernel_version(&uts, &v);
	if (v.major > 6 || (v.major == 6 && v.minor >= 16))
		return false;
	for (size_t i = 0; i < sizeof(repaired) / sizeof(repaired[0]); i++)
		if (v.major == repaired[i].major && v.minor == repaired[i].minor &&
		    v.patch >= repaired[i].patch)
			return false;
	snprintf(why, len, "the sockmap of kernel %u.%u.%u can send bytes twice (repaired in 6.16)",
		 v.major, v.minor, v.patch);
	return true;
}

bool xf_kernel_at_least(unsigned int major, unsigned int minor)
{
	struct utsname uts;
	struct version v;

	if (uname(&uts))
		return false;
	kernel_version(&uts, &v);
	return v.major > major || (v.major == major && v.minor >= minor);
}
