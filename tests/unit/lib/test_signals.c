// SPDX-License-Identifier: GPL-2.0-only
/* Signals: which ends a process, which asks for something, and which does nothing. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/msg.h"
#include "lib/signals.h"

static sigset_t before;
static int fd;

static int begin(void **state)
{
	(void)state;
	sigprocmask(SIG_SETMASK, NULL, &before);
	xf_msg_level_set(XF_QUIET);
	xf_signals_block();
	fd = xf_signals_open();
	return fd < 0;
}

static int end(void **state)
{
	(void)state;
	close(fd);
	xf_msg_level_set(XF_NORMAL);
	return sigprocmask(SIG_SETMASK, &before, NULL);
}

static enum xf_signal what_is(int signal)
{
	enum xf_signal what;

	assert_int_equal(kill(getpid(), signal), 0);
	what = xf_signals_read(fd);
	assert_int_equal(xf_signals_read(fd), XF_SIGNAL_NONE);
	return what;
}

static void test_meanings(void **state)
{
	(void)state;
	assert_int_equal(xf_signals_read(fd), XF_SIGNAL_NONE);
	assert_int_equal(what_is(SIGHUP), XF_SIGNAL_HANGUP);
	assert_int_equal(what_is(SIGUSR1), XF_SIGNAL_COUNTERS);
	assert_int_equal(what_is(SIGINT), XF_SIGNAL_END);
	assert_int_equal(what_is(SIGTERM), XF_SIGNAL_END);
	assert_int_equal(what_is(SIGUSR2), XF_SIGNAL_END);
	assert_int_equal(what_is(SIGALRM), XF_SIGNAL_END);
	for (int signal = SIGRTMIN; signal <= SIGRTMAX; signal++)
		assert_int_equal(what_is(signal), XF_SIGNAL_END);
}

/* An ignored SIGHUP is read, since it may ask for more than the end. */
static void test_ignored_hangup(void **state)
{
	(void)state;
	signal(SIGHUP, SIG_DFL);
	assert_true(xf_signals_hangup_ends());
	signal(SIGHUP, SIG_IGN);
	assert_int_equal(what_is(SIGHUP), XF_SIGNAL_HANGUP);
	assert_false(xf_signals_hangup_ends());
	signal(SIGHUP, SIG_DFL);
}

static void test_not_read(void **state)
{
	static const int others[] = { SIGCONT, SIGCHLD, SIGURG, SIGWINCH };

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_int_equal(kill(getpid(), others[i]), 0);
		assert_int_equal(xf_signals_read(fd), XF_SIGNAL_NONE);
	}
}

/* Blocked or not, a fault ends the process that has it. */
static void test_faults(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (!pid) {
		signal(SIGTRAP, SIG_DFL);
		__builtin_trap();
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_meanings, begin, end),
		cmocka_unit_test_setup_teardown(test_ignored_hangup, begin, end),
		cmocka_unit_test_setup_teardown(test_not_read, begin, end),
		cmocka_unit_test_setup_teardown(test_faults, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
