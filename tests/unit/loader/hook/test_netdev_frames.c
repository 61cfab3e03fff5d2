// SPDX-License-Identifier: GPL-2.0-only
/* What frames begin with, by the kind of interface that the kernel names. */
#include "loader/hook/netdev.h"

#include <errno.h>
#include <linux/if_arp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>

#include <cmocka.h>

#include "xdp-prog/abi.h"

static unsigned int kind; /* of every interface */
static const char *release;

int uname(struct utsname *uts)
{
	strcpy(uts->release, release);
	return 0;
}

int ioctl(int fd, unsigned long request, ...)
{
	struct ifreq *req;
	va_list args;

	(void)fd;
	assert_int_equal(request, SIOCGIFHWADDR);
	va_start(args, request);
	req = va_arg(args, struct ifreq *);
	va_end(args);
	req->ifr_hwaddr.sa_family = kind;
	return 0;
}

static void frames_by_kind_of_interface(void **state)
{
	static const struct {
		unsigned int kind;
		int want;
	} rows[] = {
		{ ARPHRD_ETHER, XF_LINK_ETHER },      { ARPHRD_LOOPBACK, XF_LINK_ETHER },
		{ ARPHRD_NONE, XF_LINK_IP },	      { ARPHRD_PPP, XF_LINK_IP },
		{ ARPHRD_RAWIP, XF_LINK_IP },	      { ARPHRD_TUNNEL, XF_LINK_IP },
		{ ARPHRD_TUNNEL6, XF_LINK_IP },	      { ARPHRD_SIT, XF_LINK_IP },
		{ ARPHRD_CAN, -EPROTONOSUPPORT },     { ARPHRD_INFINIBAND, -EPROTONOSUPPORT },
		{ ARPHRD_NETLINK, -EPROTONOSUPPORT },
	};
	unsigned int type;

	(void)state;
	release = "5.14.0-1-amd64";
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		kind = rows[i].kind;
		assert_int_equal(xf_netdev_frames("eth0", &type), rows[i].want);
		assert_int_equal(type, kind);
	}
}

static void tunnels_of_old_kernels(void **state)
{
	static const char *const releases[] = { "5.10.0-46-cloud-amd64", "5.13", "4.18.0-553.el8" };
	static const unsigned int kinds[] = { ARPHRD_TUNNEL, ARPHRD_TUNNEL6, ARPHRD_SIT,
					      ARPHRD_IPGRE, ARPHRD_IP6GRE };
	unsigned int type;

	(void)state;
	for (size_t i = 0; i < sizeof(releases) / sizeof(releases[0]); i++) {
		release = releases[i];
		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
			kind = kinds[k];
			assert_int_equal(xf_netdev_frames("eth0", &type), -EOPNOTSUPP);
		}
		kind = ARPHRD_NONE;
		assert_int_equal(xf_netdev_frames("eth0", &type), XF_LINK_IP);
	}
	release = "6.0.0";
	kind = ARPHRD_SIT;
	assert_int_equal(xf_netdev_frames("eth0", &type), XF_LINK_IP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames_by_kind_of_interface),
		cmocka_unit_test(tunnels_of_old_kernels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
