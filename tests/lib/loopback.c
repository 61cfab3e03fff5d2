// SPDX-License-Identifier: GPL-2.0-only
#include "tests/lib/loopback.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

int xf_own_loopback(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd, ret;

	if (unshare(CLONE_NEWNET)) {
		perror("unshare");
		return -1;
	}
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	ret = ioctl(fd, SIOCSIFFLAGS, &ifr);
	if (ret)
		perror("lo");
	close(fd);
	return ret;
}

void xf_connect_pair(int *dialled, int *accepted)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t len = sizeof(addr);

	assert_int_equal(bind(listener, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&addr, &len), 0);
	*dialled = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(*dialled, (struct sockaddr *)&addr, len), 0);
	*accepted = accept(listener, NULL, NULL);
	assert_true(*accepted >= 0);
	close(listener);
}
