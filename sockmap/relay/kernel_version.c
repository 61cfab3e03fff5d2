// SPDX-License-Identifier: GPL-2.0-only
#include "sockmap/relay/kernel_version.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* The first release of each series without the bug: the repair of sk_psock_backlog() came with 6.16
 * and with these. Series before 6.1 are not used, repaired or not: tests/platform/ shows that some
 * of what the engine relies on is otherwise there. */
static const struct xf_kernel_version repaired[] = {
	{ 6, 1, 142 },
	{ 6, 6, 94 },
	{ 6, 12, 34 },
	{ 6, 15, 3 },
};

/* A number of at most five digits at *@at, and on behind it. */
static bool number(const char **at, unsigned int *n)
{
	size_t digits = strspn(*at, "0123456789");

	if (!digits || digits > 5)
		return false;
	*n = atoi(*at);
	*at += digits;
	return true;
}

/* "6.1.147" at the start of @text, or with @patch_optional "6.16". */
static bool parse(const char *text, bool patch_optional, struct xf_kernel_version *v)
{
	struct xf_kernel_version found = {};

	if (!number(&text, &found.major) || *text++ != '.' || !number(&text, &found.minor))
		return false;
	if ((*text++ != '.' || !number(&text, &found.patch)) && !patch_optional)
		return false;
	*v = found;
	return true;
}

/* Behind the next space in @text; NULL when there is none, or no @text. */
static const char *next_word(const char *text)
{
	const char *space = text ? strchr(text, ' ') : NULL;

	return space ? space + 1 : NULL;
}

/* uname's release has no patch level with Debian ("6.1.0-38-amd64"), which writes it into the
 * version, and Ubuntu, which has a file ("Ubuntu 6.8.0-60.63-generic 6.8.12"). */
struct xf_kernel_version xf_kernel_version_of(const char *release, const char *version,
					      const char *signature)
{
	const char *ubuntu = next_word(next_word(signature));
	const char *debian = strstr(version, "Debian ");
	struct xf_kernel_version v = {};

	parse(release, true, &v);
	if (debian)
		parse(next_word(debian), false, &v);
	if (ubuntu)
		parse(ubuntu, false, &v);
	return v;
}

bool xf_kernel_version_at_least(const struct xf_kernel_version *v, unsigned int major,
				unsigned int minor)
{
	return v->major > major || (v->major == major && v->minor >= minor);
}

bool xf_kernel_version_has_data_bug(const struct xf_kernel_version *v)
{
	if (xf_kernel_version_at_least(v, 6, 16))
		return false;
	for (size_t i = 0; i < sizeof(repaired) / sizeof(repaired[0]); i++)
		if (v->major == repaired[i].major && v->minor == repaired[i].minor)
			return v->patch < repaired[i].patch;
	return true;
}
