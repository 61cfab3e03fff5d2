// SPDX-License-Identifier: GPL-2.0-only
#include "tests/prog/worker.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/prog/harness.h"

pid_t xf_worker_start(void (*fn)(void *arg), void *arg)
{
	const struct rlimit no_core = { 0, 0 };
	pid_t parent = getpid(), pid;

	fflush(NULL); /* the parent writes the buffers */
	pid = fork();
	assert_true(pid >= 0);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) /* the parent has ended before the request above */
		_exit(1);
	setrlimit(RLIMIT_CORE, &no_core);
	setenv("CMOCKA_TEST_ABORT", "1", 1);
	fn(arg);
	_exit(0);
}

static int wait_for(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

bool xf_worker_succeeded(pid_t pid, const char *name)
{
	int status = wait_for(pid);

	if (WIFSIGNALED(status))
		fprintf(stderr, "\n%s: %s\n", name, strsignal(WTERMSIG(status)));
	else if (status)
		fprintf(stderr, "\n%s: exit status %d\n", name, WEXITSTATUS(status));
	return !status;
}

void xf_worker_kill(pid_t pid)
{
	int status;

	assert_int_equal(kill(pid, SIGKILL), 0);
	status = wait_for(pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGKILL);
}
