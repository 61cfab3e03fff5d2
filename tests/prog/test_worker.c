// SPDX-License-Identifier: GPL-2.0-only
/* A failure in a worker fails the test that started it and no other, and no test runs twice. The
 * output of a program with such tests shows it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/prog/harness.h"
#include "tests/prog/worker.h"

static void returns(void *arg)
{
	(void)arg;
}

static void assertion_fails(void *arg)
{
	assert_int_equal(*(int *)arg, 2);
}

static void message_fails(void *arg)
{
	fail_msg("the worker got %d", *(int *)arg);
}

static void crashes(void *arg)
{
	(void)arg;
	raise(SIGSEGV);
}

static void exits(void *arg)
{
	_exit(*(int *)arg);
}

static void is_killed(void *arg)
{
	(void)arg;
	raise(SIGKILL);
}

static const struct {
	const char *name;
	void (*fn)(void *arg);
	const char *says; /* NULL: it succeeds */
} rows[] = {
	{ "returns", returns, NULL },
	{ "assertion", assertion_fails, "assertion: Aborted" },
	{ "message", message_fails, "the worker got 1" },
	{ "crash", crashes, "crash: Aborted" },
	{ "status", exits, "status: exit status 1" },
	{ "killed", is_killed, "killed: Killed" },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* ---- the program with workers: one test a row, in order ---- */

static void run_row(void **state)
{
	size_t row = *(const size_t *)*state;
	int one = 1;

	assert_true(xf_worker_succeeded(xf_worker_start(rows[row].fn, &one), rows[row].name));
}

static int run_rows(void)
{
	struct CMUnitTest tests[ROWS];
	size_t numbers[ROWS];

	for (size_t i = 0; i < ROWS; i++) {
		numbers[i] = i;
		tests[i] = (struct CMUnitTest) {
			.name = rows[i].name,
			.test_func = run_row,
			.initial_state = &numbers[i],
		};
	}
	return cmocka_run_group_tests_name("rows", tests, NULL, NULL);
}

/* ---- its output ---- */

struct output {
	char text[8192];
	int status;
};

static void run_ourselves(struct output *output)
{
	char self[256] = "", command[300];
	FILE *program;
	size_t n;

	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	snprintf(command, sizeof(command), "CMOCKA_MESSAGE_OUTPUT=TAP '%s' rows 2>&1", self);
	program = popen(command, "r");
	assert_non_null(program);
	n = fread(output->text, 1, sizeof(output->text) - 1, program);
	output->text[n] = '\0';
	output->status = pclose(program);
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}

static void each_test_runs_once(void **state)
{
	const struct output *output = *state;
	char plan[16];

	snprintf(plan, sizeof(plan), "1..%zu\n", ROWS);
	assert_int_equal(count(output->text, plan), 1);
	assert_int_equal(count(output->text, "\nok ") + count(output->text, "\nnot ok "), ROWS);
}

static void failures_are_those_of_the_rows(void **state)
{
	const struct output *output = *state;
	int failed = 0;

	for (size_t i = 0; i < ROWS; i++) {
		char line[64];

		snprintf(line, sizeof(line), "\n%sok %zu - %s\n", rows[i].says ? "not " : "", i + 1,
			 rows[i].name);
		if (count(output->text, line) != 1)
			fail_msg("\"%s\" is not once in: %s", line + 1, output->text);
		if (rows[i].says && !strstr(output->text, rows[i].says))
			fail_msg("\"%s\" is not in: %s", rows[i].says, output->text);
		failed += !!rows[i].says;
	}
	assert_true(WIFEXITED(output->status));
	assert_int_equal(WEXITSTATUS(output->status), failed);
}

int main(int argc, char **argv)
{
	static struct output output;
	struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(each_test_runs_once, &output),
		cmocka_unit_test_prestate(failures_are_those_of_the_rows, &output),
	};

	if (argc == 2 && !strcmp(argv[1], "rows"))
		return run_rows();
	run_ourselves(&output);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
