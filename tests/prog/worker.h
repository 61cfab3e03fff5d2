/* SPDX-License-Identifier: GPL-2.0-only */
/* Parts of a test in processes of their own. An assertion that fails in a child must not run the
 * rest of the tests there: cmocka would jump back into the child's copy of its runner. */
#ifndef XF_TEST_WORKER_H
#define XF_TEST_WORKER_H

#include <stdbool.h>
#include <sys/types.h>

/* Run @fn in a child that does nothing else: it ends with status 0 when @fn returns, by SIGABRT
 * (after cmocka's message) when an assertion fails in it or it crashes, and by SIGKILL when the
 * parent ends. Fails the test when there can be no child. */
pid_t xf_worker_start(void (*fn)(void *arg), void *arg);

/* Wait for the end of the child. Returns whether its status was 0, or prints how @name ended. */
bool xf_worker_succeeded(pid_t pid, const char *name);

/* Kill a child that does not end by itself. Fails the test when it has ended before. */
void xf_worker_kill(pid_t pid);

#endif
