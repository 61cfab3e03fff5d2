// SPDX-License-Identifier: GPL-2.0-only
/* The messages of libbpf and libxdp, kept to explain a failure. */
#include "loader/hook/liblog.h"

#include <stdio.h>
#include <string.h>

#include "lib/msg.h"

#define KEEP (64 * 1024)

/* The libraries' callbacks take no context, so this has to be static. */
static char kept[KEEP];
static size_t kept_len;

static void keep(const char *line)
{
	size_t len = strlen(line);

	/* A verifier's log can be larger than the buffer; its end explains the failure. */
	if (len >= KEEP) {
		line += len - (KEEP - 1);
		len = KEEP - 1;
	}
	if (kept_len + len >= KEEP) {
		size_t drop = kept_len + len - (KEEP - 1);

		memmove(kept, kept + drop, kept_len - drop);
		kept_len -= drop;
	}
	memcpy(kept + kept_len, line, len);
	kept_len += len;
	kept[kept_len] = '\0';
}

int xf_liblog_take(const char *fmt, va_list args)
{
	static char line[KEEP];

	vsnprintf(line, sizeof(line), fmt, args);
	keep(line);
	if (xf_msg_level() >= XF_VERBOSE)
		xf_quote("%s", line);
	return 0;
}

void xf_liblog_clear(void)
{
	kept_len = 0;
	kept[0] = '\0';
}

const char *xf_liblog_text(void)
{
	return kept;
}

int xf_liblog_print_verifier(int max_lines)
{
	const char *end = strstr(kept, "-- END PROG LOAD LOG --");
	const char *start;
	int lines = 0;

	if (!end)
		return 0;
	for (start = end; start > kept; start--) {
		if (start[-1] != '\n')
			continue;
		if (lines++ == max_lines)
			break;
	}
	while (start < end) {
		int len = strcspn(start, "\n");

		xf_quote("    %.*s\n", len, start);
		start += len + 1;
	}
	return lines;
}
