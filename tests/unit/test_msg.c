// SPDX-License-Identifier: GPL-2.0-only
/* Messages: which level prints what, and with which prefix. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../lib/msg.h"
#include "capture.h"

#define ALWAYS                                                                                     \
	"xdpfun-load: error: e 1\n"                                                                \
	"xdpfun-load: warning: w 2\n"                                                              \
	"xdpfun-load: hint: h 3\n"                                                                 \
	"r 4\n"

static void check_level(enum xf_level level, const char *want)
{
	struct capture cap;

	xf_msg_level_set(level);
	assert_int_equal(xf_msg_level(), level);
	capture_begin(&cap);
	xf_err("e %d", 1);
	xf_warn("w %d", 2);
	xf_hint("h %d", 3);
	xf_result("r %d", 4);
	xf_info("i %d", 5);
	xf_debug("d %d", 6);
	assert_string_equal(capture_end(&cap), want);
}

static void test_levels(void **state)
{
	(void)state;
	assert_int_equal(xf_msg_level(), XF_NORMAL);
	check_level(XF_QUIET, ALWAYS);
	check_level(XF_NORMAL, ALWAYS "xdpfun-load: i 5\n");
	check_level(XF_VERBOSE, ALWAYS "xdpfun-load: i 5\nxdpfun-load: d 6\n");
}

/* Around the size of the buffer that keeps a message in one piece, and beyond it. */
static void test_long_messages(void **state)
{
	static const char prefix[] = "xdpfun-load: error: ";
	static char text[6000];

	(void)state;
	for (size_t len = 4050; len < sizeof(text); len += len < 4110 ? 1 : 1000) {
		struct capture cap;
		const char *got;

		memset(text, 'x', len);
		text[len] = '\0';
		capture_begin(&cap);
		xf_err("%s", text);
		got = capture_end(&cap);
		assert_int_equal(strlen(got), strlen(prefix) + len + 1);
		assert_memory_equal(got, prefix, strlen(prefix));
		assert_int_equal(strspn(got + strlen(prefix), "x"), len);
		assert_int_equal(got[strlen(got) - 1], '\n');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_long_messages),
	};

	return cmocka_run_group_tests_name("msg", tests, NULL, NULL);
}
