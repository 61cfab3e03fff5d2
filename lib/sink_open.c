// SPDX-License-Identifier: GPL-2.0-only
/* Open the output of a sink: a new or existing file, a FIFO, a device, or stdout. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/msg.h"
#include "lib/sink_impl.h"

static bool can_poll(int fd)
{
	struct epoll_event event = { .events = 0 };
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	bool can;

	if (epoll < 0)
		return false;
	can = epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
	close(epoll);
	return can;
}

/* Use @fd from now on. */
static void attach(struct xf_output *out, int fd, enum xf_stream kind, bool own)
{
	*out = (struct xf_output) {
		.fd = fd,
		.kind = kind,
		.own = own,
		.pollable = kind != XF_STREAM_FILE && can_poll(fd),
	};
}

static void hint_open(const char *path, int err)
{
	struct stat st;

	if (err == ENXIO && stat(path, &st) == 0 && S_ISFIFO(st.st_mode))
		xf_hint("nobody reads this FIFO; start its reader first");
	else if (err == EISDIR)
		xf_hint("name a file in that folder");
	else if (err == ENOENT)
		xf_hint("create the folder first, or the file that the symbolic link points to");
	else if (err == EACCES)
		xf_hint("check its permissions; in a folder like /tmp even root may not write to "
			"another user's file (sysctl fs.protected_regular)");
}

/* Returns the file descriptor; -EEXIST without a message for O_EXCL; or another -errno after one.
 */
static int open_flags(const char *path, int flags)
{
	/* O_APPEND keeps the file whole when another process truncates it or writes to it. */
	int fd = open(path, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | flags, 0666);
	int err = errno;

	if (fd >= 0 || (err == EEXIST && flags & O_EXCL))
		return fd >= 0 ? fd : -err;
	xf_err("cannot open %s for writing: %s", path, strerror(err));
	hint_open(path, err);
	return -err;
}

/* Open an existing file without --append or --force: allowed for a FIFO or a character device,
 * which holds no data that could be lost. */
static int open_existing(const char *path)
{
	int fd = open_flags(path, 0);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)))
		return fd;
	close(fd);
	xf_err("%s exists already", path);
	xf_hint("add --append to write behind what it holds, or --force to overwrite it");
	return -EEXIST;
}

int xf_output_open_path(struct xf_output *out, const char *path, bool append, bool force,
			bool *created)
{
	struct stat st;
	int fd;

	if (append || force) {
		*created = access(path, F_OK) != 0;
		fd = open_flags(path, O_CREAT);
	} else {
		*created = true;
		fd = open_flags(path, O_CREAT | O_EXCL);
		if (fd == -EEXIST) {
			*created = false;
			fd = open_existing(path);
		}
	}
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)))
		attach(out, fd, XF_STREAM_OWN, true);
	else
		attach(out, fd, XF_STREAM_FILE, true);
	return 0;
}

int xf_output_open_stdout(struct xf_output *out, const char *hint)
{
	enum xf_stream kind;
	int fd = xf_stream_open(STDOUT_FILENO, &kind);

	if (fd < 0) {
		xf_err("standard output is not open for writing");
		xf_hint("it seems to be closed; %s",
			hint ?: "redirect it to a file, or use --write FILE");
		return fd;
	}
	attach(out, fd, kind, kind == XF_STREAM_OWN);
	return 0;
}
