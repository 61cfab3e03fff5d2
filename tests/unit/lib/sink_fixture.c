// SPDX-License-Identifier: GPL-2.0-only
/* The folder of each test of the sink, and lines of known lengths. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "loader/format/format.h"
#include "tests/unit/lib/sink_fixture.h"

#define SOURCES 64

int sink_set_up(void **state)
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

void sink_restore(struct env *env)
{
	dup2(env->stdout_saved, STDOUT_FILENO);
	setrlimit(RLIMIT_FSIZE, &env->fsize);
}

int sink_tear_down(void **state)
{
	struct env *env = *state;
	char old[96];

	sink_restore(env);
	close(env->stdout_saved);
	xf_sink__free(env->sink);
	snprintf(old, sizeof(old), "%s.1", env->file);
	unlink(old);
	unlink(env->file);
	rmdir(env->dir);
	free(env);
	return 0;
}

int open_with(struct env *env, const struct xf_sink_opts *opts)
{
	return xf_sink__open(&env->sink, opts) ?: xf_sink__sources(env->sink, SOURCES);
}

int open_file(struct env *env, bool append, bool force)
{
	struct xf_sink_opts opts = { .path = env->file, .append = append, .force = force };

	return open_with(env, &opts);
}

int open_stdout_on(struct env *env, int fd)
{
	struct xf_sink_opts opts = { .path = NULL };

	dup2(fd, STDOUT_FILENO);
	return open_with(env, &opts);
}

bool put_line(struct xf_sink *sink, unsigned int source, unsigned int n, size_t len)
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

size_t line_len(unsigned int n)
{
	return 20 + n * 7919 % (XF_OUT_MAX - 20);
}

void put_lines(struct xf_sink *sink, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		assert_true(put_line(sink, i % 2, i, line_len(i)));
}

size_t read_file(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "r");
	size_t len;

	assert_non_null(file);
	len = fread(text, 1, size - 1, file);
	text[len] = '\0';
	fclose(file);
	return len;
}

void put_text(struct xf_sink *sink, const char *text, unsigned int source)
{
	char *room = xf_sink__room(sink, XF_OUT_MAX);

	assert_non_null(room);
	memcpy(room, text, strlen(text));
	xf_sink__put(sink, strlen(text), source);
}

void want_text(const char *path, const char *want)
{
	static char text[1 << 16];

	read_file(path, text, sizeof(text));
	assert_string_equal(text, want);
}

void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

void want_counts(const struct env *env, uint64_t taken0, uint64_t taken1, uint64_t untaken0,
		 uint64_t untaken1)
{
	assert_int_equal(xf_sink__taken(env->sink, 0), taken0);
	assert_int_equal(xf_sink__taken(env->sink, 1), taken1);
	assert_int_equal(xf_sink__untaken(env->sink, 0), untaken0);
	assert_int_equal(xf_sink__untaken(env->sink, 1), untaken1);
}
