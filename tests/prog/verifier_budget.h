/* SPDX-License-Identifier: GPL-2.0-only */
/* How many instructions the verifier goes through for each program, of the million that it grants.
 * Measured on Linux 6.18: the most that objects of clang 14, 16 and 19 need. When a program gets
 * cheaper, its line goes down with it. */
#ifndef XF_VERIFIER_BUDGET_H
#define XF_VERIFIER_BUDGET_H

#include <stdint.h>

#define XF_BUDGET_SLACK 5 /* so many per cent above is no failure yet */

static const struct xf_budget {
	const char *program;
	uint32_t insns;
} xf_budgets[] = {
	{ "xdpfun", 11832 },
	{ "xdpfun_fw", 237181 },
	{ "xf_relay_verdict", 19314 },
	{ "xf_relay_gate", 39 },
};

#endif
