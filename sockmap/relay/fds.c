// SPDX-License-Identifier: GPL-2.0-only
#include "sockmap/relay/fds.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Held shared by threads that make a descriptor, and exclusively by a thread that has given up its
 * spare. The lock prefers writers, so that the latter does not wait until no other thread makes
 * any. */
static pthread_rwlock_t making = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;

int xf_fds__accept(int listen_fd, struct sockaddr *peer, socklen_t *len)
{
	int fd;

	pthread_rwlock_rdlock(&making);
	fd = accept4(listen_fd, peer, len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	fd = fd < 0 ? -errno : fd;
	pthread_rwlock_unlock(&making);
	return fd;
}

int xf_fds__socket(int family, int protocol)
{
	int fd;

	pthread_rwlock_rdlock(&making);
	fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	fd = fd < 0 ? -errno : fd;
	pthread_rwlock_unlock(&making);
	return fd;
}

int xf_fds__pipe(int fd[2])
{
	int err;

	pthread_rwlock_rdlock(&making);
	err = pipe2(fd, O_NONBLOCK | O_CLOEXEC) ? -errno : 0;
	pthread_rwlock_unlock(&making);
	return err;
}

static int make_spare(void)
{
	int fd = eventfd(0, EFD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int xf_fds__spare(void)
{
	int fd;

	pthread_rwlock_rdlock(&making);
	fd = make_spare();
	pthread_rwlock_unlock(&making);
	return fd;
}

int xf_fds__refuse(int listen_fd, int *spare)
{
	int fd, err;

	pthread_rwlock_wrlock(&making);
	close(*spare);
	fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	err = fd < 0 ? -errno : 0;
	if (fd >= 0)
		xf_reset(fd);
	*spare = make_spare();
	if (*spare < 0)
		*spare = -1;
	pthread_rwlock_unlock(&making);
	return err;
}

int xf_fds__keep_alive(int fd, int idle, int interval, int count)
{
	int on = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle)) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval)) ||
	    setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count)) ||
	    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)))
		return -errno;
	return 0;
}

void xf_reset(int fd)
{
	static const struct linger at_once = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}
