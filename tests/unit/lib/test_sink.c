// SPDX-License-Identifier: GPL-2.0-only
/* The sink with files: each kind is opened, reopened or refused, and each line is accounted for. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/unit/lib/sink_fixture.h"

static void test_new_file(void **state)
{
	struct env *env = *state;
	struct stat st;

	umask(022);
	assert_int_equal(open_file(env, false, false), 0);
	assert_int_equal(xf_sink__fd(env->sink), -1);
	put_text(env->sink, "one\n", 0);
	put_text(env->sink, "two\n", 1);
	put_text(env->sink, "three\n", 0);
	want_counts(env, 0, 0, 2, 1);
	assert_int_equal(xf_sink__pending(env->sink), 14);
	assert_int_equal(xf_sink__flush(env->sink), XF_SINK_OK);
	want_counts(env, 2, 1, 0, 0);
	assert_int_equal(xf_sink__pending(env->sink), 0);
	put_text(env->sink, "four\n", 63);
	assert_int_equal(xf_sink__finish(env->sink, 0), XF_SINK_OK);
	assert_int_equal(xf_sink__taken(env->sink, 63), 1);
	want_text(env->file, "one\ntwo\nthree\nfour\n");
	assert_int_equal(stat(env->file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
}

static void test_existing_file(void **state)
{
	struct env *env = *state;
	const char *said;

	write_file(env->file, "old\n");
	capture_begin(&env->cap);
	assert_int_equal(open_file(env, false, false), -EEXIST);
	said = capture_end(&env->cap);
	assert_non_null(strstr(said, env->file));
	assert_non_null(strstr(said, "--append"));
	assert_non_null(strstr(said, "--force"));
	assert_null(env->sink);
	want_text(env->file, "old\n");
}

static void test_append(void **state)
{
	struct env *env = *state;

	write_file(env->file, "old\n");
	assert_int_equal(open_file(env, true, false), 0);
	put_text(env->sink, "new\n", 0);
	assert_int_equal(xf_sink__finish(env->sink, 0), XF_SINK_OK);
	want_text(env->file, "old\nnew\n");
}

static void test_append_to_none(void **state)
{
	struct env *env = *state;

	assert_int_equal(open_file(env, true, false), 0);
	put_text(env->sink, "new\n", 0);
	assert_int_equal(xf_sink__finish(env->sink, 0), XF_SINK_OK);
	want_text(env->file, "new\n");
}

static void test_force(void **state)
{
	struct env *env = *state;

	write_file(env->file, "old and longer\n");
	assert_int_equal(open_file(env, false, true), 0);
	want_text(env->file, "old and longer\n");
	xf_sink__begin(env->sink);
	put_text(env->sink, "new\n", 0);
	assert_int_equal(xf_sink__finish(env->sink, 0), XF_SINK_OK);
	want_text(env->file, "new\n");
}

/* A sink that did not begin leaves an existing file alone, and removes a new one. */
static void test_not_begun(void **state)
{
	struct env *env = *state;

	assert_int_equal(open_file(env, false, false), 0);
	xf_sink__free(env->sink);
	env->sink = NULL;
	assert_int_not_equal(access(env->file, F_OK), 0);
	write_file(env->file, "old\n");
	assert_int_equal(open_file(env, false, true), 0);
	xf_sink__free(env->sink);
	env->sink = NULL;
	want_text(env->file, "old\n");
}

static void test_open_errors(void **state)
{
	static const struct {
		const char *path, *says;
		int err;
	} rows[] = {
		{ "/no/such/folder/log", "No such file", -ENOENT },
		{ "/tmp", "/tmp", -EISDIR },
		{ "/proc/version", "/proc/version", -EACCES },
	};
	struct env *env = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct xf_sink_opts opts = { .path = rows[i].path };
		const char *said;
		int err;

		capture_begin(&env->cap);
		err = open_with(env, &opts);
		said = capture_end(&env->cap);
		/* Root may open the read-only file, and gets the error that it exists. */
		if (err != rows[i].err &&
		    !(geteuid() == 0 && rows[i].err == -EACCES && err == -EEXIST))
			fail_msg("%s: %d", rows[i].path, err);
		assert_non_null(strstr(said, rows[i].path));
		if (err == rows[i].err)
			assert_non_null(strstr(said, rows[i].says));
	}
}

static void test_closed_stdout(void **state)
{
	struct env *env = *state;
	struct xf_sink_opts opts = { .path = NULL };
	int err;

	capture_begin(&env->cap);
	close(STDOUT_FILENO);
	err = open_with(env, &opts);
	sink_restore(env);
	assert_non_null(strstr(capture_end(&env->cap), "standard output"));
	assert_int_equal(err, -EBADF);
}

static void test_fifo(void **state)
{
	struct env *env = *state;
	char text[64] = "";
	int fd;

	assert_int_equal(mkfifo(env->file, 0600), 0);
	capture_begin(&env->cap);
	assert_int_equal(open_file(env, false, false), -ENXIO);
	assert_non_null(strstr(capture_end(&env->cap), "nobody reads"));
	fd = open(env->file, O_RDONLY | O_NONBLOCK);
	assert_int_equal(open_file(env, false, false), 0);
	assert_true(xf_sink__fd(env->sink) >= 0);
	put_text(env->sink, "one\n", 0);
	assert_int_equal(xf_sink__finish(env->sink, 0), XF_SINK_OK);
	assert_int_equal(read(fd, text, sizeof(text)), 4);
	assert_string_equal(text, "one\n");
	close(fd);
}

static void test_dev_null(void **state)
{
	struct env *env = *state;
	struct xf_sink_opts opts = { .path = "/dev/null" };

	assert_int_equal(open_with(env, &opts), 0);
	put_lines(env->sink, 100);
	assert_int_equal(xf_sink__finish(env->sink, 0), XF_SINK_OK);
	want_counts(env, 50, 50, 0, 0);
}

/* logrotate moves the file away and sends SIGHUP. Earlier lines go to the old file. */
static void test_reopen(void **state)
{
	struct env *env = *state;
	char old[96];

	snprintf(old, sizeof(old), "%s.1", env->file);
	assert_int_equal(open_file(env, false, false), 0);
	put_text(env->sink, "one\n", 0);
	assert_int_equal(rename(env->file, old), 0);
	assert_int_equal(xf_sink__reopen(env->sink), 0);
	put_text(env->sink, "two\n", 0);
	assert_int_equal(xf_sink__flush(env->sink), XF_SINK_OK);
	want_text(old, "one\n");
	want_text(env->file, "two\n");
	/* The file was not moved, and the sink goes on behind its lines. */
	assert_int_equal(xf_sink__reopen(env->sink), 0);
	put_text(env->sink, "three\n", 1);
	assert_int_equal(xf_sink__finish(env->sink, 0), XF_SINK_OK);
	want_text(env->file, "two\nthree\n");
	want_counts(env, 2, 1, 0, 0);
}

static void test_reopen_fails(void **state)
{
	struct env *env = *state;
	char old[96];

	snprintf(old, sizeof(old), "%s.1", env->file);
	assert_int_equal(open_file(env, false, false), 0);
	assert_int_equal(rename(env->file, old), 0);
	assert_int_equal(mkdir(env->file, 0700), 0);
	capture_begin(&env->cap);
	assert_int_equal(xf_sink__reopen(env->sink), -EISDIR);
	assert_non_null(strstr(capture_end(&env->cap), "stays in use"));
	put_text(env->sink, "one\n", 0);
	assert_int_equal(xf_sink__finish(env->sink, 0), XF_SINK_OK);
	want_text(old, "one\n");
	rmdir(env->file);
}

/* copytruncate empties the file, and later lines start at its beginning. */
static void test_truncated_under_us(void **state)
{
	struct env *env = *state;

	assert_int_equal(open_file(env, false, false), 0);
	put_text(env->sink, "one\n", 0);
	assert_int_equal(xf_sink__flush(env->sink), XF_SINK_OK);
	assert_int_equal(truncate(env->file, 0), 0);
	put_text(env->sink, "two\n", 0);
	assert_int_equal(xf_sink__finish(env->sink, 0), XF_SINK_OK);
	want_text(env->file, "two\n");
}

static void test_reopen_stdout(void **state)
{
	struct env *env = *state;
	int fd = open(env->file, O_WRONLY | O_CREAT, 0600);
	int err = open_stdout_on(env, fd), again = xf_sink__reopen(env->sink);

	sink_restore(env);
	close(fd);
	assert_int_equal(err, 0);
	assert_int_equal(again, 0);
}

/* With very short lines the room for the accounts ends before the room for bytes. */
static void test_short_lines(void **state)
{
	struct env *env = *state;
	uint64_t put[2] = { 0 };
	unsigned int n = 0;

	assert_int_equal(open_file(env, false, false), 0);
	for (int round = 0; round < 3; round++) {
		for (; put_line(env->sink, n % 3 / 2, n, 2 + n % 3); n++)
			put[n % 3 / 2]++;
		assert_true(put[0] > 10000);
		assert_int_equal(xf_sink__flush(env->sink), XF_SINK_OK);
		want_counts(env, put[0], put[1], 0, 0);
	}
	assert_int_equal(xf_sink__finish(env->sink, 0), XF_SINK_OK);
}

/* As many as '-i any' may meet: each has counts of its own, also beyond those that there were. */
static void test_many_sources(void **state)
{
	static const unsigned int some[] = { 0, 64, 255, 256, 300, 4095, 65535 };
	const size_t n = sizeof(some) / sizeof(some[0]);
	struct env *env = *state;

	assert_int_equal(open_file(env, false, false), 0);
	put_text(env->sink, "before\n", 0);
	assert_int_equal(xf_sink__sources(env->sink, 65536), 0);
	assert_int_equal(xf_sink__sources(env->sink, 65537), -E2BIG);
	for (size_t i = 0; i < n; i++)
		for (size_t line = 0; line <= i; line++)
			put_text(env->sink, "line\n", some[i]);
	assert_int_equal(xf_sink__untaken(env->sink, 65535), n);
	assert_int_equal(xf_sink__flush(env->sink), XF_SINK_OK);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(xf_sink__taken(env->sink, some[i]), i + 1 + !i);
		assert_int_equal(xf_sink__untaken(env->sink, some[i]), 0);
	}
	xf_sink__reset(env->sink, 300);
	assert_int_equal(xf_sink__taken(env->sink, 300), 0);
	assert_int_equal(xf_sink__taken(env->sink, 256), 4);
}

static void test_free_nothing(void **state)
{
	(void)state;
	xf_sink__free(NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, sink_set_up, sink_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_new_file),	       TEST(test_existing_file), TEST(test_append),
		TEST(test_append_to_none),     TEST(test_force),	 TEST(test_not_begun),
		TEST(test_open_errors),	       TEST(test_closed_stdout), TEST(test_fifo),
		TEST(test_dev_null),	       TEST(test_reopen),	 TEST(test_reopen_fails),
		TEST(test_truncated_under_us), TEST(test_reopen_stdout), TEST(test_short_lines),
		TEST(test_many_sources),       TEST(test_free_nothing),
	};

	return cmocka_run_group_tests_name("sink", tests, NULL, NULL);
}
