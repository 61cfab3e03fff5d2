/* SPDX-License-Identifier: GPL-2.0-only */
/* The properties of every error of the firewall's parsers. */
#ifndef XF_FUZZ_RULE_ERROR_H
#define XF_FUZZ_RULE_ERROR_H

#include "firewall/rule/rule.h"
#include "lib/escape.h"
#include "tests/fuzz/fuzz.h"

/* It has a reason, which no terminal obeys once it is escaped as messages are, and a place. */
static inline void must_be_error(const struct xf_rule_error *error, size_t len)
{
	size_t n = strnlen(error->text, sizeof(error->text));
	char shown[XF_ESCAPED_MAX(sizeof(error->text))], *end;

	must(n > 0 && n < sizeof(error->text));
	end = xf_escape(shown, error->text, n, "");
	for (const char *c = shown; c < end; c++)
		must((uint8_t)*c >= ' ' && *c != 0x7f);
	must(error->column >= 1 && error->column <= len + 1);
}

#endif
