// SPDX-License-Identifier: GPL-2.0-only
/* XDPFUN_TEST=NAME selects one test of a program. NAME may have * and ? in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

__attribute__((constructor)) static void choose_test(void)
{
	const char *name = getenv("XDPFUN_TEST");

	if (name)
		cmocka_set_test_filter(name);
}
