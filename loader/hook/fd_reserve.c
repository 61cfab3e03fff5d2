// SPDX-License-Identifier: GPL-2.0-only
/* Descriptors that are kept back for attaching and detaching. */
#include "loader/hook/fd_reserve.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "lib/msg.h"
#include "loader/hook/hints.h"

static int fds[XF_FD_RESERVE];
static unsigned int n;
static bool in_use;

void xf_fd_reserve__lend(void)
{
	while (n)
		close(fds[--n]);
}

int xf_fd_reserve__take_back(void)
{
	while (in_use && n < XF_FD_RESERVE) {
		fds[n] = open("/", O_PATH | O_CLOEXEC);
		if (fds[n] < 0)
			return -errno;
		n++;
	}
	return 0;
}

int xf_fd_reserve__open(void)
{
	int err;

	in_use = true;
	err = xf_fd_reserve__take_back();
	if (!err)
		return 0;
	xf_fd_reserve__close();
	xf_err("cannot keep %d descriptors back for attaching and detaching: %s", XF_FD_RESERVE,
	       strerror(-err));
	xf_hint_open_files();
	return err;
}

void xf_fd_reserve__close(void)
{
	xf_fd_reserve__lend();
	in_use = false;
}
