// SPDX-License-Identifier: GPL-2.0-only
/* Text from outside: what stays, what is escaped, and that all output of lib/msg.h does it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/escape.h"
#include "lib/msg.h"
#include "tests/unit/capture.h"

static const struct {
	const char *name, *text, *keep, *want;
} cases[] = {
	{ "nothing", "", "", "" },
	{ "ASCII stays", "eth0 \\ \"~", "", "eth0 \\ \"~" },
	{ "letters stay", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa7", "",
	  "\xc3\xa4\xe2\x82\xac\xf0\x9f\x90\xa7" },
	{ "colour", "a\x1b[31mb", "", "a\\x1b[31mb" },
	{ "every control character counts", "\x01\x08\t\n\r\x1f\x7f", "",
	  "\\x01\\x08\\x09\\x0a\\x0d\\x1f\\x7f" },
	{ "those that are kept", "a\n\tb\x1b", "\n\t", "a\n\tb\\x1b" },
	{ "C1 as UTF-8",
	  "\xc2\x9b"
	  "31m",
	  "", "\\xc2\\x9b31m" },
	{ "C1 as a byte",
	  "\x9b"
	  "31m",
	  "", "\\x9b31m" },
	{ "text that is turned around",
	  "a\xe2\x80\xae"
	  "b",
	  "", "a\\xe2\\x80\\xaeb" },
	{ "a mark of Arabic",
	  "a\xd8\x9c"
	  "b",
	  "", "a\\xd8\\x9cb" },
	{ "a separator of lines",
	  "a\xe2\x80\xa8"
	  "b",
	  "", "a\\xe2\\x80\\xa8b" },
	{ "BOM",
	  "\xef\xbb\xbf"
	  "b",
	  "", "\\xef\\xbb\\xbfb" },
	{ "cut off", "a\xe2\x82", "", "a\\xe2\\x82" },
	{ "overlong ESC", "\xc0\x9b", "", "\\xc0\\x9b" },
};

static void test_escape(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = strlen(cases[i].text);
		char out[XF_ESCAPED_MAX(64) + 1];

		*xf_escape(out, cases[i].text, len, cases[i].keep) = '\0';
		if (strcmp(out, cases[i].want))
			fail_msg("%s: %s", cases[i].name, out);
		assert_true(strlen(out) <= XF_ESCAPED_MAX(len));
	}
}

/* A sequence that goes on behind the length is not read as a whole. */
static void test_length(void **state)
{
	char out[16];

	(void)state;
	*xf_escape(out, "a\xc3\xa4", 2, "") = '\0';
	assert_string_equal(out, "a\\xc3");
	*xf_escape(out, "a\xc3\xa4", 1, "") = '\0';
	assert_string_equal(out, "a");
}

static const struct {
	const char *text, *inside, *json; /* inside a string, and as JSON that is made already */
} json[] = {
	{ "a\"b\\\xc3\xa4\xf0\x9f\x90\xa7", "a\\\"b\\\\\xc3\xa4\xf0\x9f\x90\xa7",
	  "a\"b\\\xc3\xa4\xf0\x9f\x90\xa7" },
	{ "\x1b[31m\x7f", "\\u001b[31m\\u007f", "\\u001b[31m\\u007f" },
	{ "\xc2\x9b\x9b", "\\u009b\\u009b", "\\u009b\\u009b" },
	{ "a\xe2\x80\xaetxt.exe", "a\\u202etxt.exe", "a\\u202etxt.exe" },
	{ "\xe2\x80\xaa\xe2\x81\xa6\xe2\x81\xa9\xd8\x9c\xef\xbb\xbf",
	  "\\u202a\\u2066\\u2069\\u061c\\ufeff", "\\u202a\\u2066\\u2069\\u061c\\ufeff" },
	{ "\xe2\x80\xaf\xe2\x82\xac\xd8\x9d", "\xe2\x80\xaf\xe2\x82\xac\xd8\x9d",
	  "\xe2\x80\xaf\xe2\x82\xac\xd8\x9d" },
	{ "a\xe2\x80", "a\\u00e2\\u0080", "a\\u00e2\\u0080" },
};

static void test_json(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(json) / sizeof(json[0]); i++) {
		const char *at = json[i].text;
		char out[128], *end = out;

		*xf_json_escape(out, sizeof(out), at, strlen(at)) = '\0';
		assert_string_equal(out, json[i].inside);
		while (*at)
			end = xf_json_next(end, &at);
		*end = '\0';
		assert_string_equal(out, json[i].json);
	}
}

#define RED "\x1b[31m"

static void test_messages(void **state)
{
	static char text[6000];
	struct capture cap;

	(void)state;
	capture_begin(&cap);
	xf_err("e %s", RED);
	xf_warn("w %s", "\n");
	xf_hint("h %s", RED);
	xf_info("i %s", RED);
	xf_result("r %s", RED);
	xf_quote("q %s\n", RED);
	assert_string_equal(capture_end(&cap), "xdpfun-load: error: e \\x1b[31m\n"
					       "xdpfun-load: warning: w \\x0a\n"
					       "xdpfun-load: hint: h \\x1b[31m\n"
					       "xdpfun-load: i \\x1b[31m\n"
					       "r \\x1b[31m\n"
					       "q \\x1b[31m\n");
	/* Beyond what one write takes, before and after it is escaped. */
	for (size_t len = 900; len < 1800; len += 100) {
		const char *got;

		memset(text, '\x1b', len);
		text[len] = '\0';
		capture_begin(&cap);
		xf_err("%s", text);
		got = capture_end(&cap);
		assert_null(strchr(got, '\x1b'));
		assert_int_equal(strlen(got), strlen("xdpfun-load: error: \n") + 4 * len);
	}
}

/* stdout is caught as stderr is. */
static void test_print(void **state)
{
	int saved = dup(STDOUT_FILENO);
	struct capture cap;

	(void)state;
	fflush(stdout);
	capture_begin(&cap);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	xf_print("%s\t%s\n", "a\nb", RED);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	assert_string_equal(capture_end(&cap), "a\nb\\x09\\x1b[31m\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_escape), cmocka_unit_test(test_length),
		cmocka_unit_test(test_json),   cmocka_unit_test(test_messages),
		cmocka_unit_test(test_print),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
