// SPDX-License-Identifier: GPL-2.0-only
/* Lines from a file or a pipe, in pieces of every size. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/lines.h"

/* Open @lines on a pipe. Returns the writing end. */
static int open_pipe(struct xf_lines *lines)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(xf_lines__open(lines, "/dev/null"), 0);
	assert_int_equal(dup2(ends[0], lines->fd), lines->fd);
	close(ends[0]);
	return ends[1];
}

static void put(int fd, const char *text, size_t len)
{
	assert_int_equal(write(fd, text, len), len);
}

static void expect(struct xf_lines *lines, const char *wanted, uint64_t number)
{
	const char *line;
	size_t len;

	assert_int_equal(xf_lines__next(lines, 0, &line, &len), 1);
	assert_int_equal(len, strlen(wanted));
	assert_memory_equal(line, wanted, len);
	assert_int_equal(lines->number, number);
}

static int next(struct xf_lines *lines)
{
	const char *line;
	size_t len;

	return xf_lines__next(lines, 0, &line, &len);
}

static void lines_in_pieces(void **state)
{
	struct xf_lines lines;
	int fd = open_pipe(&lines);

	(void)state;
	assert_int_equal(next(&lines), -EAGAIN);
	put(fd, "one\ntwo\r\n\nth", 12);
	expect(&lines, "one", 1);
	expect(&lines, "two", 2);
	expect(&lines, "", 3);
	assert_int_equal(next(&lines), -EAGAIN);
	put(fd, "ree\nfour", 8);
	expect(&lines, "three", 4);
	assert_int_equal(next(&lines), -EAGAIN);
	close(fd);
	assert_false(lines.unterminated);
	expect(&lines, "four", 5);
	assert_true(lines.unterminated);
	assert_int_equal(next(&lines), 0);
	assert_int_equal(next(&lines), 0);
	xf_lines__close(&lines);
}

/* Also where its bytes come one by one; in another line it is text. */
static void a_byte_order_mark(void **state)
{
	struct xf_lines lines;
	int fd = open_pipe(&lines);

	(void)state;
	put(fd, "\xef", 1);
	assert_int_equal(next(&lines), -EAGAIN);
	put(fd, "\xbb\xbfone\r\n\xef\xbb\xbftwo\n", 14);
	close(fd);
	expect(&lines, "one", 1);
	expect(&lines, "\xef\xbb\xbftwo", 2);
	assert_int_equal(next(&lines), 0);
	xf_lines__close(&lines);
}

static void an_empty_file(void **state)
{
	struct xf_lines lines;

	(void)state;
	assert_int_equal(xf_lines__open(&lines, "/dev/null"), 0);
	assert_int_equal(next(&lines), 0);
	xf_lines__close(&lines);
}

/* Read a file with a line of this length between two others. */
static void around(size_t length, bool taken)
{
	char path[] = "/tmp/xdpfun-lines-XXXXXX", *text = malloc(length + 1);
	int fd = mkstemp(path);
	struct xf_lines lines;

	memset(text, 'x', length);
	text[length] = '\0';
	put(fd, "before\n", 7);
	put(fd, text, length);
	put(fd, "\nbehind\n", 8);
	close(fd);
	assert_int_equal(xf_lines__open(&lines, path), 0);
	expect(&lines, "before", 1);
	if (taken)
		expect(&lines, text, 2);
	else
		assert_int_equal(next(&lines), -EMSGSIZE);
	expect(&lines, "behind", 3);
	assert_int_equal(next(&lines), 0);
	xf_lines__close(&lines);
	unlink(path);
	free(text);
}

static void long_lines(void **state)
{
	(void)state;
	around(XF_LINE_MAX - 1, true);
	around(2 * XF_LINE_MAX + 1, false);
	around(20 * XF_LINE_MAX, false);
}

static void many_lines(void **state)
{
	char path[] = "/tmp/xdpfun-lines-XXXXXX", text[32];
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w");
	struct xf_lines lines;

	(void)state;
	for (int i = 0; i < 100000; i++)
		fprintf(file, "line %d\n", i);
	fclose(file);
	assert_int_equal(xf_lines__open(&lines, path), 0);
	for (int i = 0; i < 100000; i++) {
		snprintf(text, sizeof(text), "line %d", i);
		expect(&lines, text, i + 1);
	}
	assert_int_equal(next(&lines), 0);
	xf_lines__close(&lines);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_in_pieces), cmocka_unit_test(a_byte_order_mark),
		cmocka_unit_test(an_empty_file),   cmocka_unit_test(long_lines),
		cmocka_unit_test(many_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
