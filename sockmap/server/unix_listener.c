// SPDX-License-Identifier: GPL-2.0-only
/* A listening UNIX socket and its file. */
#include "sockmap/server/unix_listener.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sockmap/route/endpoint.h"

/* Whether the file is a socket on which nobody listens, as a process leaves it that has ended. */
static bool is_stale(const struct xf_addr *addr)
{
	struct sockaddr_un un;
	struct stat st;
	socklen_t len;
	const struct sockaddr *sa = xf_endpoint_for_kernel(addr, &un, &len);
	int fd, err = 0;

	if (addr->un.path[0] != '/' || lstat(addr->un.path, &st) || !S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	if (connect(fd, sa, len))
		err = errno;
	close(fd);
	return err == ECONNREFUSED;
}

int xf_unix_listener__bind(struct xf_listener *listener, const struct xf_addr *addr)
{
	struct sockaddr_un un;
	struct stat st;
	socklen_t len;
	const struct sockaddr *sa = xf_endpoint_for_kernel(addr, &un, &len);
	int err = bind(listener->fd, sa, len) ? -errno : 0;

	if (err == -EADDRINUSE && is_stale(addr)) {
		unlink(addr->un.path);
		err = bind(listener->fd, sa, len) ? -errno : 0;
	}
	if (!err && addr->un.path[0] == '/' && !stat(addr->un.path, &st)) {
		listener->file_dev = st.st_dev;
		listener->file_ino = st.st_ino;
	}
	return err;
}

void xf_unix_listener__remove(const struct xf_listener *listener)
{
	const char *path = listener->address.un.path;
	struct stat st;

	if (listener->file_ino && !lstat(path, &st) && st.st_dev == listener->file_dev &&
	    st.st_ino == listener->file_ino)
		unlink(path);
}
