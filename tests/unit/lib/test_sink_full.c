// SPDX-License-Identifier: GPL-2.0-only
/* The sink on a full disk: each line is accounted for, and a half line is cut off when the sink has
 * opened the file and written its end. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/unit/lib/sink_fixture.h"

#define SMALL_FILE 10000 /* RLIMIT_FSIZE of the tests of a full disk */

static void test_dev_full(void **state)
{
	struct env *env = *state;
	struct xf_sink_opts opts = { .path = "/dev/full" };
	const char *said;

	assert_int_equal(open_with(env, &opts), 0);
	put_lines(env->sink, 101);
	capture_begin(&env->cap);
	assert_int_equal(xf_sink__flush(env->sink), XF_SINK_FAILED);
	assert_int_equal(xf_sink__flush(env->sink), XF_SINK_FAILED);
	assert_int_equal(xf_sink__finish(env->sink, 1000), XF_SINK_FAILED);
	said = capture_end(&env->cap);
	assert_non_null(strstr(said, "cannot write to /dev/full: No space left"));
	assert_null(strstr(strstr(said, "cannot write") + 1, "cannot write"));
	assert_non_null(strstr(said, "hint: "));
	want_counts(env, 0, 0, 51, 50);
}

/* Returns the size of a file of @before bytes and the lines of put_lines() that fit into
 * SMALL_FILE, and sets @taken to their numbers by source. */
static size_t whole_lines(size_t before, uint64_t taken[2])
{
	size_t at = before;

	taken[0] = taken[1] = 0;
	for (unsigned int i = 0; at + line_len(i) <= SMALL_FILE; i++) {
		at += line_len(i);
		taken[i % 2]++;
	}
	return at;
}

static void fill_disk(struct env *env, bool append, size_t before)
{
	struct rlimit small = env->fsize;
	uint64_t taken[2];
	struct stat st;
	size_t size = whole_lines(before, taken);

	small.rlim_cur = SMALL_FILE;
	assert_int_equal(open_file(env, append, false), 0);
	put_lines(env->sink, 100);
	capture_begin(&env->cap);
	setrlimit(RLIMIT_FSIZE, &small);
	assert_int_equal(xf_sink__flush(env->sink), XF_SINK_FAILED);
	want_counts(env, taken[0], taken[1], 50 - taken[0], 50 - taken[1]);
	stat(env->file, &st);
	assert_int_equal(st.st_size, SMALL_FILE);
	assert_int_equal(xf_sink__finish(env->sink, 1000), XF_SINK_FAILED);
	setrlimit(RLIMIT_FSIZE, &env->fsize);
	assert_non_null(strstr(capture_end(&env->cap), env->file));
	want_counts(env, taken[0], taken[1], 50 - taken[0], 50 - taken[1]);
	stat(env->file, &st);
	assert_int_equal(st.st_size, size);
	assert_true(size < SMALL_FILE);
}

static void test_full_disk(void **state)
{
	fill_disk(*state, false, 0);
}

static void test_full_disk_append(void **state)
{
	struct env *env = *state;
	char text[SMALL_FILE];

	write_file(env->file, "old\n");
	fill_disk(env, true, 4);
	read_file(env->file, text, sizeof(text));
	assert_memory_equal(text, "old\n", 4);
}

/* Another process has written behind the half line, so that cutting it off would destroy its line.
 */
static void test_full_disk_and_a_second_writer(void **state)
{
	struct env *env = *state;
	struct rlimit small = env->fsize;
	struct stat st;
	int fd;

	small.rlim_cur = SMALL_FILE;
	assert_int_equal(open_file(env, true, false), 0);
	put_lines(env->sink, 100);
	capture_begin(&env->cap);
	setrlimit(RLIMIT_FSIZE, &small);
	assert_int_equal(xf_sink__flush(env->sink), XF_SINK_FAILED);
	setrlimit(RLIMIT_FSIZE, &env->fsize);
	fd = open(env->file, O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, "other\n", 6), 6);
	close(fd);
	xf_sink__finish(env->sink, 0);
	capture_end(&env->cap);
	stat(env->file, &st);
	assert_int_equal(st.st_size, SMALL_FILE + 6);
}

/* A file that the shell has opened is not cut. */
static void test_full_disk_on_stdout(void **state)
{
	struct env *env = *state;
	struct rlimit small = env->fsize;
	int fd = open(env->file, O_WRONLY | O_CREAT, 0600);
	enum xf_sink_state end;
	uint64_t taken[2];
	struct stat st;
	int err;

	whole_lines(0, taken);
	small.rlim_cur = SMALL_FILE;
	err = open_stdout_on(env, fd);
	assert_int_equal(err, 0);
	put_lines(env->sink, 100);
	capture_begin(&env->cap);
	setrlimit(RLIMIT_FSIZE, &small);
	end = xf_sink__finish(env->sink, 0);
	sink_restore(env);
	assert_non_null(strstr(capture_end(&env->cap), "standard output"));
	assert_int_equal(end, XF_SINK_FAILED);
	want_counts(env, taken[0], taken[1], 50 - taken[0], 50 - taken[1]);
	fstat(fd, &st);
	assert_int_equal(st.st_size, SMALL_FILE);
	close(fd);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, sink_set_up, sink_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_dev_full),
		TEST(test_full_disk),
		TEST(test_full_disk_append),
		TEST(test_full_disk_and_a_second_writer),
		TEST(test_full_disk_on_stdout),
	};

	signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests_name("sink_full", tests, NULL, NULL);
}
