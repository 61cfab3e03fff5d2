// SPDX-License-Identifier: GPL-2.0-only
/* The sink: what outputs of every kind take, and that each line is accounted for whatever happens.
 */
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
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include <cmocka.h>

#include "loader/format/format.h"
#include "lib/sink.h"
#include "tests/unit/capture.h"

#define SMALL_FILE 10000 /* RLIMIT_FSIZE of the tests of a full disk */

/* A folder of its own for each test, and the real stdout kept safe. */
struct env {
	char dir[32];
	char file[64];
	struct xf_sink *sink;
	struct capture cap;
	int stdout_saved;
	struct rlimit fsize;
};

static int setup(void **state)
{
	struct env *env = calloc(1, sizeof(*env));

	strcpy(env->dir, "/tmp/sink.XXXXXX");
	if (!mkdtemp(env->dir))
		return -1;
	snprintf(env->file, sizeof(env->file), "%s/log", env->dir);
	fflush(stdout);
	env->stdout_saved = fcntl(STDOUT_FILENO, F_DUPFD, 10);
	getrlimit(RLIMIT_FSIZE, &env->fsize);
	*state = env;
	return 0;
}

/* The part of the clean-up that must come before cmocka prints anything. */
static void restore(struct env *env)
{
	dup2(env->stdout_saved, STDOUT_FILENO);
	setrlimit(RLIMIT_FSIZE, &env->fsize);
}

static int teardown(void **state)
{
	struct env *env = *state;
	char old[96];

	restore(env);
	close(env->stdout_saved);
	xf_sink__free(env->sink);
	snprintf(old, sizeof(old), "%s.1", env->file);
	unlink(old);
	unlink(env->file);
	rmdir(env->dir);
	free(env);
	return 0;
}

static int open_file(struct env *env, bool append, bool force)
{
	struct xf_sink_opts opts = { .path = env->file, .append = append, .force = force };

	return xf_sink__open(&env->sink, &opts);
}

/* stdout is @fd while the sink is opened. */
static int open_stdout_on(struct env *env, int fd)
{
	struct xf_sink_opts opts = { .path = NULL };

	dup2(fd, STDOUT_FILENO);
	return xf_sink__open(&env->sink, &opts);
}

/* Line number @n of @source, @len bytes with its newline. */
static bool put_line(struct xf_sink *sink, unsigned int source, unsigned int n, size_t len)
{
	char *room = xf_sink__room(sink, XF_OUT_MAX);

	if (!room)
		return false;
	memset(room, 'a' + source, len - 1);
	room[0] = '0' + n % 10;
	room[len - 1] = '\n';
	xf_sink__put(sink, len, source);
	return true;
}

static size_t line_len(unsigned int n)
{
	return 20 + n * 7919 % (XF_OUT_MAX - 20);
}

static void put_lines(struct xf_sink *sink, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		assert_true(put_line(sink, i % 2, i, line_len(i)));
}

static size_t read_file(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "r");
	size_t len;

	assert_non_null(file);
	len = fread(text, 1, size - 1, file);
	text[len] = '\0';
	fclose(file);
	return len;
}

static void put_text(struct xf_sink *sink, const char *text, unsigned int source)
{
	char *room = xf_sink__room(sink, XF_OUT_MAX);

	assert_non_null(room);
	memcpy(room, text, strlen(text));
	xf_sink__put(sink, strlen(text), source);
}

static void want_text(const char *path, const char *want)
{
	static char text[1 << 16];

	read_file(path, text, sizeof(text));
	assert_string_equal(text, want);
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void want_counts(const struct env *env, uint64_t taken0, uint64_t taken1, uint64_t untaken0,
			uint64_t untaken1)
{
	assert_int_equal(xf_sink__taken(env->sink, 0), taken0);
	assert_int_equal(xf_sink__taken(env->sink, 1), taken1);
	assert_int_equal(xf_sink__untaken(env->sink, 0), untaken0);
	assert_int_equal(xf_sink__untaken(env->sink, 1), untaken1);
}

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

/* Nothing began: what was there stays, and what was not there goes again. */
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
		err = xf_sink__open(&env->sink, &opts);
		said = capture_end(&env->cap);
		/* Root may open what is read-only to others, and is then told that it exists. */
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
	err = xf_sink__open(&env->sink, &opts);
	restore(env);
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

	assert_int_equal(xf_sink__open(&env->sink, &opts), 0);
	put_lines(env->sink, 100);
	assert_int_equal(xf_sink__finish(env->sink, 0), XF_SINK_OK);
	want_counts(env, 50, 50, 0, 0);
}

static void test_dev_full(void **state)
{
	struct env *env = *state;
	struct xf_sink_opts opts = { .path = "/dev/full" };
	const char *said;

	assert_int_equal(xf_sink__open(&env->sink, &opts), 0);
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

/* What a limit of SMALL_FILE bytes leaves of the lines of put_lines(), on top of @before bytes. */
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

/* When somebody else has written behind our half line, cutting it off would destroy theirs. */
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

/* A file that the shell opened for us is not ours to cut. */
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
	restore(env);
	assert_non_null(strstr(capture_end(&env->cap), "standard output"));
	assert_int_equal(end, XF_SINK_FAILED);
	want_counts(env, taken[0], taken[1], 50 - taken[0], 50 - taken[1]);
	fstat(fd, &st);
	assert_int_equal(st.st_size, SMALL_FILE);
	close(fd);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

#define PATIENCE_MS 150

/* How long that patience takes for one who only sleeps meanwhile: the control. */
static void *sleep_beside(void *arg)
{
	int64_t *took = arg, begin = now_ms();

	poll(NULL, 0, PATIENCE_MS);
	*took = now_ms() - begin;
	return NULL;
}

/* Fill the sink until it says that it is full, flushing all the while; count what went in. */
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

/* Reads lines of put_line() and counts the whole ones by source; keeps the half one at the end for
 * the next time. */
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

/* An output that is never read: nothing hangs, the sink fills up, and what the output has is known
 * to the line. Returns how much of a line is at its end. */
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
	restore(env);
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
	/* The description that others share keeps its mode. */
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

/* A pipe that is read in odd pieces: every line arrives, and the accounts are right after each
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
	restore(env);
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
	restore(env);
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
	restore(env);
	close(fds[1]);
}

/* A FIFO without readers cannot be opened for writing, so that stdout as it is must do. Returns the
 * writing end. */
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
	restore(env);
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
	restore(env);
	close(fds[1]);
}

/* logrotate: the file is moved away, then SIGHUP. What was put in before goes to the old file. */
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
	/* Not moved this time: it goes on behind what is there. */
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

/* copytruncate: the file is emptied under us, and what follows starts at its beginning. */
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

	restore(env);
	close(fd);
	assert_int_equal(err, 0);
	assert_int_equal(again, 0);
}

/* A pipe's reader that has half a line must get the rest of it, not another file. */
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

/* Many very short lines: the room for the accounts ends before the bytes do, and nothing breaks. */
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

static void test_free_nothing(void **state)
{
	(void)state;
	xf_sink__free(NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_new_file),
		TEST(test_existing_file),
		TEST(test_append),
		TEST(test_append_to_none),
		TEST(test_force),
		TEST(test_not_begun),
		TEST(test_open_errors),
		TEST(test_closed_stdout),
		TEST(test_fifo),
		TEST(test_dev_null),
		TEST(test_dev_full),
		TEST(test_full_disk),
		TEST(test_full_disk_append),
		TEST(test_full_disk_and_a_second_writer),
		TEST(test_full_disk_on_stdout),
		TEST(test_pipe_never_read),
		TEST(test_socket_never_read),
		TEST(test_pipe_read_slowly),
		TEST(test_pipe_closed),
		TEST(test_pipe_closed_from_the_start),
		TEST(test_shared_pipe_never_read),
		TEST(test_shared_pipe_closed),
		TEST(test_socket_closed),
		TEST(test_reopen),
		TEST(test_reopen_fails),
		TEST(test_truncated_under_us),
		TEST(test_reopen_stdout),
		TEST(test_reopen_in_the_middle_of_a_line),
		TEST(test_short_lines),
		TEST(test_free_nothing),
	};

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests_name("sink", tests, NULL, NULL);
}
