/* SPDX-License-Identifier: GPL-2.0-only */
/* The folder of each test of the sink, and lines of known lengths. */
#ifndef XF_TEST_SINK_FIXTURE_H
#define XF_TEST_SINK_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include "lib/sink.h"
#include "tests/unit/capture.h"

/* The state of a test. The original stdout is kept in stdout_saved. */
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

/* Restore stdout and the limit of file sizes, before cmocka prints anything. */
void sink_restore(struct env *env);

int open_with(struct env *env, const struct xf_sink_opts *opts);
int open_file(struct env *env, bool append, bool force);

/* Open the sink on stdout, which is a copy of @fd. */
int open_stdout_on(struct env *env, int fd);

/* Put line number @n of @source, of @len bytes with its newline. Returns false when there is no
 * room. */
bool put_line(struct xf_sink *sink, unsigned int source, unsigned int n, size_t len);

/* Put @n lines of line_len() bytes, of the sources 0 and 1 in turn. */
void put_lines(struct xf_sink *sink, unsigned int n);
size_t line_len(unsigned int n);
void put_text(struct xf_sink *sink, const char *text, unsigned int source);

size_t read_file(const char *path, char *text, size_t size);
void write_file(const char *path, const char *text);

void want_text(const char *path, const char *want);
void want_counts(const struct env *env, uint64_t taken0, uint64_t taken1, uint64_t untaken0,
		 uint64_t untaken1);

#endif
