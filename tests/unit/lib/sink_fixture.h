/* SPDX-License-Identifier: GPL-2.0-only */
/* The tests of the sink have a folder of their own each, and put lines of known lengths. */
#ifndef XF_TEST_SINK_FIXTURE_H
#define XF_TEST_SINK_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include "lib/sink.h"
#include "tests/unit/capture.h"

/* A folder of its own for each test, and the real stdout kept safe. */
struct env {
	char dir[32];
	char file[64];
	struct xf_sink *sink;
	struct capture cap;
	int stdout_saved;
	struct rlimit fsize;
};

int sink_set_up(void **state);
int sink_tear_down(void **state);

/* The part of the clean-up that must come before cmocka prints anything. */
void sink_restore(struct env *env);

int open_with(struct env *env, const struct xf_sink_opts *opts);
int open_file(struct env *env, bool append, bool force);

/* stdout is @fd while the sink is opened. */
int open_stdout_on(struct env *env, int fd);

/* Line number @n of @source, @len bytes with its newline. */
bool put_line(struct xf_sink *sink, unsigned int source, unsigned int n, size_t len);

/* @n lines of line_len() each, from the sources 0 and 1 in turn. */
void put_lines(struct xf_sink *sink, unsigned int n);
size_t line_len(unsigned int n);
void put_text(struct xf_sink *sink, const char *text, unsigned int source);

size_t read_file(const char *path, char *text, size_t size);
void write_file(const char *path, const char *text);

void want_text(const char *path, const char *want);
void want_counts(const struct env *env, uint64_t taken0, uint64_t taken1, uint64_t untaken0,
		 uint64_t untaken1);

#endif
