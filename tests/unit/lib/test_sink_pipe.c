// SPDX-License-Identifier: GPL-2.0-only
/* The sink with pipes and sockets whose readers are slow, have stopped or are gone: nothing hangs,
 * and each line is accounted for. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "lib/time.h"
#include "loader/format/format.h"
#include "tests/unit/lib/sink_fixture.h"

static int64_t now_ms(void)
{
	return xf_now_ns(CLOCK_MONOTONIC) / XF_MSEC;
}

#define PATIENCE_MS 150

/* The control: a thread that only sleeps for PATIENCE_MS. */
static void *sleep_beside(void *arg)
{
	int64_t *took = arg, begin = now_ms();

	poll(NULL, 0, PATIENCE_MS);
	*took = now_ms() - begin;
	return NULL;
}

/* Put lines and flush until the sink is full, and count the lines by source. */
static void fill(struct xf_sink *sink, uint64_t put[2])
{
	bool room = true;

	while (room) {
		for (unsigned int i = 0; i < 64 && room; i++) {
			room = put_line(sink, i % 2, i, line_len(i));
			put[i % 2] += room;
		}
		xf_sink__flush(sink);
	}
}

/* Reads lines of put_line() and counts the whole ones by source. It keeps the half line at the end
 * for the next read. */
struct reader {
	char half[XF_OUT_MAX];
	size_t half_len;
	uint64_t lines[2];
};

static size_t read_some(struct reader *reader, int fd, size_t max)
{
	static char text[1 << 16];
	ssize_t len = read(fd, text, max < sizeof(text) ? max : sizeof(text));

	for (ssize_t i = 0; i < len; i++) {
		reader->half[reader->half_len++] = text[i];
		if (text[i] != '\n')
			continue;
		assert_in_range(reader->half[1], 'a', 'b');
		reader->lines[reader->half[1] - 'a']++;
		reader->half_len = 0;
	}
	return len > 0 ? len : 0;
}

/* Fill a sink whose output is never read: nothing hangs, and the sink knows to the line what the
 * output has taken. Returns the length of the half line at its end. */
static size_t check_stuck(struct env *env, int out, int in)
{
	struct reader reader = { .half_len = 0 };
	uint64_t put[2] = { 0 }, taken[2];
	int64_t begin, took, beside;
	pthread_t control;

	fill(env->sink, put);
	assert_true(xf_sink__pending(env->sink) > 1 << 19);
	assert_int_equal(xf_sink__state(env->sink), XF_SINK_OK);
	for (int i = 0; i < 2; i++) {
		taken[i] = xf_sink__taken(env->sink, i);
		assert_int_equal(taken[i] + xf_sink__untaken(env->sink, i), put[i]);
	}
	assert_int_equal(pthread_create(&control, NULL, sleep_beside, &beside), 0);
	begin = now_ms();
	capture_begin(&env->cap);
	assert_int_equal(xf_sink__finish(env->sink, PATIENCE_MS), XF_SINK_OK);
	took = now_ms() - begin;
	assert_non_null(strstr(capture_end(&env->cap), "takes no more"));
	pthread_join(control, NULL);
	sink_restore(env);
	assert_true(took >= PATIENCE_MS);
	if (took > 10 * beside)
		fail_msg("gave up after %lld ms; a sleep beside it took %lld", (long long)took,
			 (long long)beside);
	close(out);
	while (read_some(&reader, in, 1 << 16))
		;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(reader.lines[i], taken[i]);
		assert_int_equal(xf_sink__taken(env->sink, i), taken[i]);
		assert_int_equal(xf_sink__untaken(env->sink, i), put[i] - taken[i]);
	}
	return reader.half_len;
}

static void test_pipe_never_read(void **state)
{
	struct env *env = *state;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(open_stdout_on(env, fds[1]), 0);
	assert_true(xf_sink__fd(env->sink) > STDERR_FILENO);
	/* The shared open file description keeps its mode. */
	assert_int_equal(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
	assert_true(check_stuck(env, fds[1], fds[0]) > 0);
	close(fds[0]);
}

static void test_socket_never_read(void **state)
{
	struct env *env = *state;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(open_stdout_on(env, fds[1]), 0);
	assert_int_equal(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
	check_stuck(env, fds[1], fds[0]); /* sockets tend to take whole pieces */
	close(fds[0]);
}

/* From a pipe that is read in odd pieces every line arrives, and the accounts are right after each
 * piece. */
static void test_pipe_read_slowly(void **state)
{
	struct reader reader = { .half_len = 0 };
	struct env *env = *state;
	uint64_t put[2] = { 0 };
	unsigned int n = 0;
	int fds[2], size, queued = 0;

	assert_int_equal(pipe(fds), 0);
	fcntl(fds[0], F_SETFL, O_NONBLOCK);
	size = fcntl(fds[1], F_SETPIPE_SZ, 4096);
	assert_true(size >= 4096);
	assert_int_equal(open_stdout_on(env, fds[1]), 0);
	for (int round = 0; round < 3000; round++) {
		for (int i = 0; i < 4; i++, n++)
			if (put_line(env->sink, n % 2, n, line_len(n)))
				put[n % 2]++;
		assert_int_equal(xf_sink__flush(env->sink), XF_SINK_OK);
		for (int i = 0; i < 2; i++) {
			assert_int_equal(
			    xf_sink__taken(env->sink, i) + xf_sink__untaken(env->sink, i), put[i]);
			assert_true(xf_sink__taken(env->sink, i) >= reader.lines[i]);
		}
		read_some(&reader, fds[0], 1 + round * 31 % 3000);
	}
	while (xf_sink__pending(env->sink) || queued) {
		xf_sink__flush(env->sink);
		queued = read_some(&reader, fds[0], 1 << 16);
	}
	assert_int_equal(xf_sink__finish(env->sink, 100), XF_SINK_OK);
	sink_restore(env);
	read_some(&reader, fds[0], 1 << 16);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(reader.lines[i], put[i]);
		assert_int_equal(xf_sink__taken(env->sink, i), put[i]);
	}
	assert_int_equal(reader.half_len, 0);
	close(fds[0]);
	close(fds[1]);
}

static void test_pipe_closed(void **state)
{
	struct env *env = *state;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(open_stdout_on(env, fds[1]), 0);
	put_lines(env->sink, 10);
	assert_int_equal(xf_sink__flush(env->sink), XF_SINK_OK);
	close(fds[0]);
	put_lines(env->sink, 11);
	capture_begin(&env->cap);
	assert_int_equal(xf_sink__flush(env->sink), XF_SINK_CLOSED);
	assert_int_equal(xf_sink__flush(env->sink), XF_SINK_CLOSED);
	assert_int_equal(xf_sink__finish(env->sink, 1000), XF_SINK_CLOSED);
	assert_string_equal(capture_end(&env->cap), "");
	want_counts(env, 5, 5, 6, 5);
	sink_restore(env);
	close(fds[1]);
}

static void test_pipe_closed_from_the_start(void **state)
{
	struct env *env = *state;
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	close(fds[0]);
	assert_int_equal(open_stdout_on(env, fds[1]), 0);
	put_lines(env->sink, 2);
	assert_int_equal(xf_sink__finish(env->sink, 1000), XF_SINK_CLOSED);
	want_counts(env, 0, 0, 1, 1);
	sink_restore(env);
	close(fds[1]);
}

/* Open the sink on a FIFO that cannot be opened anew, because it has no reader, so that the sink
 * has to use stdout itself. Returns the writing end. */
static int open_shared(struct env *env)
{
	int in, out;

	assert_int_equal(mkfifo(env->file, 0600), 0);
	in = open(env->file, O_RDONLY | O_NONBLOCK);
	out = open(env->file, O_WRONLY);
	close(in);
	assert_int_equal(open_stdout_on(env, out), 0);
	assert_int_equal(xf_sink__fd(env->sink), STDOUT_FILENO);
	assert_int_equal(fcntl(out, F_GETFL) & O_NONBLOCK, 0);
	return out;
}

static void test_shared_pipe_never_read(void **state)
{
	struct env *env = *state;
	int out = open_shared(env), in = open(env->file, O_RDONLY | O_NONBLOCK);

	assert_true(check_stuck(env, out, in) > 0);
	close(in);
}

static void test_shared_pipe_closed(void **state)
{
	struct env *env = *state;
	int out = open_shared(env);

	put_lines(env->sink, 2);
	assert_int_equal(xf_sink__finish(env->sink, 1000), XF_SINK_CLOSED);
	want_counts(env, 0, 0, 1, 1);
	sink_restore(env);
	close(out);
}

static void test_socket_closed(void **state)
{
	struct env *env = *state;
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(open_stdout_on(env, fds[1]), 0);
	close(fds[0]);
	put_lines(env->sink, 2);
	assert_int_equal(xf_sink__finish(env->sink, 1000), XF_SINK_CLOSED);
	want_counts(env, 0, 0, 1, 1);
	sink_restore(env);
	close(fds[1]);
}

/* The reader of a pipe that has half a line gets the rest of it before the sink reopens. */
static void test_reopen_in_the_middle_of_a_line(void **state)
{
	struct env *env = *state;
	uint64_t put[2] = { 0 };
	int fd;

	assert_int_equal(mkfifo(env->file, 0600), 0);
	fd = open(env->file, O_RDONLY | O_NONBLOCK);
	assert_int_equal(open_file(env, false, false), 0);
	fill(env->sink, put);
	capture_begin(&env->cap);
	assert_int_equal(xf_sink__reopen(env->sink), -EAGAIN);
	assert_non_null(strstr(capture_end(&env->cap), "SIGHUP"));
	close(fd);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, sink_set_up, sink_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pipe_never_read),
		TEST(test_socket_never_read),
		TEST(test_pipe_read_slowly),
		TEST(test_pipe_closed),
		TEST(test_pipe_closed_from_the_start),
		TEST(test_shared_pipe_never_read),
		TEST(test_shared_pipe_closed),
		TEST(test_socket_closed),
		TEST(test_reopen_in_the_middle_of_a_line),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("sink_pipe", tests, NULL, NULL);
}
