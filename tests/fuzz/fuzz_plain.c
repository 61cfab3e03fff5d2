// SPDX-License-Identifier: GPL-2.0-only
/* A list of addresses: each of its rules can be written and read again, each error has a reason and
 * a place, and the reader stops behind text that it cannot tell apart. */
#include <errno.h>

#include "firewall/rule/plain.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rule_error.h"

static void must_come_back(const struct xf_rule *rule, bool deny)
{
	char text[XF_RULE_TEXT_MAX];
	struct xf_rule_error error;
	struct xf_rule again;

	must(rule->has == XF_RULE_SRC && rule->deny == deny);
	must(xf_rule_parse(text, xf_rule_format(rule, text), &again, &error) == 1);
	must(!memcmp(rule, &again, sizeof(again)));
}

/* Returns whether to read on. */
static bool read_line(struct xf_plain *plain, const uint8_t *data, size_t len)
{
	struct xf_rule_error error = { .text = "" };
	uint8_t *text = exactly(data, len);
	struct xf_rule rule;
	int ret;

	xf_plain__line(plain, (const char *)text, len);
	do {
		memset(&rule, 0, sizeof(rule));
		ret = xf_plain__next(plain, &rule, &error);
		must(ret == 1 || ret == 0 || ret == -EINVAL || ret == -EPROTO);
		if (ret == 1)
			must_come_back(&rule, plain->deny);
		else if (ret)
			must_be_error(&error, len);
	} while (ret && ret != -EPROTO);
	free(text);
	return !ret;
}

/* The first byte is a part of the list, and also chooses the options of the reader. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct xf_plain plain = { .mask = len && data[0] & 1, .deny = len && data[0] & 2 };
	uint64_t lines = 0;
	bool more = true;

	while (len && more) {
		const uint8_t *end = memchr(data, '\n', len);
		size_t n = end ? (size_t)(end - data) : len;

		more = read_line(&plain, data, n);
		lines++;
		n += end ? 1 : 0;
		data += n;
		len -= n;
	}
	must(plain.line == lines && xf_plain__unended(&plain) <= lines);
	return 0;
}
