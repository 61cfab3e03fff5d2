// SPDX-License-Identifier: GPL-2.0-only
#include "firewall/rule/words.h"

#include <string.h>

#define QUOTE_MAX 40 /* bytes of a wrong word that are shown */

const char *xf_rule_quote(const char *at, size_t len, const char *missing, char out[XF_QUOTED])
{
	size_t n = len < QUOTE_MAX ? len : QUOTE_MAX;

	if (!len)
		return missing;
	out[0] = '"';
	for (size_t i = 0; i < n; i++)
		out[i + 1] = at[i] ?: '?';
	strcpy(out + n + 1, len > n ? "...\"" : "\"");
	return out;
}
