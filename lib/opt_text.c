// SPDX-License-Identifier: GPL-2.0-only
/* The values that an option accepts, as text for messages. */
#include <string.h>

#include "lib/opt_impl.h"
#include "lib/strbuf.h"
#include "lib/time.h"

static void add_seconds(struct xf_strbuf *text, uint64_t ns)
{
	char decimals[16];
	size_t len;

	xf_strbuf__add(text, "%llu", (unsigned long long)(ns / XF_NSEC));
	if (ns % XF_NSEC == 0)
		return;
	snprintf(decimals, sizeof(decimals), ".%09llu", (unsigned long long)(ns % XF_NSEC));
	for (len = strlen(decimals); decimals[len - 1] == '0'; len--)
		decimals[len - 1] = '\0';
	xf_strbuf__add(text, "%s", decimals);
}

static void add_size(struct xf_strbuf *text, uint64_t bytes)
{
	static const char units[] = "\0KMG";
	int unit = 0;

	for (; unit < 3 && bytes && bytes % 1024 == 0; unit++)
		bytes /= 1024;
	xf_strbuf__add(text, "%llu%.*s", (unsigned long long)bytes, unit > 0, units + unit);
}

static void add_bound(struct xf_strbuf *text, const struct xf_opt *opt, uint64_t n)
{
	if (opt->type == XF_OPT_SECONDS)
		add_seconds(text, n);
	else if (opt->type == XF_OPT_SIZE)
		add_size(text, n);
	else
		xf_strbuf__add(text, "%llu", (unsigned long long)n);
}

static void add_range(struct xf_strbuf *text, const struct xf_opt *opt, const char *what)
{
	xf_strbuf__add(text, "%s", what);
	if (xf_opt_max(opt) != UINT64_MAX) {
		xf_strbuf__add(text, " from ");
		add_bound(text, opt, opt->min);
		xf_strbuf__add(text, " to ");
		add_bound(text, opt, xf_opt_max(opt));
	} else if (opt->min) {
		xf_strbuf__add(text, ", at least ");
		add_bound(text, opt, opt->min);
	}
}

void xf_opt_add_expected(struct xf_strbuf *text, const struct xf_opt *opt)
{
	switch (opt->type) {
	case XF_OPT_U32:
	case XF_OPT_U64:
		add_range(text, opt, "a whole number");
		break;
	case XF_OPT_SIZE:
		add_range(text, opt, "a size in bytes");
		xf_strbuf__add(text, "; the suffixes K, M and G are known");
		break;
	case XF_OPT_SECONDS:
		add_range(text, opt, "a number of seconds");
		break;
	case XF_OPT_ENUM:
		xf_strbuf__add_list(text, opt->values, ", ", " or ");
		break;
	default:
		xf_strbuf__add(text, "a value that is not empty");
		break;
	}
}
