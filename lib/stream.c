// SPDX-License-Identifier: GPL-2.0-only
/* Writes to stdout or stderr without waiting for their reader. */
#include "lib/stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* O_NONBLOCK belongs to the file description, which the shell and the other processes of a pipeline
 * share: open the pipe or terminal anew to get one of our own. Returns it, or -1 on failure. */
static int open_again(int fd, const struct stat *st)
{
	char path[32];

	if (S_ISCHR(st->st_mode) && st->st_rdev == makedev(5, 2))
		return -1; /* /dev/ptmx makes another terminal of each open */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

int xf_stream_open(int fd, enum xf_stream *kind)
{
	struct stat st;
	int own;

	/* A descriptor that is open for reading only (main() opens a closed one so) would become
	 * writable by opening it anew. */
	if (fstat(fd, &st) || (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY)
		return -EBADF;
	if (S_ISSOCK(st.st_mode)) {
		*kind = XF_STREAM_SOCKET;
		return fd;
	}
	if (!S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode)) {
		*kind = XF_STREAM_FILE;
		return fd;
	}
	own = open_again(fd, &st);
	*kind = own >= 0 ? XF_STREAM_OWN : XF_STREAM_SHARED;
	return own >= 0 ? own : fd;
}

/* A write that could block is limited to PIPE_BUF bytes, which fit: a pipe that is ready has at
 * least one free page. */
static ssize_t write_shared(int fd, const void *data, size_t len)
{
	struct pollfd ready = { .fd = fd, .events = POLLOUT };

	if (poll(&ready, 1, 0) == 0) {
		errno = EAGAIN;
		return -1;
	}
	return write(fd, data, len < PIPE_BUF ? len : PIPE_BUF);
}

ssize_t xf_stream_write(int fd, enum xf_stream kind, const void *data, size_t len)
{
	switch (kind) {
	case XF_STREAM_SOCKET:
		return send(fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	case XF_STREAM_SHARED:
		return write_shared(fd, data, len);
	default:
		return write(fd, data, len);
	}
}
