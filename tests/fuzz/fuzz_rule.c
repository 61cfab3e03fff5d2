// SPDX-License-Identifier: GPL-2.0-only
/* A firewall rule: a rule comes back from its own text, an error has a reason and a place. */
#include <errno.h>

#include "firewall/rule/rule.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/rule_error.h"

static void must_come_back(const struct xf_rule *rule)
{
	char text[XF_RULE_TEXT_MAX], twice[XF_RULE_TEXT_MAX];
	struct xf_rule_error error;
	struct xf_rule again;
	size_t len = xf_rule_format(rule, text);

	must(rule->has);
	must(len < sizeof(text) && strlen(text) == len);
	must(xf_rule_parse(text, len, &again, &error) == 1);
	must(!memcmp(rule, &again, sizeof(again)));
	must(xf_rule_format(&again, twice) == len && !strcmp(text, twice));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *text = exactly(data, len);
	struct xf_rule_error error = { .text = "" };
	struct xf_rule rule;
	int ret = xf_rule_parse((const char *)text, len, &rule, &error);

	free(text);
	must(ret == 0 || ret == 1 || ret == -EINVAL);
	if (ret == 1)
		must_come_back(&rule);
	else if (ret)
		must_be_error(&error, len);
	return 0;
}
