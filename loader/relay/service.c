// SPDX-License-Identifier: GPL-2.0-only
/* The service manager, by libsystemd. */
#include "loader/relay/service.h"

#ifdef XF_SYSTEMD

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "lib/msg.h"
#include "sockmap/route/endpoint.h"

/* A path that no address may have is left out. */
static int unix_address(int fd, struct xf_addr *addr)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(un);
	char text[XF_SOCKADDR_TEXT];
	bool named;

	if (getsockname(fd, (struct sockaddr *)&un, &len))
		return -errno;
	named = len > offsetof(struct sockaddr_un, sun_path);
	if (named && !un.sun_path[0])
		un.sun_path[0] = '@';
	snprintf(text, sizeof(text), "unix:%.*s", (int)sizeof(un.sun_path), un.sun_path);
	return xf_endpoint_parse_listen(text, addr, NULL) ? xf_unix_named("", addr) : 0;
}

static int address(int fd, struct xf_addr *addr)
{
	*addr = (struct xf_addr) { .len = sizeof(addr->in6) };
	if (sd_is_socket(fd, AF_UNIX, SOCK_STREAM, 1) > 0)
		return unix_address(fd, addr);
	if (sd_is_socket(fd, AF_INET, SOCK_STREAM, 1) > 0 ||
	    sd_is_socket(fd, AF_INET6, SOCK_STREAM, 1) > 0)
		return getsockname(fd, &addr->sa, &addr->len) ? -errno : 0;
	return -EINVAL;
}

int xf_service__listens(struct xf_relay_args *args)
{
	int n = sd_listen_fds(1);

	for (int i = 0; i < n; i++) {
		int fd = SD_LISTEN_FDS_START + i, err = -E2BIG;

		if (args->n_listens < XF_STRS_MAX)
			err = address(fd, &args->listens[args->n_listens]);
		if (!err && fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK))
			err = -errno;
		if (err) {
			xf_err("cannot listen on descriptor %d of the service manager: %s", fd,
			       err == -EINVAL ? "it is no listening stream socket"
					      : strerror(-err));
			return err;
		}
		args->passed[args->n_passed++] = fd;
		args->n_listens++;
	}
	return n < 0 ? n : 0;
}

void xf_service__ready(void)
{
	sd_notify(0, "READY=1");
}

void xf_service__reloading(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld",
		   now.tv_sec * 1000000LL + now.tv_nsec / 1000);
}

void xf_service__stopping(void)
{
	sd_notify(0, "STOPPING=1");
}

#else

int xf_service__listens(struct xf_relay_args *args)
{
	(void)args;
	return 0;
}

void xf_service__ready(void)
{
}

void xf_service__reloading(void)
{
}

void xf_service__stopping(void)
{
}

#endif
